package resume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// A peer that is gone without a word is noticed within 30 seconds, on both
// sides, whether they write or not.
func TestDeadPeerIsNoticed(t *testing.T) {
	for _, writing := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newWire(rand.New(rand.NewPCG(1, 1)))
			x, y := streams(t, a, b, Options{})
			time.Sleep(time.Hour) // pings keep it alive
			start := time.Now()
			a.w.mu.Lock()
			for i := range a.w.ways {
				a.w.ways[i].silent = true
			}
			a.w.mu.Unlock()
			if writing {
				go x.Write(make([]byte, 20<<20))
			}
			<-x.Lost()
			<-y.Lost()
			if d := time.Since(start); d > 30*time.Second {
				t.Errorf("noticed after %v", d)
			}
			// And without another connection that is the end, a minute later.
			_, err := y.Read(make([]byte, 1))
			if !errors.Is(err, ErrLost) {
				t.Errorf("%v", err)
			}
			if d := time.Since(start); d < 60*time.Second || d > 95*time.Second {
				t.Errorf("ended after %v", d)
			}
			x.Abort("")
			<-x.Done()
		})
	}
}

// An idle stream sends something both ways at least every 20 seconds.
func TestKeepaliveIsRealData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := pipe(t, Options{})
		for range 100 {
			time.Sleep(30 * time.Second)
			for _, s := range []*Stream{x, y} {
				s.mu.Lock()
				if d := time.Since(s.carrier.heard); d > 20*time.Second {
					t.Errorf("nothing came for %v", d)
				}
				s.mu.Unlock()
			}
		}
	})
}

// Where idle connections are cut after 15 seconds, an adaptive stream keeps
// them busy after a few cuts.
func TestAdaptsToProxies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t, 3, Options{Adaptive: true})
		cuts := 0
		for range 3600 {
			time.Sleep(time.Second)
			r.mu.Lock()
			w := r.wire
			r.mu.Unlock()
			r.near.mu.Lock()
			c := r.near.carrier
			idle := c != nil && time.Since(c.heard) >= 15*time.Second
			r.near.mu.Unlock()
			if idle {
				cuts++
				w.Close()
				w.other.Close()
			}
		}
		if cuts == 0 || cuts > 4 {
			t.Errorf("cut %d times in an hour", cuts)
		}
		r.near.Abort("")
		r.far.Abort("")
		time.Sleep(time.Minute)
	})
}

// The second attachment replaces the first, although that one looks healthy
// from here: a relay or a proxy may hold it half open.
func TestSecondAttachmentReplacesTheFirst(t *testing.T) {
	a, b := pair(t)
	x, y := streams(t, a, b, Options{})
	io.WriteString(x, "one ")
	buf := make([]byte, 4)
	if _, err := io.ReadFull(y, buf); err != nil {
		t.Fatal(err)
	}
	first := y.Lost()
	rejoin(t, x, y) // y had not noticed anything
	<-first
	io.WriteString(x, "two ")
	if _, err := io.ReadFull(y, buf); err != nil || string(buf) != "two " {
		t.Fatalf("%q, %v", buf, err)
	}
	// Of two handovers that overlap the later one counts.
	h1, err := y.Take()
	if err != nil {
		t.Fatal(err)
	}
	h2, err := y.Take()
	if err != nil {
		t.Fatal(err)
	}
	c, d := pair(t)
	if err := h1.Attach(c, 8); !errors.Is(err, ErrReplaced) {
		t.Errorf("the earlier handover: %v", err)
	}
	if err := h2.Attach(d, 0); err != nil {
		t.Error(err)
	}
}

// A customer's session over twelve hours in which the network fails every few
// minutes: what is typed comes back, in order, and memory stays as it was.
func TestTwelveHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t, 12, Options{})
		go func() { // the shell: it answers every line
			buf := make([]byte, 4<<10)
			for {
				n, err := r.far.Read(buf)
				if err != nil {
					return
				}
				if _, err := r.far.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
		go func() {
			for {
				select {
				case <-r.near.Done():
					return
				case <-time.After(time.Duration(r.intn(6*60)) * time.Second):
					r.cut()
				}
			}
		}()
		end := time.Now().Add(12 * time.Hour)
		var before, after runtime.MemStats
		lines := 0
		for ; time.Now().Before(end); lines++ {
			if lines == 500 {
				runtime.GC()
				runtime.ReadMemStats(&before)
			}
			line := fmt.Sprintf("line %d of the session\n", lines)
			if lines%500 == 0 {
				line += string(content(uint64(lines), 300<<10)) // cat of a log
			}
			wrote := make(chan error, 1)
			go func() {
				_, err := io.WriteString(r.near, line)
				wrote <- err
			}()
			got := make([]byte, len(line))
			if _, err := io.ReadFull(r.near, got); err != nil || string(got) != line {
				t.Fatalf("line %d: %.40q, %v", lines, got, err)
			}
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			r.small()
			time.Sleep(time.Duration(r.intn(20)) * time.Second)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
			t.Errorf("the heap has grown by %d bytes", grown)
		}
		if r.dials < 100 || lines < 2000 {
			t.Errorf("%d connections, %d lines", r.dials, lines)
		}
		r.near.Abort("")
		r.far.Abort("")
		time.Sleep(time.Minute)
	})
}

func TestRedialEndsWithAFinalError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		x := NewStream([]byte("key"), Options{Redial: func(context.Context, uint64) (net.Conn, uint64, error) {
			if tries++; tries < 5 {
				return nil, 0, errors.New("no route to host")
			}
			return nil, 0, fmt.Errorf("asked the system: %w", ErrNoStream)
		}})
		a, _ := net.Pipe()
		if err := x.Attach(a, 0); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		a.Close()
		_, err := x.Read(make([]byte, 1))
		if !errors.Is(err, ErrNoStream) || tries != 5 {
			t.Errorf("%v after %d tries", err, tries)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("five tries took %v", d)
		}
	})
}

// While there is no connection, tries become rare, and end with Keep.
func TestRedialBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		x := NewStream([]byte("key"), Options{Redial: func(context.Context, uint64) (net.Conn, uint64, error) {
			tries++
			return nil, 0, errors.New("no route to host")
		}})
		a, _ := net.Pipe()
		if err := x.Attach(a, 0); err != nil {
			t.Fatal(err)
		}
		a.Close()
		if _, err := x.Read(make([]byte, 1)); !errors.Is(err, ErrLost) {
			t.Error(err)
		}
		if tries < 10 || tries > 40 {
			t.Errorf("%d tries in a minute", tries)
		}
		time.Sleep(time.Minute)
		if n := tries; n != tries {
			t.Error("it goes on after the end")
		}
	})
}
