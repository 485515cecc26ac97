package natsstore

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/store"
)

// A store that was closed stays closed, whoever still calls: it is not started
// anew, says what is the matter, and leaves its directory alone.
func TestLateCallers(t *testing.T) {
	var said lines
	dir := filepath.Join(t.TempDir(), "store")
	e, err := Embed(dir, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	tab, err := e.Table(ctx, "things", 0)
	if err != nil {
		t.Fatal(err)
	}
	log, err := e.EventLog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"Put":    func() error { return tab.Put(ctx, "a", []byte("1")) },
		"Get":    func() error { _, err := tab.Get(ctx, "a"); return err },
		"Append": func() error { _, err := log.Append(ctx, audit.Event{Type: audit.BundleSent, Actor: "x"}); return err },
		"Table":  func() error { _, err := e.Table(ctx, "other", 0); return err },
		"All": func() error {
			for _, err := range tab.All(ctx) {
				return err
			}
			return nil
		},
	}
	if err := tab.Put(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	var busy, running sync.WaitGroup
	for name, call := range calls {
		running.Add(1)
		busy.Go(func() {
			for n := 0; ; n++ {
				err := call()
				if n == 3 {
					running.Done()
				}
				if err == nil {
					continue
				}
				if !errors.Is(err, store.ErrClosed) || n < 3 {
					t.Errorf("%s, call %d: %v; want ErrClosed", name, n, err)
				}
				if n < 3 {
					running.Done()
				}
				return
			}
		})
	}
	running.Wait()
	start := time.Now()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	busy.Wait()
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("calls ended %s after Close; want at once", d)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s afterwards: %v; want ErrClosed", name, err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there again: %v", err)
	}
	if text := said.String(); strings.Contains(text, "anew") {
		t.Errorf("the log says\n%s", text)
	}
}

// The server's words tell why a file could not be written.
func TestFailure(t *testing.T) {
	l := logger{dir: t.TempDir()}
	tests := []struct {
		message string
		want    error
	}{
		{"JetStream stream '$G > KV_rss-things' critical write error: write 1.blk: no space left on device", store.ErrFull},
		{"JetStream failed to store a msg: write: disk quota exceeded", store.ErrFull},
		{"JetStream stream '$G > x' critical write error: open 2.blk: too many open files", store.ErrFailed},
		{"JetStream out of File resources, will be DISABLED", store.ErrFailed}, // this disk has space
		{"JetStream failed to store a msg on stream: something else", nil},
		{"Slow consumer", nil},
	}
	for _, tt := range tests {
		if err := l.failure(strings.ToLower(tt.message)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v; want %v", tt.message, err, tt.want)
		}
	}
}

// lines is a log to look at.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
