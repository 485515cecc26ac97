package resume

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

// A stream is a net.Conn like any other.
func TestConnConformance(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		a, b := pair(t)
		o := Options{Linger: 50 * time.Millisecond}
		x := NewStream([]byte("key"), o)
		o.System = true
		y := NewStream([]byte("key"), o)
		if err := errors.Join(x.Attach(a, 0), y.Attach(b, 0)); err != nil {
			return nil, nil, nil, err
		}
		return x, y, func() { x.Abort(""); y.Abort("") }, nil
	})
}

// pipe makes both ends over a connection in memory, for tests in a bubble.
func pipe(t *testing.T, o Options) (x, y *Stream) {
	t.Helper()
	a, b := net.Pipe()
	x, y = streams(t, a, b, o)
	t.Cleanup(func() { x.Abort(""); y.Abort(""); time.Sleep(time.Minute) })
	return x, y
}

func TestHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := pipe(t, Options{})
		io.WriteString(x, "question")
		x.CloseWrite()
		got, err := io.ReadAll(y)
		if err != nil || string(got) != "question" {
			t.Fatalf("%q, %v", got, err)
		}
		if _, err := x.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after CloseWrite: %v", err)
		}
		io.WriteString(y, "answer")
		y.Close()
		got, err = io.ReadAll(x)
		if err != nil || string(got) != "answer" {
			t.Fatalf("%q, %v", got, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWriteToWhoReadsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := pipe(t, Options{})
		go x.Close()
		synctest.Wait()
		var err error
		for range 100 {
			if _, err = y.Write(make([]byte, 64<<10)); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrPeerClosed) {
			t.Errorf("%v", err)
		}
		if n, err := y.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// A reader that does not read bounds the writer, and neither keeps more than
// the window.
func TestSlowReaderBoundsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := pipe(t, Options{Window: minWindow})
		x.SetWriteDeadline(time.Now().Add(time.Minute))
		n, err := x.Write(make([]byte, 4*minWindow))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n != minWindow {
			t.Fatalf("wrote %d, %v", n, err)
		}
		synctest.Wait()
		x.mu.Lock()
		y.mu.Lock()
		if x.out.size > minWindow || y.in.size > minWindow {
			t.Errorf("%d to send again, %d to read", x.out.size, y.in.size)
		}
		y.mu.Unlock()
		x.mu.Unlock()
		// Without a connection it is no different, and keepalives work all the time.
		if x.Err() != nil || y.Err() != nil {
			t.Error(x.Err(), y.Err())
		}
		x.SetWriteDeadline(time.Time{})
		if _, err := io.CopyN(io.Discard, y, minWindow); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Write([]byte("go on")); err != nil {
			t.Error(err)
		}
	})
}

func TestSideMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := pipe(t, Options{})
		got := make(chan string, 10)
		y.Side(func(kind byte, p []byte) { got <- string(kind) + string(p) })
		go x.Write(make([]byte, 8<<20)) // nobody reads it
		synctest.Wait()
		for _, m := range []string{"one", "two", ""} {
			if err := x.Send('k', []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		go io.Copy(io.Discard, y)
		for _, want := range []string{"kone", "ktwo", "k"} {
			if m := <-got; m != want {
				t.Errorf("%q, want %q", m, want)
			}
		}
		if err := x.Send(1, make([]byte, MaxSide+1)); err == nil {
			t.Error("a message beyond the limit is taken")
		}
		if err := x.Send(1, make([]byte, MaxSide)); err != nil {
			t.Error(err)
		}
		if m := <-got; len(m) != 1+MaxSide {
			t.Errorf("%d bytes arrived", len(m))
		}
		lost := x.Lost()
		y.Take()
		<-lost
		if err := x.Send(1, nil); !errors.Is(err, ErrNoConnection) {
			t.Errorf("without a connection: %v", err)
		}
	})
}

func TestAbortSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := pipe(t, Options{})
		io.WriteString(y, "last words")
		y.Abort("the customer has cut the connection\x1b[2J")
		got, err := io.ReadAll(x)
		var reset *ResetError
		if string(got) != "last words" || !errors.As(err, &reset) || reset.Reason != "the customer has cut the connection?[2J" {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := x.Write([]byte("x")); !errors.As(err, &reset) {
			t.Errorf("Write: %v", err)
		}
		if _, err := y.Write([]byte("x")); err == nil {
			t.Error("Write after Abort")
		}
		<-x.Done()
		<-y.Done()
	})
}

// Abort does not wait for a side that takes nothing any more.
func TestAbortWhenTheOtherSideIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe() // nobody reads b
		x := NewStream([]byte("key"), Options{})
		if err := x.Attach(a, 0); err != nil {
			t.Fatal(err)
		}
		wrote := make(chan error)
		go func() {
			_, err := x.Write(make([]byte, 1<<20))
			wrote <- err
		}()
		synctest.Wait()
		start := time.Now()
		x.Abort("")
		<-x.Done()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("it took %v", d)
		}
		<-wrote
		b.Close()
	})
}

func TestCloseUnblocksRead(t *testing.T) {
	a, b := pair(t)
	x, _ := streams(t, a, b, Options{})
	errs := make(chan error)
	go func() {
		_, err := x.Read(make([]byte, 1))
		errs <- err
	}()
	start := time.Now()
	x.Close()
	if err := <-errs; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("closing took %v", d)
	}
}

// Large writes come out as they went in, whoever does the reading.
func TestBulkWithAndWithoutDeadlines(t *testing.T) {
	data := content(1, 20<<20)
	for _, limited := range []bool{false, true} {
		a, b := pair(t)
		x, y := streams(t, a, b, Options{})
		if limited {
			x.SetDeadline(time.Now().Add(time.Minute))
			y.SetDeadline(time.Now().Add(time.Minute))
		}
		go func() {
			x.Write(data)
			x.CloseWrite()
		}()
		got, err := io.ReadAll(y)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
}
