package resume

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// pair makes the two ends of a TCP connection.
func pair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// streams makes both ends of a stream over a connection.
func streams(t testing.TB, a, b net.Conn, o Options) (x, y *Stream) {
	t.Helper()
	x = NewStream([]byte("key"), o)
	o.System = true
	y = NewStream([]byte("key"), o)
	if err := x.Attach(a, 0); err != nil {
		t.Fatal(err)
	}
	if err := y.Attach(b, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Abort(""); y.Abort("") })
	return x, y
}

func TestBothWays(t *testing.T) {
	a, b := pair(t)
	x, y := streams(t, a, b, Options{})
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	errs := make(chan error, 2)
	go func() {
		if _, err := x.Write(data); err != nil {
			errs <- err
		}
		errs <- x.CloseWrite()
	}()
	go func() {
		_, err := io.Copy(y, y)
		y.CloseWrite()
		errs <- err
	}()
	got, err := io.ReadAll(x)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d of %d bytes came back, %v", len(got), len(data), err)
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := y.Close(); err != nil {
		t.Fatal(err)
	}
	if time.Since(start) > time.Second {
		t.Errorf("closing took %v", time.Since(start))
	}
	if x.Err() != nil || y.Err() != nil {
		t.Error(x.Err(), y.Err())
	}
}

func TestGoesOnAfterACut(t *testing.T) {
	a, b := pair(t)
	x, y := streams(t, a, b, Options{})
	if _, err := x.Write([]byte("before ")); err != nil {
		t.Fatal(err)
	}
	lost := y.Lost()
	a.Close()
	<-lost
	if _, err := x.Write([]byte("after")); err != nil {
		t.Fatal(err)
	}
	x.CloseWrite()
	rejoin(t, x, y)
	got, err := io.ReadAll(y)
	if err != nil || string(got) != "before after" {
		t.Fatalf("%q, %v", got, err)
	}
}

// rejoin gives both ends a new connection, as a handshake would.
func rejoin(t testing.TB, x, y *Stream) {
	t.Helper()
	a, b := pair(t)
	hx, err := x.Take()
	if err != nil {
		t.Fatal(err)
	}
	hy, err := y.Take()
	if err != nil {
		t.Fatal(err)
	}
	if err := hx.Attach(a, hy.Received); err != nil {
		t.Fatal(err)
	}
	if err := hy.Attach(b, hx.Received); err != nil {
		t.Fatal(err)
	}
}
