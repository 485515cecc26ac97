package link

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// What an idle control stream costs the relay, in heap and stack.
func TestIdleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("opens many connections")
	}
	const n = 150
	for _, tt := range []struct {
		framed bool
		limit  int64
	}{{false, 16 << 10}, {true, 40 << 10}} {
		r := newRelay(t)
		d := Dialer{StayFramed: tt.framed, Client: r.client(t, r.address)}
		measure := func() int64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapInuse + m.StackInuse)
		}
		before, goroutines := measure(), runtime.NumGoroutine()
		var near, far []*Conn
		var readers sync.WaitGroup
		for range n {
			a, b := r.link(t, d)
			near, far = append(near, a), append(far, b)
			readers.Go(func() {
				for in := msg.NewReader(b); ; {
					b.SetReadDeadline(time.Now().Add(time.Minute))
					m, err := in.Next()
					if err != nil {
						return
					}
					msg.Write(b, &msg.Pong{N: m.(*msg.Ping).N})
				}
			})
		}
		for _, a := range near {
			if err := msg.Write(a, &msg.Ping{N: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := msg.NewReader(a).Next(); err != nil {
				t.Fatal(err)
			}
		}
		// Both ends of a connection are in this process, each about the same.
		each := (measure() - before) / n
		t.Logf("framed %v: %d bytes for both ends of an idle connection, %d goroutines each", tt.framed, each, (runtime.NumGoroutine()-goroutines)/n)
		if each > 2*tt.limit {
			t.Errorf("framed %v: %d bytes for both ends of an idle connection", tt.framed, each)
		}
		if g := runtime.NumGoroutine() - goroutines; g > n+20 {
			t.Errorf("%d goroutines for %d connections", g, n)
		}
		for i := range near {
			near[i].Close()
		}
		readers.Wait()
		for i := range far {
			far[i].Close()
		}
	}
}
