package server

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/latchstring/latchstring/testdata/until"
)

// wrapped is a connection that is no plain socket.
type wrapped struct{ net.Conn }

func (w wrapped) CloseWrite() error { return w.Conn.(*net.TCPConn).CloseWrite() }

// wordy is one that cannot end one half.
type wordy struct{ net.Conn }

// tcpPair returns both ends of a connection on loopback.
func tcpPair(t *testing.T) (net.Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{near, far} {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		t.Cleanup(func() { c.Close() })
	}
	return near, far.(*net.TCPConn)
}

// pumped starts a pump in front of conn and returns the host's end.
func pumped(t *testing.T, conn net.Conn, head []byte) *net.UnixConn {
	t.Helper()
	f, err := startPump(conn, head)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	nc, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { nc.Close() })
	return nc.(*net.UnixConn)
}

func TestPumpBothWays(t *testing.T) {
	conn, far := tcpPair(t)
	host := pumped(t, wrapped{conn}, []byte("head "))
	want := make([]byte, 3<<20)
	rand.Read(want)
	go func() {
		host.Write(want)
		host.CloseWrite()
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("up: %d bytes, %v", len(got), err)
	}
	go func() {
		far.Write(want)
		far.CloseWrite()
	}()
	got, err = io.ReadAll(host)
	if err != nil || !bytes.Equal(got, append([]byte("head "), want...)) {
		t.Errorf("down after the other half ended: %d bytes, %v", len(got), err)
	}
}

// When the host closes its end altogether, the connection does not stay open
// because its far end happens to be silent.
func TestPumpEndsWithItsHost(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"with half-close": func(c net.Conn) net.Conn { return wrapped{c} },
		"without":         func(c net.Conn) net.Conn { return wordy{c} },
	} {
		t.Run(name, func(t *testing.T) {
			conn, far := tcpPair(t)
			host := pumped(t, wrap(conn), nil)
			host.Write([]byte("x"))
			io.ReadFull(far, make([]byte, 1))
			host.Close()
			if n, err := far.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the far end still reads: %d, %v", n, err)
			}
			// Not only half of it: writes fail soon, too.
			refused(t, far)
		})
	}
}

// Half-close first, close later: the second is noticed as well.
func TestPumpEndsAfterHalfClose(t *testing.T) {
	conn, far := tcpPair(t)
	host := pumped(t, wordy{conn}, nil)
	host.CloseWrite()
	go far.Write([]byte("answer"))
	if _, err := io.ReadFull(host, make([]byte, 6)); err != nil {
		t.Fatalf("the answer after half-close: %v", err)
	}
	host.Close()
	if n, err := far.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the far end still reads: %d, %v", n, err)
	}
}

func TestPumpBreaksBothWays(t *testing.T) {
	conn, far := tcpPair(t)
	host := pumped(t, wrapped{conn}, nil)
	far.SetLinger(0)
	far.Close() // a reset
	if _, err := host.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after a reset: %v", err)
	}
	refused(t, host)
}

// refused waits until nothing can be written any more, which is something else
// than a write that nobody takes.
func refused(t *testing.T, conn net.Conn) {
	t.Helper()
	until.True(t, "writes are refused", func() bool {
		_, err := conn.Write([]byte("x"))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		return err != nil
	})
}
