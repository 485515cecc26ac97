package relay_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/blob"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
)

func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	r := relaytest.New(t, func(r *relaytest.Relay) {
		intake := setup.At(r.Root).Intake
		if err := os.MkdirAll(intake, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", intake, "tmpfs", 0, "size=256k"); err != nil {
			t.Skipf("cannot mount a tmpfs: %v", err)
		}
		t.Cleanup(func() { syscall.Unmount(intake, syscall.MNT_DETACH) })
		r.Change = func(o *relay.Options) { o.Free = func() (int64, error) { return 1 << 40, nil } } // somebody else fills it
	})
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, strings.Repeat("x", 1<<20))
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, u.patch(id, 0, 1<<20), api.CodeNoSpace)
	if err := u.do("HEAD", id, 0, nil); err != nil {
		t.Errorf("what arrived is not kept: %v", err)
	}
	if err := syscall.Mount("", r.Loaded.Places.Intake, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(filepath.Join(r.Loaded.Places.Intake, id))
	if err != nil || fi.Size() == 0 {
		t.Fatalf("stored %v, %v", fi, err)
	}
	if err := u.patch(id, int(fi.Size()), 1<<20); err != nil {
		t.Errorf("going on when there is space again: %v", err)
	}
	if _, err := u.receipt(id); err != nil {
		t.Error(err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	half, whole, lying := newUpload(t, c, "half and half"), newUpload(t, c, "complete"), newUpload(t, c, "lying")
	lying.meta[api.MetaSHA256] = half.sum[1:] + "0"
	var ids []string
	for _, u := range []*upload{half, whole, lying} {
		id, err := u.create()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := half.patch(ids[0], 0, 6); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	// The process died after the last byte and before it was accepted.
	for i, u := range []*upload{whole, lying} {
		if err := os.WriteFile(filepath.Join(r.Loaded.Places.Intake, ids[i+1]), u.body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.Start()
	if err := half.patch(ids[0], 6, 13); err != nil {
		t.Fatal(err)
	}
	for i, u := range []*upload{half, whole} {
		if _, err := u.receipt(ids[i]); err != nil {
			t.Errorf("receipt of upload %d: %v", i, err)
		}
	}
	_, err := lying.receipt(ids[2])
	wantCode(t, err, api.CodeNotFound)
	r.Stop()
	r.Start()
	if _, err := half.receipt(ids[0]); err != nil {
		t.Errorf("after one more restart: %v", err)
	}
}

func TestCrashWhileAccepting(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, "bytes that moved")
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	r.Stop()
	p := r.Loaded.Places
	if err := os.WriteFile(filepath.Join(p.Blobs, id), u.body, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(p.Intake, id)); err != nil {
		t.Fatal(err)
	}
	r.Start()
	if _, err := u.receipt(id); err != nil {
		t.Errorf("the bundle was not finished: %v", err)
	}
	if entries, _ := os.ReadDir(p.Intake); len(entries) != 0 {
		t.Errorf("left in the intake: %v", entries)
	}
}

func TestStalledUpload(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.StallTimeout = 200 * time.Millisecond }
	})
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, strings.Repeat("x", 1000))
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	pr, pw := io.Pipe()
	defer pw.Close()
	go pw.Write(u.body[:10])
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", c.URL(api.PathUpload+id, nil), pr)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 1000
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", "0")
	start := time.Now()
	if _, err := c.Do(req, true); err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("a stalled upload: %v after %s", err, time.Since(start))
	}
	if err := u.patch(id, 10, 1000); err != nil {
		t.Errorf("going on: %v", err)
	}
}

// slowBlobs is a store that takes its time.
type slowBlobs struct {
	blob.Store
	takes time.Duration
}

func (b slowBlobs) Adopt(ctx context.Context, id, path string) error {
	time.Sleep(b.takes)
	return b.Store.Adopt(ctx, id, path)
}

// A bundle that takes long to be put away is answered all the same: an answer
// behind its deadline would leave TLS broken, and the client with "bad record MAC".
func TestSlowAcceptance(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) {
			o.StallTimeout = 200 * time.Millisecond
			o.Blobs = slowBlobs{o.Blobs, time.Second}
		}
	})
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, strings.Repeat("x", 1000))
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.patch(id, 0, 1000); err != nil {
		t.Error(err)
	}
}
