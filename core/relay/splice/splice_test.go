package splice

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// tcp makes both ends of a connection.
func tcp(t testing.TB) (near, far *net.TCPConn) {
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
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// joined returns the outer ends of two connections that are spliced.
func joined(t testing.TB, ctx context.Context, o Options) (system, engineer *net.TCPConn, done chan Result) {
	system, a := tcp(t)
	engineer, b := tcp(t)
	done = make(chan Result, 1)
	go func() { done <- Join(ctx, a, b, o) }()
	return system, engineer, done
}

func result(t *testing.T, done chan Result) Result {
	t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("the splice does not end")
		return Result{}
	}
}

// Both ways, with an end of one direction that leaves the other open.
func TestHalfClose(t *testing.T) {
	system, engineer, done := joined(t, t.Context(), Options{Idle: time.Minute, Stall: time.Minute})
	sent := make([]byte, 3<<20+17)
	rand.Read(sent)
	go func() {
		engineer.Write(sent)
		engineer.CloseWrite()
	}()
	got := sha256.New()
	if n, err := io.Copy(got, system); err != nil || n != int64(len(sent)) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if want := sha256.Sum256(sent); !bytes.Equal(got.Sum(nil), want[:]) {
		t.Error("the bytes are not the same")
	}
	for _, word := range []string{"exit", " status ", "0"} { // after the end of the other direction
		if _, err := system.Write([]byte(word)); err != nil {
			t.Fatal(err)
		}
	}
	system.Close()
	answer, err := io.ReadAll(engineer)
	if err != nil || string(answer) != "exit status 0" {
		t.Errorf("answer %q, %v", answer, err)
	}
	r := result(t, done)
	if r.Err != nil || r.FromA != int64(len(answer)) || r.FromB != int64(len(sent)) {
		t.Errorf("result %+v", r)
	}
}

// A few bytes go through at once, also right after a stream of them.
func TestSmallAfterLarge(t *testing.T) {
	system, engineer, _ := joined(t, t.Context(), Options{Idle: time.Minute})
	buf := make([]byte, 1<<20)
	for range 3 {
		go engineer.Write(buf)
		if _, err := io.ReadFull(system, make([]byte, len(buf))); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, first - 1, first, first + 1} {
			system.SetReadDeadline(time.Now().Add(5 * time.Second))
			engineer.Write(buf[:n])
			if _, err := io.ReadFull(system, make([]byte, n)); err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
		}
	}
}

func TestEnds(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		_, _, done := joined(t, t.Context(), Options{Idle: 50 * time.Millisecond})
		if r := result(t, done); !errors.Is(r.Err, ErrIdle) {
			t.Errorf("%v", r.Err)
		}
	})
	t.Run("one direction is enough to be busy", func(t *testing.T) {
		system, engineer, done := joined(t, t.Context(), Options{Idle: 200 * time.Millisecond})
		go io.Copy(io.Discard, system)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range 10 {
			<-tick.C
			if _, err := engineer.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case r := <-done:
			t.Errorf("ended: %v", r.Err)
		default:
		}
	})
	t.Run("stalled", func(t *testing.T) {
		_, engineer, done := joined(t, t.Context(), Options{Stall: 100 * time.Millisecond})
		go engineer.Write(make([]byte, 64<<20)) // nobody reads
		if r := result(t, done); !errors.Is(r.Err, ErrStalled) {
			t.Errorf("%v", r.Err)
		}
	})
	t.Run("cut", func(t *testing.T) {
		ctx, cut := context.WithCancelCause(t.Context())
		system, _, done := joined(t, ctx, Options{Idle: time.Minute})
		why := errors.New("revoked")
		cut(why)
		if r := result(t, done); !errors.Is(r.Err, why) {
			t.Errorf("%v", r.Err)
		}
		system.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := system.Read(make([]byte, 1)); err == nil || timeout(err) {
			t.Errorf("the connection is still open: %v", err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		system, engineer, done := joined(t, t.Context(), Options{Idle: time.Minute})
		engineer.SetLinger(0)
		engineer.Close()
		if r := result(t, done); r.Err == nil {
			t.Error("a reset passed for an orderly end")
		}
		system.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := system.Read(make([]byte, 1)); timeout(err) {
			t.Error("the other side was not told")
		}
	})
}
