package deliver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
)

// world is a customer's system with a queue, enrolled at a running relay.
type world struct {
	t      *testing.T
	relay  *relaytest.Relay
	sys    *identity.System
	vendor identity.Vendor
	queue  *Queue
	log    *audit.Log
	dir    string
}

func newWorld(t *testing.T, change ...func(*relaytest.Relay)) *world {
	t.Helper()
	w := &world{t: t, relay: relaytest.New(t, change...), dir: t.TempDir()}
	w.sys, w.vendor = w.relay.Enroll("array-7")
	var err error
	if w.queue, err = OpenQueue(filepath.Join(w.dir, "queue")); err != nil {
		t.Fatal(err)
	}
	if w.log, err = audit.Open(filepath.Join(w.dir, "audit")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.log.Close() })
	return w
}

func (w *world) add(size int) (Item, []byte) {
	w.t.Helper()
	return add(w.t, w.queue, w.dir, size)
}

func add(t *testing.T, q *Queue, dir string, size int) (Item, []byte) {
	t.Helper()
	body := make([]byte, size)
	rand.Read(body)
	path := filepath.Join(dir, "bundle.tar.zst.age")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	it, err := q.Add(path, Info{Anchor: "3 " + strings.Repeat("0a", 32), Case: "4711"})
	if err != nil {
		t.Fatal(err)
	}
	return it, body
}

