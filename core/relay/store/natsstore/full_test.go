package natsstore

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/testdata/until"
)

// A full disk: calls are refused in words and at once, and when there is space
// again everything is there and goes on. REQ J2.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=40m"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	e := embedded1(t, filepath.Join(dir, "store"))
	ctx := t.Context()
	tab, err := e.Table(ctx, "things", 0)
	if err != nil {
		t.Fatal(err)
	}
	log, err := e.EventLog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Put(ctx, "before", []byte("1")); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	f.Close()
	value := make([]byte, 100<<10)
	for i := 0; err == nil && i < 50; i++ {
		err = tab.Put(ctx, "big", value)
	}
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("Put = %v; want ErrFull", err)
	}
	start := time.Now()
	if _, err := log.Append(ctx, audit.Event{Type: audit.BundleSent, Actor: "x"}); !errors.Is(err, store.ErrFull) || time.Since(start) > 5*time.Second {
		t.Errorf("Append = %v after %s; want ErrFull at once", err, time.Since(start))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	until.OK(t, "there is space again", func() error { return tab.Put(ctx, "after", []byte("1")) })
	if _, err = log.Append(ctx, audit.Event{Type: audit.BundleSent, Actor: "x"}); err != nil {
		t.Errorf("Append with space again: %v", err)
	}
	n := 0
	for _, err := range log.Read(ctx) {
		if err != nil {
			t.Errorf("the log: %v", err)
		}
		n++
	}
	if ent, err := tab.Get(ctx, "before"); err != nil || string(ent.Value) != "1" || n != 1 {
		t.Errorf("after it: %q, %v, %d records", ent.Value, err, n)
	}
}
