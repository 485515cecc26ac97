package natsstore

import (
	"context"
	"slices"
	"testing"
	"time"
)

// A part of a table, and what is written to it from now on.
func TestBelowAndChanges(t *testing.T) {
	both(t, func(t *testing.T, open func(*testing.T) *Engine) {
		table, err := open(t).Table(t.Context(), "things", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a.1", "a.2", "a.b.3", "ab.4", "a"} {
			if err := table.Put(t.Context(), key, []byte("old")); err != nil {
				t.Fatal(err)
			}
		}
		var keys []string
		for e, err := range table.Below(t.Context(), "a") {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, e.Key)
		}
		if slices.Sort(keys); !slices.Equal(keys, []string{"a.1", "a.2", "a.b.3"}) {
			t.Errorf("below a: %v", keys)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		seen, ended := make(chan string, 100), make(chan struct{})
		go func() {
			defer close(ended)
			for e, err := range table.Changes(ctx) {
				if err != nil {
					t.Error(err)
				}
				seen <- e.Key + "=" + string(e.Value)
			}
		}()
		want := func(change string) {
			t.Helper()
			select {
			case got := <-seen:
				if got != change {
					t.Errorf("change %q; want %q", got, change)
				}
			case <-ctx.Done():
				t.Fatalf("no change; want %q", change)
			}
		}
		for ready := false; !ready; { // until the watch has begun
			if err := table.Put(ctx, "begin", []byte("x")); err != nil {
				t.Fatal(err)
			}
			select {
			case <-seen:
				ready = true
			case <-time.After(20 * time.Millisecond):
			}
		}
		if err := table.Put(ctx, "last", nil); err != nil {
			t.Fatal(err)
		}
		for got := ""; got != "last="; {
			got = <-seen
		}
		if err := table.Put(ctx, "a.1", []byte("new")); err != nil {
			t.Fatal(err)
		}
		want("a.1=new")
		if err := table.Delete(ctx, "a.2"); err != nil {
			t.Fatal(err)
		}
		want("a.2=")
		cancel()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Error("the watch does not end with its context")
		}
	})
}
