package connecttest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Line passes TCP connections on, until it is cut.
type Line struct {
	Address string // where it listens

	to string
	ln net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool
	total int
}

// NewLine listens on 127.0.0.1 and passes on to an address.
func NewLine(t testing.TB, to string) *Line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{Address: ln.Addr().String(), to: to, ln: ln, conns: map[net.Conn]bool{}}
	go l.accept()
	t.Cleanup(func() { ln.Close(); l.Cut() })
	return l
}

func (l *Line) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		go l.pass(c)
	}
}

func (l *Line) pass(near net.Conn) {
	defer near.Close()
	if !l.add(near) {
		return
	}
	defer l.remove(near)
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer far.Close()
	if !l.add(far) {
		return
	}
	defer l.remove(far)
	var both sync.WaitGroup
	one := func(dst, src net.Conn) {
		io.Copy(dst, src)
		dst.(*net.TCPConn).CloseWrite()
	}
	both.Go(func() { one(far, near) })
	both.Go(func() { one(near, far) })
	both.Wait()
}

func (l *Line) add(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return false
	}
	l.total++
	l.conns[c] = true
	return true
}

func (l *Line) remove(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// Cut resets every connection that is open and returns how many there were.
// New ones pass.
func (l *Line) Cut() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.conns)
	for c := range l.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	return n
}

// Down cuts, and refuses new connections until it is set up again.
func (l *Line) Down(down bool) {
	l.mu.Lock()
	l.down = down
	l.mu.Unlock()
	if down {
		l.Cut()
	}
}