func (w *world) sender(change ...func(*Options)) *Sender {
	w.t.Helper()
	o := Options{Queue: w.queue, System: w.sys, Vendor: w.vendor, Audit: w.log, Actor: "uid:0(root)", Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
		Patience: 20 * time.Second, backoff: func(int) time.Duration { return 20 * time.Millisecond }}
	for _, c := range change {
		c(&o)
	}
	s, err := NewSender(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

// arrived checks that the relay has the bytes, once.
func (w *world) arrived(sent Sent, body []byte) {
	w.t.Helper()
	e := w.relay.Engineer("ada", "bundles")
	list, err := e.Bundles(w.t.Context(), "")
	if err != nil || len(list) != 1 {
		w.t.Fatalf("the relay has %+v, %v; want one bundle", list, err)
	}
	var got bytes.Buffer
	if _, err := e.Content(w.t.Context(), sent.Bundle, 0, &got); err != nil || !bytes.Equal(got.Bytes(), body) {
		w.t.Errorf("the relay has %d bytes, %v; want the %d that were sent", got.Len(), err, len(body))
	}
	if list, err := w.queue.List(); err != nil || len(list) != 0 {
		w.t.Errorf("queue %+v, %v; want it empty", list, err)
	}
	receipts, err := w.queue.Receipts()
	if err != nil || len(receipts) != 1 || receipts[0].Bundle != sent.Bundle {
		w.t.Errorf("receipts %+v, %v", receipts, err)
	}
	n := 0
	for r, err := range audit.Read(filepath.Join(w.dir, "audit")) {
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Type == audit.BundleSent && r.Detail["bundle"] == sent.Bundle {
			n++
		}
	}
	if n != 1 {
		w.t.Errorf("%d records of the delivery; want 1", n)
	}
}

func TestSend(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(3 << 20)
	var last int64
	s := w.sender(func(o *Options) { o.Progress = func(sent, total int64) { last = sent } })
	sent, err := s.Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last != it.Size {
		t.Errorf("progress ended at %d of %d", last, it.Size)
	}
	key, err := w.vendor.ReceiptPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := sent.Receipt.Verify(key); err != nil || r.Anchor != it.Anchor {
		t.Errorf("receipt %+v, %v", r, err)
	}
	w.arrived(sent, body)
	if _, err := s.Send(t.Context(), it.ID); !errors.Is(err, ErrNoItem) {
		t.Errorf("sending it again: %v", err)
	}
}

// cutter is a network that cuts each connection after some bytes.
type cutter struct {
	cuts atomic.Int64
	each int64
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, c: c, left: c.each}, nil
}

type cutConn struct {
	net.Conn
	c    *cutter
	left int64
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.left -= int64(len(b)); c.left < 0 {
		c.c.cuts.Add(1)
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// REQ J2: an upload over a network that breaks again and again.
func TestBrokenNetwork(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(4 << 20)
	net := &cutter{each: 1 << 20}
	sent, err := w.sender(func(o *Options) { o.Dial = net.dial }).Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if net.cuts.Load() < 3 {
		t.Errorf("the network was cut %d times; the test wants more", net.cuts.Load())
	}
	w.arrived(sent, body)
}

// The relay goes away in the middle and comes back.
func TestRelayRestarts(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(4 << 20)
	var once sync.Once
	restarted := make(chan struct{})
	s := w.sender(func(o *Options) {
		o.Rate = 8 << 20
		o.Progress = func(sent, total int64) {
			if sent > total/2 {
				once.Do(func() {
					go func() {
						defer close(restarted)
						w.relay.Stop()
						w.relay.Start()
					}()
				})
			}
		}
	})
	sent, err := s.Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	<-restarted
	w.arrived(sent, body)
}

// This process dies in the middle: the next one goes on where it was.
func TestClientIsKilled(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(4 << 20)
	ctx, kill := context.WithCancel(t.Context())
	s := w.sender(func(o *Options) {
		o.Rate = 8 << 20
		o.Progress = func(sent, total int64) {
			if sent > total/2 {
				kill()
			}
		}
	})
	_, err := s.Send(ctx, it.ID)
	var queued *QueuedError
	if !errors.As(err, &queued) || queued.ExitCode() != 5 || !strings.Contains(queued.Hint(), "queue retry "+it.ID) {
		t.Fatalf("Send = %v; want a QueuedError with a hint", err)
	}
	if queue, err := OpenQueue(filepath.Join(w.dir, "queue")); err != nil {
		t.Fatal(err)
	} else if got, err := queue.Get(it.ID); err != nil || got.Upload == "" || got.Attempts != 1 || got.Error == "" {
		t.Errorf("the queue has %+v, %v", got, err)
	}
	first := int64(-1)
	sent, err := w.sender(func(o *Options) {
		o.Progress = func(sent, total int64) {
			if first < 0 {
				first = sent
			}
		}
	}).Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if first < it.Size/4 {
		t.Errorf("the second process began at %d of %d", first, it.Size)
	}
	w.arrived(sent, body)
}

// The answer to the creation, or the receipt, got lost: nothing is sent twice.
func TestLostAnswers(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(1 << 20)
	s := w.sender()
	if _, err := createUpload(t.Context(), s.client, it.Size, map[string]string{api.MetaSHA256: it.SHA256, api.MetaFilename: it.Filename}); err != nil {
		t.Fatal(err)
	}
	sent, err := s.Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.arrived(sent, body)
	// The same bundle once more, by a process that knows of no delivery.
	path := filepath.Join(w.dir, "again")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := w.queue.Add(path, Info{})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := s.Send(t.Context(), again.ID)
	if err != nil || twice.Bundle != sent.Bundle {
		t.Errorf("Send = %+v, %v; want the receipt of the first", twice.Bundle, err)
	}
}

// Failures that time does not heal are told at once; others after patience.
func TestFailures(t *testing.T) {
	w := newWorld(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Limits.MaxBundle = 2000 }
	})
	other := relaytest.New(t)
	tests := []struct {
		name   string
		size   int
		change func(*Options)
		want   string
	}{
		{"nothing there", 10, func(o *Options) { o.Vendor.RSS = "127.0.0.1:1"; o.Patience = 100 * time.Millisecond }, "connection refused"},
		{"wrong certificate", 10, func(o *Options) { o.Vendor.RSS = other.Address }, "not issued by the vendor"},
		{"too large", 3000, func(*Options) {}, "at most 2000"},
		{"not enrolled", 10, func(o *Options) {
			sys, err := identity.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			o.System = sys
		}, "is not known here"},
		{"receipt by another key", 10, func(o *Options) { o.Vendor.ReceiptKey = identity.FormatKey(w.sys.PublicKey()) }, "receipt does not hold"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it, _ := w.add(tt.size)
			start := time.Now()
			_, err := w.sender(tt.change).Send(t.Context(), it.ID)
			var queued *QueuedError
			if !errors.As(err, &queued) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Send = %v; want a QueuedError with %q", err, tt.want)
			}
			if time.Since(start) > 10*time.Second {
				t.Errorf("it took %s", time.Since(start))
			}
			if got, err := w.queue.Get(it.ID); err != nil || !strings.Contains(got.Error, tt.want) {
				t.Errorf("the queue has %+v, %v", got, err)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	if code := (&QueuedError{Err: errors.New("x")}).ExitCode(); code != 5 {
		t.Errorf("exit code %d; want 5", code)
	}
	if code := (&QueuedError{Err: &ReceiptError{Err: errors.New("x")}}).ExitCode(); code != 4 {
		t.Errorf("exit code of a bad receipt %d; want 4", code)
	}
}

// The relay's disk is full for a while.
func TestFullRelay(t *testing.T) {
	var free atomic.Int64
	w := newWorld(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.Free = func() (int64, error) { return free.Load(), nil } }
	})
	it, body := w.add(1000)
	failures := 0
	sent, err := w.sender(func(o *Options) {
		o.backoff = func(n int) time.Duration {
			if failures++; failures == 3 {
				free.Store(1 << 30)
			}
			return time.Millisecond
		}
	}).Send(t.Context(), it.ID)
	if err != nil || failures < 3 {
		t.Fatalf("Send = %v after %d failures", err, failures)
	}
	w.arrived(sent, body)
}

// A bundle that changed on our disk is not the relay's fault.
func TestChangedOnDisk(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(1000)
	body[500] ^= 1
	if err := os.WriteFile(w.queue.Path(it), body, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.sender().Send(t.Context(), it.ID); err == nil || !strings.Contains(err.Error(), "changed on this disk") {
		t.Errorf("Send = %v", err)
	}
	if err := os.WriteFile(w.queue.Path(it), body[:10], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.sender().Send(t.Context(), it.ID); err == nil || !strings.Contains(err.Error(), "1000 bytes") {
		t.Errorf("Send of a shorter one = %v", err)
	}
}

func TestRate(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(400 << 10)
	start := time.Now()
	sent, err := w.sender(func(o *Options) { o.Rate = 800 << 10 }).Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 350*time.Millisecond || d > 10*time.Second {
		t.Errorf("400 KiB at 800 KiB/s took %s", d)
	}
	w.arrived(sent, body)
}

func TestTwoSenders(t *testing.T) {
	w := newWorld(t)
	it, _ := w.add(1000)
	unlock, err := w.queue.hold(it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.sender().Send(t.Context(), it.ID); !errors.Is(err, ErrBusy) {
		t.Errorf("Send = %v; want ErrBusy", err)
	}
	if err := w.queue.Drop(it.ID); !errors.Is(err, ErrBusy) {
		t.Errorf("Drop = %v; want ErrBusy", err)
	}
	unlock()
	if err := w.queue.Drop(it.ID); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(w.queue.Path(it)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Drop: %v", err)
	}
}

// REQ A17: names are left to whoever dials.
func TestNamesAreNotResolvedHere(t *testing.T) {
	w := newWorld(t)
	var asked string
	v := w.vendor
	v.RSS = "rss.invalid:443"
	c, err := client.ForSystem(w.sys, v, func(ctx context.Context, network, addr string) (net.Conn, error) {
		asked = addr
		return nil, io.ErrUnexpectedEOF
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Login(t.Context())
	if asked != "rss.invalid:443" {
		t.Errorf("the dialler was asked for %q", asked)
	}
}

// The relay lost power: part of what it has was never written.
func TestDamagedAtRelay(t *testing.T) {
	w := newWorld(t)
	it, body := w.add(1 << 20)
	ctx, stop := context.WithCancel(t.Context())
	_, err := w.sender(func(o *Options) {
		o.Rate = 2 << 20
		o.Progress = func(sent, total int64) {
			if sent > total/2 {
				stop()
			}
		}
	}).Send(ctx, it.ID)
	if err == nil {
		t.Fatal("the upload was not interrupted")
	}
	w.relay.Stop()
	files, err := filepath.Glob(filepath.Join(w.relay.Loaded.Places.Intake, "bdl-*[!o]"))
	if err != nil || len(files) != 1 {
		t.Fatalf("intake: %v, %v", files, err)
	}
	f, err := os.OpenFile(files[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	w.relay.Start()
	sent, err := w.sender().Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.arrived(sent, body)
}
