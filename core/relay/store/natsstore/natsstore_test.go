package natsstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/testdata/until"
)

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func embedded1(t *testing.T, dir string) *Engine {
	t.Helper()
	e, err := Embed(dir, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// external starts a NATS server of its own, as an operator would run it.
func external(t *testing.T) string {
	t.Helper()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	return ns.ClientURL()
}

// both runs a test on the embedded server and on an existing one.
func both(t *testing.T, test func(t *testing.T, open func(*testing.T) *Engine)) {
	t.Run("embedded", func(t *testing.T) {
		e := embedded1(t, t.TempDir())
		test(t, func(*testing.T) *Engine { return e })
	})
	t.Run("existing", func(t *testing.T) {
		url := external(t)
		test(t, func(t *testing.T) *Engine {
			e, err := Connect(url, "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.Close() })
			return e
		})
	})
}

func TestTable(t *testing.T) {
	both(t, func(t *testing.T, open func(*testing.T) *Engine) {
		ctx := t.Context()
		tab, err := open(t).Table(ctx, "things", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Get(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get of nothing: %v; want ErrNotFound", err)
		}
		if err := tab.Create(ctx, "a", []byte("1")); err != nil {
			t.Fatal(err)
		}
		if err := tab.Create(ctx, "a", []byte("2")); !errors.Is(err, store.ErrExists) {
			t.Errorf("second Create: %v; want ErrExists", err)
		}
		e, err := tab.Get(ctx, "a")
		if err != nil || string(e.Value) != "1" || time.Since(e.Written) > time.Minute {
			t.Fatalf("Get = %+v, %v", e, err)
		}
		if err := tab.Update(ctx, "a", []byte("3"), e.Revision); err != nil {
			t.Fatal(err)
		}
		if err := tab.Update(ctx, "a", []byte("4"), e.Revision); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Update of an old revision: %v; want ErrConflict", err)
		}
		for i := range 20 {
			if err := tab.Put(ctx, fmt.Sprint("k-", i), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := tab.Delete(ctx, "k-3"); err != nil {
			t.Fatal(err)
		}
		if err := tab.Delete(ctx, "absent"); err != nil {
			t.Errorf("Delete of nothing: %v", err)
		}
		got := map[string]string{}
		for e, err := range tab.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			got[e.Key] = string(e.Value)
		}
		if len(got) != 20 || got["a"] != "3" || got["k-3"] != "" {
			t.Errorf("All = %v; want a and 19 others", got)
		}
		if err := tab.Create(ctx, "k-3", []byte("again")); err != nil {
			t.Errorf("Create after Delete: %v", err)
		}
		if err := tab.Put(ctx, "../x y", []byte("x")); err == nil {
			t.Error("a key with a space was accepted")
		}
	})
}

func TestEventLog(t *testing.T) {
	both(t, func(t *testing.T, open func(*testing.T) *Engine) {
		ctx := t.Context()
		var logs []store.EventLog
		for range 2 { // as two nodes have it
			l, err := open(t).EventLog(ctx)
			if err != nil {
				t.Fatal(err)
			}
			logs = append(logs, l)
		}
		for range logs[0].Read(ctx) {
			t.Error("the empty log has records")
		}
		var wg sync.WaitGroup
		for i, l := range logs {
			wg.Go(func() {
				for n := range 10 {
					if _, err := l.Append(ctx, audit.Event{Type: audit.BundleSent, Actor: fmt.Sprint("node", i), Subject: fmt.Sprint(n)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		n := 0
		for r, err := range logs[0].Read(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; r.Seq != uint64(n) {
				t.Errorf("record %d has number %d", n, r.Seq)
			}
		}
		if n != 20 {
			t.Errorf("%d records; want the 20 of both nodes", n)
		}
		if _, err := logs[0].Append(ctx, audit.Event{}); err == nil {
			t.Error("an event without a type was stored")
		}
		var first []audit.Record
		for r := range logs[0].Read(ctx) {
			if first = append(first, r); len(first) == 3 {
				break
			}
		}
		if len(first) != 3 {
			t.Errorf("a reader that stops gets %d records", len(first))
		}
	})
}

// What an operator of NATS might try on the audit stream.
func TestEventLogCannotBeCut(t *testing.T) {
	url := external(t)
	e, err := Connect(url, "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	l, err := e.EventLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.Append(t.Context(), audit.Event{Type: audit.BundleSent, Actor: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := e.js.Stream(t.Context(), auditStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context()); err == nil {
		t.Error("the stream could be purged")
	}
	if err := s.DeleteMsg(t.Context(), 2); err == nil {
		t.Error("a message could be deleted")
	}
	// Somebody publishes a record of his own behind the last.
	if _, err := e.js.Publish(t.Context(), auditSubject, []byte(`{"v":1}`)); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range l.Read(t.Context()) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "message 4") {
		t.Errorf("reading gives %v; want an error that names message 4", last)
	}
}

// Everything is there after a restart, and after a kill without one.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	write := func(e *Engine, key string) {
		t.Helper()
		tab, err := e.Table(ctx, "things", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := tab.Put(ctx, key, []byte(key)); err != nil {
			t.Fatal(err)
		}
		l, err := e.EventLog(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(ctx, audit.Event{Type: audit.BundleSent, Actor: "x", Subject: key}); err != nil {
			t.Fatal(err)
		}
	}
	e := embedded1(t, dir)
	write(e, "one")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = embedded1(t, dir)
	write(e, "two")
	// A copy of the files at this moment is what a power cut would leave.
	snapshot := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(snapshot, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, snapshot} {
		if d == dir {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		e := embedded1(t, d)
		tab, err := e.Table(ctx, "things", 0)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for e, err := range tab.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, e.Key)
		}
		if diff := cmp.Diff([]string{"one", "two"}, keys); diff != "" {
			t.Errorf("in %s:\n%s", d, diff)
		}
		l, err := e.EventLog(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := l.Append(ctx, audit.Event{Type: audit.BundleSent, Actor: "x"}); err != nil || r.Seq != 3 {
			t.Errorf("record after the restart: %+v, %v; want number 3", r, err)
		}
		e.Close()
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	embedded1(t, dir)
	if _, err := Embed(dir, testLog(t)); !errors.Is(err, ErrInUse) {
		t.Errorf("second Embed: %v; want ErrInUse", err)
	}
}

// A child has the files of its parent between fork and exec: the store that is
// closed then can be opened again at once.
func TestLockOfForkedChild(t *testing.T) {
	dir := t.TempDir()
	e, err := Embed(dir, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	inherited, err := syscall.Dup(int(e.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, err = Embed(dir, testLog(t))
	if err != nil {
		t.Fatalf("opened again: %v", err)
	}
	e.Close()
}

func TestExpiry(t *testing.T) {
	ctx := t.Context()
	tab, err := embedded1(t, t.TempDir()).Table(ctx, "short", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Create(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	until.True(t, "the record has expired", func() bool {
		_, err := tab.Get(ctx, "a")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err != nil
	})
	if err := tab.Create(ctx, "a", []byte("2")); err != nil {
		t.Errorf("Create after expiry: %v", err)
	}
}

func TestRegistry(t *testing.T) {
	ctx := t.Context()
	e := embedded1(t, t.TempDir())
	r, err := store.NewRegistry(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Secret(ctx, "bearer")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := r.Secret(ctx, "bearer"); err != nil || string(a) != string(b) || len(a) != 32 {
		t.Errorf("the shared secret changed: %x, %x, %v", a, b, err)
	}
	if err := r.Once(ctx, "n"); err != nil {
		t.Error(err)
	}
	if err := r.Once(ctx, "n"); !errors.Is(err, store.ErrExists) {
		t.Errorf("second Once: %v", err)
	}
	for _, s := range []store.System{{ID: "sys-b", Name: "b"}, {ID: "sys-a", Name: "a", Retired: true}, {ID: "sys-a2", Name: "a"}} {
		if _, err := r.ChangeSystem(ctx, s.ID, func(now *store.System, _ bool) error { *now = s; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Seen(ctx, "sys-b"); err != nil {
		t.Fatal(err)
	}
	list, err := r.Systems(ctx)
	if err != nil || len(list) != 3 || list[2].Name != "b" || list[2].LastSeen.IsZero() {
		t.Errorf("Systems = %+v, %v", list, err)
	}
	if s, err := r.Active(ctx, "a"); err != nil || s.ID != "sys-a2" {
		t.Errorf("Active = %+v, %v", s, err)
	}
	// One token, two systems at the same moment.
	if err := r.AddToken(ctx, store.Token{ID: "t"}); err != nil {
		t.Fatal(err)
	}
	tok, rev, err := r.Token(ctx, "t")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.UseToken(ctx, tok, rev); err != nil {
		t.Fatal(err)
	}
	if err := r.UseToken(ctx, tok, rev); !errors.Is(err, store.ErrConflict) {
		t.Errorf("the second use: %v; want ErrConflict", err)
	}
}

func TestUnreachable(t *testing.T) {
	if _, err := Connect("nats://joe:hunter2@127.0.0.1:1", ""); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Connect = %v; want an error without the password", err)
	}
	e := embedded1(t, t.TempDir())
	tab, err := e.Table(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tab.Get(ctx, "a"); err == nil {
		t.Error("a cancelled call succeeded")
	}
}
