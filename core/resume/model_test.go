package resume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var modelRuns = 2000

// run is a stream between an engineer and a system over wires that are cut.
type run struct {
	t      *testing.T
	rand   *rand.Rand
	table  Table
	key    []byte
	id     string
	near   *Stream // the engineer's end
	far    *Stream
	mu     sync.Mutex
	wire   *wireEnd
	dials  int
	locked sync.Mutex // for rand
}

func (r *run) intn(n int) int {
	r.locked.Lock()
	defer r.locked.Unlock()
	return r.rand.IntN(n)
}

func newRun(t *testing.T, seed uint64, o Options) *run {
	r := &run{t: t, rand: rand.New(rand.NewPCG(seed, 1)), key: []byte("key of the stream")}
	near := o
	near.Redial = r.dial
	var err error
	r.id, r.far, err = r.table.Open(r.key, o)
	if err != nil {
		t.Fatal(err)
	}
	r.near = NewStream(r.key, near)
	a, b := r.newWire()
	if err := r.far.Attach(b, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.near.Attach(a, 0); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *run) newWire() (a, b *wireEnd) {
	a, b = newWire(rand.New(rand.NewPCG(uint64(r.intn(1<<30)), 2)))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire = a
	r.dials++
	return a, b
}

// dial is what a handshake does: both sides tell what they have, and that of
// the system may be lost on the way back.
func (r *run) dial(ctx context.Context, received uint64) (net.Conn, uint64, error) {
	time.Sleep(time.Duration(r.intn(300)) * time.Millisecond)
	if r.intn(4) == 0 {
		return nil, 0, errors.New("the relay does not answer")
	}
	a, b := r.newWire()
	binding := fmt.Appendf(nil, "connection %d", r.dials)
	var far uint64
	at := Attachment{Stream: r.id, Received: received, Binding: binding, Proof: Proof(r.key, binding, r.id, received)}
	err := r.table.Attach(at, func(n uint64) (net.Conn, error) { far = n; return b, nil })
	if err == nil && r.intn(8) == 0 {
		err = errors.New("cut before the answer arrived")
	}
	if err != nil {
		a.Close()
		return nil, 0, err
	}
	return a, far, nil
}

func (r *run) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire.cut()
}

// content is what is written: every place in it is different.
func content(seed uint64, n int) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 7})
	c.Read(b)
	return b
}

// send writes data in pieces of any size and ends the direction.
func (r *run) send(s *Stream, data []byte, largest int) error {
	for len(data) > 0 {
		n := min(len(data), 1+r.intn(largest))
		m, err := s.Write(data[:n])
		if err != nil || m != n {
			return fmt.Errorf("wrote %d of %d: %w", m, n, err)
		}
		data = data[n:]
		switch r.intn(20) {
		case 0:
			time.Sleep(time.Duration(r.intn(3000)) * time.Millisecond)
		case 1:
			s.SetWriteDeadline(time.Now().Add(time.Hour)) // the other way to write
		case 2:
			s.SetWriteDeadline(time.Time{})
		}
	}
	return s.CloseWrite()
}

// expect reads until the end and compares.
func (r *run) expect(s *Stream, want []byte, largest int) error {
	got := make([]byte, 0, len(want))
	for {
		p := make([]byte, 1+r.intn(largest))
		n, err := s.Read(p)
		got = append(got, p[:n]...)
		if !bytes.HasPrefix(want, got) {
			return fmt.Errorf("the first %d bytes differ", len(got))
		}
		if err == io.EOF {
			break
		}
		if errors.Is(err, errTimeout) && r.intn(2) == 0 {
			s.SetReadDeadline(time.Time{})
		} else if err != nil && !errors.Is(err, errTimeout) {
			return fmt.Errorf("after %d of %d bytes: %w", len(got), len(want), err)
		}
		switch r.intn(30) {
		case 0:
			time.Sleep(time.Duration(r.intn(3000)) * time.Millisecond)
		case 1:
			s.SetReadDeadline(time.Now().Add(time.Duration(r.intn(100)) * time.Millisecond))
		case 2:
			s.SetReadDeadline(time.Time{})
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("got %d of %d bytes", len(got), len(want))
	}
	return nil
}

// Whatever happens to the connections, each side reads exactly what the other
// wrote, and nothing is kept beyond the window.
func TestModel(t *testing.T) {
	runs := modelRuns
	if testing.Short() {
		runs = 100
	}
	for seed := range uint64(runs) {
		if !t.Run("", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { model(t, seed) }) }) {
			t.Fatalf("seed %d", seed)
		}
	}
}

func model(t *testing.T, seed uint64) {
	r := newRun(t, seed, Options{Window: minWindow, Adaptive: seed%2 == 0})
	size := 1 << r.intn(18)
	up, down := content(seed, r.intn(size)), content(seed+1, r.intn(size))
	if seed%200 == 100 {
		up = content(seed, 3*minWindow)
	}
	errs := make(chan error, 4)
	largest := 1 + r.intn(1+max(len(up), len(down))/4)
	go func() { errs <- named("engineer writes", r.send(r.near, up, largest)) }()
	go func() { errs <- named("system writes", r.send(r.far, down, largest)) }()
	go func() { errs <- named("engineer reads", r.expect(r.near, down, largest)) }()
	go func() { errs <- named("system reads", r.expect(r.far, up, largest)) }()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range r.intn(12) {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(r.intn(1<<r.intn(16))) * time.Millisecond):
				r.cut()
				r.small()
			}
		}
	}()
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-done
	near := make(chan error)
	go func() { near <- r.near.Close() }()
	if err := errors.Join(r.far.Close(), <-near); err != nil {
		t.Error(err)
	}
	for _, s := range []*Stream{r.near, r.far} {
		<-s.Done()
		// That the last acknowledgement arrived nobody can be sure of.
		if err := s.Err(); err != nil && !errors.Is(err, ErrNoStream) {
			t.Error(err)
		}
	}
	time.Sleep(time.Minute) // what still dials gives up
	if n := r.table.Len(); n != 0 {
		t.Errorf("%d streams are left in the table", n)
	}
}

// errTimeout is what a Read returns when its deadline has come.
var errTimeout = os.ErrDeadlineExceeded

func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// small checks that no more is kept than may be.
func (r *run) small() {
	for _, s := range []*Stream{r.near, r.far} {
		s.mu.Lock()
		// A batch that was consumed while it was being written may be kept
		// for a moment longer.
		most := s.o.Window + sendData
		if s.in.size > Window || s.out.size > most || len(s.out.list) > most/chunkSize+2 {
			r.t.Errorf("%d bytes to read, %d to send again in %d chunks", s.in.size, s.out.size, len(s.out.list))
		}
		s.mu.Unlock()
	}
}
