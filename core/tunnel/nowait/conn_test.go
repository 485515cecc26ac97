package nowait

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// pair makes both ends of a connection, one of them a Conn.
func pair(t testing.TB) (plain *net.TCPConn, quick net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), New(b)
}

func TestConformance(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := pair(t)
		return New(a), b, func() { a.Close(); b.Close() }, nil
	})
}

// All sizes arrive as they were sent, both ways at the same time, whatever way
// they go.
func TestSizes(t *testing.T) {
	plain, quick := pair(t)
	go io.Copy(plain, plain)
	sent := make([]byte, 3<<20)
	rand.Read(sent)
	go func() {
		for i, n := 0, 1; i < len(sent); i, n = i+n, n*5/3+1 {
			n = min(n, len(sent)-i)
			if _, err := quick.Write(sent[i : i+n]); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(quick, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("not what was sent: %v", err)
	}
	p := make([]byte, 64)
	for i := range 5 * atOnce { // what is small, to and fro
		if _, err := quick.Write(p[:i%len(p)]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(quick, p[:i%len(p)]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnds(t *testing.T) {
	plain, quick := pair(t)
	p := make([]byte, 8)
	quick.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := quick.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read that takes too long: %v", err)
	}
	quick.SetReadDeadline(time.Time{})
	plain.Write([]byte("end"))
	plain.CloseWrite()
	if got, err := io.ReadAll(quick); err != nil || string(got) != "end" {
		t.Errorf("%q, %v", got, err)
	}
	if err := quick.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := quick.Write(p); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write behind the end: %v", err)
	}

	plain, quick = pair(t)
	plain.SetLinger(0)
	plain.Close()
	var op *net.OpError
	if _, err := quick.Read(p); !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &op) {
		t.Errorf("a connection that was reset: %v", err)
	}

	_, quick = pair(t)
	ended := make(chan error)
	go func() { _, err := quick.Read(p); ended <- err }()
	quick.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read of what is closed: %v", err)
	}
}

// A write that nobody reads waits, and ends in time with what it did.
func TestFull(t *testing.T) {
	_, quick := pair(t)
	quick.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	p := make([]byte, small-1)
	for {
		n, err := quick.Write(p)
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || n >= len(p) {
			t.Errorf("%d, %v", n, err)
		}
		return
	}
}

// What is no socket stays what it is.
func TestOther(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if New(a) != a {
		t.Error("a pipe was taken for a socket")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	plain, quick := pair(t)
	go io.Copy(plain, plain)
	p := make([]byte, 64)
	if n := testing.AllocsPerRun(100, func() {
		quick.Write(p)
		io.ReadFull(quick, p)
	}); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
