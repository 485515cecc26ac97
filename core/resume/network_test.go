package resume

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

var errCut = errors.New("cut")

// wire is a connection in memory, all of whose troubles are decided by a seed:
// reads and writes of any length, buffers of any size, cuts in the middle of
// anything, and ends that never hear of them.
type wire struct {
	mu   sync.Mutex
	rand *rand.Rand
	ways [2]way // bytes from end 0 to end 1, and back
}

type way struct {
	buf    []byte
	limit  int
	err    error // what both ends get from now on
	silent bool  // nothing arrives any more, and nobody notices
}

// wireEnd is one end of a wire, a net.Conn.
type wireEnd struct {
	w           *wire
	end         int
	change      sync.Cond
	read, write deadline
	closed      bool
	other       *wireEnd
}

func newWire(r *rand.Rand) (a, b *wireEnd) {
	w := &wire{rand: r}
	for i := range w.ways {
		w.ways[i].limit = 40 + r.IntN(1<<r.IntN(18))
		if r.IntN(30) == 0 {
			w.ways[i].limit = 1
		}
	}
	a, b = &wireEnd{w: w}, &wireEnd{w: w, end: 1}
	for _, e := range []*wireEnd{a, b} {
		e.change.L = &w.mu
		e.read.wake, e.write.wake = &e.change, &e.change
	}
	a.other, b.other = b, a
	return a, b
}

func (e *wireEnd) wake() {
	e.change.Broadcast()
	e.other.change.Broadcast()
}

func (e *wireEnd) Read(p []byte) (int, error) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	y := &e.w.ways[1-e.end]
	for {
		switch {
		case e.closed:
			return 0, net.ErrClosed
		case e.read.passed():
			return 0, os.ErrDeadlineExceeded
		case y.err != nil:
			return 0, y.err
		case len(y.buf) > 0 && !y.silent && len(p) > 0:
			n := min(len(p), 1+e.w.rand.IntN(len(y.buf)))
			copy(p, y.buf[:n])
			y.buf = y.buf[n:]
			e.wake()
			return n, nil
		}
		e.change.Wait()
	}
}

func (e *wireEnd) Write(p []byte) (n int, err error) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	y := &e.w.ways[e.end]
	for len(p) > 0 {
		switch {
		case e.closed:
			return n, net.ErrClosed
		case e.write.passed():
			return n, os.ErrDeadlineExceeded
		case y.err != nil:
			return n, y.err
		case len(y.buf) < y.limit:
			m := min(len(p), y.limit-len(y.buf))
			y.buf = append(y.buf, p[:m]...)
			p, n = p[m:], n+m
			e.wake()
			continue
		}
		e.change.Wait()
	}
	return n, nil
}

// cut ends the connection. What was under way is lost, or only the end of it.
// Either end may go on believing in it.
func (e *wireEnd) cut() {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	for i := range e.w.ways {
		y := &e.w.ways[i]
		if len(y.buf) > 0 {
			y.buf = y.buf[:e.w.rand.IntN(len(y.buf)+1)]
		}
		if e.w.rand.IntN(6) == 0 {
			y.silent = true
		} else {
			y.err = errCut
		}
	}
	e.wake()
}

func (e *wireEnd) Close() error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.closed = true
	for i := range e.w.ways {
		if y := &e.w.ways[i]; y.err == nil && !y.silent {
			y.err = io.EOF
		}
	}
	e.wake()
	return nil
}

func (e *wireEnd) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *wireEnd) SetReadDeadline(t time.Time) error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.read.reset(t)
	return nil
}

func (e *wireEnd) SetWriteDeadline(t time.Time) error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.write.reset(t)
	return nil
}

func (e *wireEnd) LocalAddr() net.Addr  { return address{} }
func (e *wireEnd) RemoteAddr() net.Addr { return address{} }
