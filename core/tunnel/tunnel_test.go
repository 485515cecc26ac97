package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const con1, con2 = "con-00000001", "con-00000002"

// REQ B13: real data at least every 20 seconds, for as long as it takes.
func TestKeepalive(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := f.link()
		if s := f.state(Up); s.Node != "n1" || s.Muxed {
			t.Errorf("state %+v", s)
		}
		pings := c.pings()
		for range 500 {
			if d := <-pings; d > msg.Interval || d < msg.Interval*3/5 {
				t.Fatalf("a ping after %s", d)
			}
		}
		f.cancel(errors.New("the session expired"))
	})
}

func TestBye(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := f.link()
		f.state(Up)
		f.cancel(errors.New("the session\nexpired"))
		m, err := c.Next()
		if b, ok := m.(*msg.Bye); !ok || b.Reason != "the sessionexpired" {
			t.Errorf("at the end: %+v, %v", m, err)
		}
	})
}

func TestRenew(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := f.link()
		f.state(Up)
		longer := hello
		longer.Expires = time.Unix(2e9, 0).UTC()
		f.renew <- longer
		if m, err := c.Next(); err != nil || *m.(*msg.Hello) != longer {
			t.Errorf("%+v, %v", m, err)
		}
		c.Close()
		c = f.next(f.links)
		if m, err := c.Next(); err != nil || *m.(*msg.Hello) != longer {
			t.Errorf("after reconnecting: %+v, %v", m, err)
		}
	})
}

// A relay that does not answer any more is noticed within 30 seconds.
func TestHalfOpen(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		for range 20 {
			c := f.link()
			f.state(Up)
			began := time.Now()
			go io.Copy(io.Discard, c)
			s := f.state(Down)
			if d := time.Since(began); d > 30*time.Second || !strings.Contains(s.Err.Error(), "dead") {
				t.Fatalf("noticed after %s: %v", d, s.Err)
			}
		}
	})
}

// Proxies that cut after some silence, with and without telling, must not keep
// the session down: pings get as frequent as it takes, and stay that way.
func TestProxyCutsIdle(t *testing.T) {
	for _, limit := range []time.Duration{30 * time.Second, 10 * time.Second, 5 * time.Second} {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s silent=%v", limit, silent), func(t *testing.T) {
				run(t, func(t *testing.T, f *fake) {
					cuts := 0
					var last time.Time
					end := time.Now().Add(2 * time.Hour)
					for time.Now().Before(end) {
						c := f.link()
						got := make(chan msg.Message)
						go func() {
							for {
								m, err := c.Next()
								if err != nil {
									close(got)
									return
								}
								got <- m
							}
						}()
						for open := true; open; {
							select {
							case m, ok := <-got:
								if p, is := m.(*msg.Ping); is {
									c.say(&msg.Pong{N: p.N})
								}
								open = ok
							case <-time.After(limit):
								cuts, last = cuts+1, time.Now()
								if silent { // the system has to find out
									for range got {
									}
								}
								open = false
							case <-time.After(time.Until(end)):
								open = false
							}
						}
						c.Close()
					}
					if cuts > 12 || end.Sub(last) < time.Minute && cuts > 1 {
						t.Errorf("%d cuts in 2 hours, the last %s before the end", cuts, end.Sub(last))
					}
				})
			})
		}
	}
}

// A relay that was away is no proxy that cuts.
func TestRestartIsNoIdleCut(t *testing.T) {
	i := newIdle()
	i.cut(8 * time.Second)
	i.connected(false)
	i.connected(true)
	if i.interval != msg.Interval {
		t.Errorf("interval %s", i.interval)
	}
	i.cut(100 * time.Millisecond) // in the middle of traffic
	i.connected(true)
	if i.interval != msg.Interval {
		t.Errorf("interval %s", i.interval)
	}
}

// nextTicket is the next dial-back that is no spare.
func (f *fake) nextTicket() *far {
	f.t.Helper()
	for {
		c := f.next(f.carry)
		if c.q.Has(msg.QueryTicket) {
			return c
		}
		go io.Copy(io.Discard, c)
	}
}

// nextSpare is the next connection without a ticket.
func (f *fake) nextSpare() *far {
	f.t.Helper()
	c := f.next(f.carry)
	if c.q.Has(msg.QueryTicket) {
		f.t.Fatal("a dial-back with a ticket where the spare is expected")
	}
	return c
}

// wantServed is a connection that Serve got, whose first bytes are the ones
// behind start.
func (f *fake) wantServed(id, first string) *served {
	f.t.Helper()
	select {
	case s := <-f.served:
		if s.start.Connection != id || s.start.Engineer != "ann" {
			f.t.Errorf("served %+v", s.start)
		}
		got := make([]byte, len(first))
		if _, err := io.ReadFull(s, got); err != nil || string(got) != first {
			f.t.Errorf("the handshake begins with %q, %v", got, err)
		}
		return s
	case <-time.After(time.Minute):
		f.t.Fatal("nothing was served")
		return nil
	}
}

func TestBytesBehindStart(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := f.link()
		c.say(&msg.Dial{Ticket: "ticket-1234", Connection: con1})
		carry := f.nextTicket()
		line, err := msg.Append(nil, &msg.Start{Connection: con1, Engineer: "ann", From: "192.0.2.1", Node: "n1"})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			// Split over several writes, the last with bytes of the handshake.
			all := append(line, "handshake"...)
			for _, part := range [][]byte{all[:1], all[1:20], all[20 : len(line)-1], all[len(line)-1:]} {
				carry.Write(part)
				time.Sleep(time.Second)
			}
		}()
		s := f.wantServed(con1, "handshake")
		f.cancel(nil)
		<-s.ctx.Done() // the end of Run ends it
		carry.Close()
	})
}

// The spare: kept for five minutes, pinged in lockstep, used by start, and
// another one made behind it.
func TestSpare(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.link().pings()
		spare := f.nextSpare()
		if spare.q.Get(msg.QueryKeepalive) != "16" {
			t.Errorf("query %v", spare.q)
		}
		for n := range uint64(5) {
			time.Sleep(20 * time.Second)
			spare.say(&msg.Ping{N: n})
			if m, err := spare.Next(); err != nil || m.(*msg.Pong).N != n {
				t.Fatalf("%+v, %v", m, err)
			}
		}
		spare.say(&msg.Start{Connection: con1, Engineer: "ann"})
		go spare.Write([]byte("first"))
		f.wantServed(con1, "first")
		second := f.nextSpare()

		// Nobody comes: it is given up after five minutes, and not made again.
		began := time.Now()
		for n := uint64(0); ; n++ {
			time.Sleep(20 * time.Second)
			if second.say(&msg.Ping{N: n}) != nil {
				break
			}
			if _, err := second.Next(); err != nil {
				break
			}
		}
		if d := time.Since(began); d > spareTime+time.Minute || d < spareTime-2*time.Minute {
			t.Errorf("the spare was given up after %s", d)
		}
		select {
		case <-f.carry:
			t.Error("a spare connection although nobody comes")
		case <-time.After(30 * time.Minute):
		}
	})
}

// Where the proxy allows one connection only, all goes over that one.
func TestOneConnectionOnly(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.mu.Lock()
		f.refuse = func(path string, q url.Values) error {
			if path == msg.PathCarry {
				return errProxy
			}
			return nil
		}
		f.mu.Unlock()
		began := time.Now()
		f.link().pings()
		if s := f.state(Muxed); !errors.Is(s.Err, errProxy) {
			t.Errorf("state %+v", s)
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("found out after %s", d)
		}
		c := f.next(f.links)
		m := f.mux(c)
		if s := f.state(Up); !s.Muxed {
			t.Errorf("state %+v", s)
		}
		stream, err := m.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		msg.Write(stream, &msg.Start{Connection: con1, Engineer: "ann"})
		stream.Write([]byte("first"))
		s := f.wantServed(con1, "first")
		go s.Write([]byte("answer"))
		got := make([]byte, 6)
		if _, err := io.ReadFull(stream, got); err != nil || string(got) != "answer" {
			t.Errorf("%q, %v", got, err)
		}
		// Close ends a read that is under way, as with any connection.
		ended := make(chan error, 1)
		go func() {
			_, err := s.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		s.Close()
		select {
		case <-ended:
		case <-time.After(time.Second):
			t.Error("a read goes on after Close")
		}
		m.Close()
	})
}

// Dial-backs fail because the whole network does: no reason to change the way.
func TestNetworkDownIsNoProxyLimit(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.mu.Lock()
		f.refuse = func(path string, q url.Values) error {
			if path == msg.PathCarry {
				return errProxy
			}
			return nil
		}
		f.mu.Unlock()
		c := f.link()
		go io.Copy(io.Discard, c) // no pong
		if s := f.state(Down); !strings.Contains(s.Err.Error(), "dead") {
			t.Errorf("state %+v", s)
		}
		f.cancel(nil)
	})
	// And a relay that refuses tickets is reached all the same.
	if !reached(fmt.Errorf("relay: %w", api.Errorf(404, api.CodeNotFound, "no such ticket"))) || reached(errProxy) {
		t.Error("reached is wrong")
	}
}

// REQ B13: full jitter, doubling, anew after a minute of health.
func TestReconnect(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.mu.Lock()
		down := true
		f.refuse = func(string, url.Values) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if down {
				return errors.New("connection refused")
			}
			return nil
		}
		f.mu.Unlock()
		time.Sleep(24 * time.Hour)
		f.mu.Lock()
		down = false
		for i := 1; i < len(f.times); i++ {
			limit := min(firstDelay<<min(i-1, 10), maxDelay)
			if d := f.times[i].Sub(f.times[i-1]); d > limit {
				t.Errorf("attempt %d after %s, more than %s", i, d, limit)
			}
		}
		if n := len(f.times); n < 24*60/5 || n > 24*60 {
			t.Errorf("%d attempts in a day", n)
		}
		f.mu.Unlock()
		c := f.link()
		pings := c.pings()
		for range 5 {
			<-pings
		}
		c.Close()
		began := time.Now()
		f.link()
		if d := time.Since(began); d > firstDelay {
			t.Errorf("after good health it came back after %s", d)
		}
	})
}

// What the relay says counts as it said it last, with the welcome or a pong.
func TestSpread(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := f.next(f.links)
		c.Next()
		c.say(&msg.Welcome{V: 1, Spread: msg.Spread{Seconds: 100}})
		f.state(Up)
		c.Close()
		if s := f.state(Down); s.Retry > 100*time.Second {
			t.Errorf("retry %s", s.Retry)
		}
		slow := 0
		for range 20 {
			c = f.link() // which names none
			f.state(Up)
			m, err := c.Next()
			p, ok := m.(*msg.Ping)
			if err != nil || !ok {
				t.Fatalf("%T, %v", m, err)
			}
			c.say(&msg.Pong{N: p.N, Spread: msg.Spread{Seconds: 290}})
			synctest.Wait()
			c.Close()
			if s := f.state(Down); s.Retry > 30*time.Second {
				slow++
			}
		}
		if slow < 10 {
			t.Errorf("%d of 20 took their time", slow)
		}
	})
}

// A link that an engineer has used of late comes back soon; the many that
// nobody has used take their time.
func TestReturnOfMany(t *testing.T) {
	var b backoff
	const spread = 33 * time.Second
	var used, unused, alone, mad time.Duration
	for range 1000 {
		b.failures = 0
		used = max(used, b.after(healthy, true, spread))
		unused = max(unused, b.after(healthy, false, spread))
		alone = max(alone, b.after(healthy, false, 0))
		mad = max(mad, b.after(healthy, false, 100*time.Hour))
	}
	if used > firstDelay || unused <= spread/2 || unused > spread || alone > firstDelay || mad > maxDelay {
		t.Errorf("used: up to %s, unused: up to %s, alone: up to %s, a mad relay's: up to %s", used, unused, alone, mad)
	}
	run(t, func(t *testing.T, f *fake) {
		c := f.link()
		pings := c.pings()
		for range 5 {
			<-pings
		}
		c.Close()
		began := time.Now()
		f.link()
		if d := time.Since(began); d > firstDelay {
			t.Errorf("minutes after the opening it came back after %s", d)
		}
	})
}

func TestRelaySaysWhen(t *testing.T) {
	t.Run("retry-after", func(t *testing.T) {
		run(t, func(t *testing.T, f *fake) {
			f.mu.Lock()
			n := 0
			f.refuse = func(string, url.Values) error {
				if n++; n == 1 {
					return fmt.Errorf("relay: %w", &api.Error{Status: 429, Code: api.CodeBusy, RetryAfter: 100 * time.Second})
				}
				return nil
			}
			f.mu.Unlock()
			began := time.Now()
			f.link()
			if d := time.Since(began); d < 100*time.Second || d > 150*time.Second {
				t.Errorf("came back after %s", d)
			}
		})
	})
	t.Run("drain", func(t *testing.T) {
		run(t, func(t *testing.T, f *fake) {
			f.link().say(&msg.Drain{RetryAfter: 40})
			began := time.Now()
			f.link()
			if d := time.Since(began); d < 40*time.Second || d > 42*time.Second {
				t.Errorf("came back after %s", d)
			}
		})
	})
}

func TestFinal(t *testing.T) {
	tests := []struct {
		name string
		act  func(*far)
		kind Kind
		want string
	}{
		{"replaced", func(c *far) { c.say(&msg.Replaced{}) }, Replaced, "another process"},
		{"retired", func(c *far) { c.say(&msg.Refuse{Code: "unknown-key", Message: "system x was removed"}) }, Refused, "system x was removed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run(t, func(t *testing.T, f *fake) {
				tt.act(f.link())
				if s := f.state(tt.kind); !strings.Contains(s.Err.Error(), tt.want) {
					t.Errorf("state %+v", s)
				}
				if err := <-f.done; err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Run = %v", err)
				}
				f.ended = true
			})
		})
	}
	if final(api.Errorf(0, api.CodeBusy, "full")) || final(errProxy) || !final(api.Errorf(403, api.CodeForbidden, "no")) {
		t.Error("final is wrong")
	}
}

// Everything that a relay could say and should not: the stream ends, the next
// one is made, and nothing is served.
func TestHostileRelay(t *testing.T) {
	long := make([]byte, 1<<20)
	tests := map[string]func(*far){
		"garbage":         func(c *far) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"a huge line":     func(c *far) { c.Write(append([]byte(`{"type":"bye","reason":"`), long...)) },
		"two welcomes":    func(c *far) { c.say(&msg.Welcome{V: 1}) },
		"a pong too many": func(c *far) { c.say(&msg.Pong{N: 1}) },
		"a ping":          func(c *far) { c.say(&msg.Ping{N: 1}) },
		"hello":           func(c *far) { c.say(&hello) },
		"start":           func(c *far) { c.say(&msg.Start{Connection: con1}) },
		"endless dials": func(c *far) {
			for i := range 10_000 {
				if c.say(&msg.Dial{Ticket: "ticket-1234", Connection: fmt.Sprintf("con-%08d", i)}) != nil {
					return
				}
			}
		},
		"nothing readable": func(c *far) { c.Write([]byte("\n\n\n\n")) },
		"a terminal's escape": func(c *far) {
			c.Write([]byte(`{"type":"refuse","code":"forbidden","message":"\u001b[2J"}` + "\n"))
		},
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, f *fake) {
				c := f.link()
				f.state(Up)
				go func() { act(c); io.Copy(io.Discard, c) }()
				f.state(Down)
				if n := len(f.served); n > 0 {
					t.Errorf("%d connections were served", n)
				}
				if n := f.dialled(); n > 60 {
					t.Errorf("%d connections were made", n)
				}
				f.link()
			})
		})
	}
}

func TestHostileBeginnings(t *testing.T) {
	tests := map[string]func(*far){
		"no welcome":          func(c *far) { io.Copy(io.Discard, c) },
		"dial first":          func(c *far) { c.say(&msg.Dial{Ticket: "ticket-1234", Connection: con1}); io.Copy(io.Discard, c) },
		"a version to come":   func(c *far) { c.say(&msg.Welcome{V: 9}); io.Copy(io.Discard, c) },
		"closed at once":      func(c *far) { c.Close() },
		"welcome, then close": func(c *far) { c.say(&msg.Welcome{V: 1}); c.Close() },
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, f *fake) {
				for range 6 {
					c := f.next(f.links)
					c.Next()
					go act(c)
					f.state(Down)
				}
				// It does not get faster by that.
				f.mu.Lock()
				defer f.mu.Unlock()
				if d := f.times[5].Sub(f.times[0]); d < time.Second {
					t.Errorf("6 attempts within %s", d)
				}
			})
		})
	}
}

func TestHostileCarries(t *testing.T) {
	tests := map[string]func(*far){
		"no start":           func(c *far) { io.Copy(io.Discard, c) },
		"another connection": func(c *far) { c.say(&msg.Start{Connection: con2}); io.Copy(io.Discard, c) },
		"no id":              func(c *far) { c.Write([]byte(`{"type":"start","connection":"../x"}` + "\n")) },
		"garbage":            func(c *far) { c.Write(make([]byte, 100)) },
		"ping":               func(c *far) { c.say(&msg.Ping{}); io.Copy(io.Discard, c) },
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, f *fake) {
				c := f.link()
				c.pings()
				c.say(&msg.Dial{Ticket: "ticket-1234", Connection: con1})
				carry := f.nextTicket()
				began := time.Now()
				act(carry)
				if _, err := io.Copy(io.Discard, carry); err != nil && time.Since(began) > 2*carryTimeout {
					t.Errorf("closed after %s", time.Since(began))
				}
				time.Sleep(time.Minute)
				if n := len(f.served); n > 0 {
					t.Errorf("%d connections were served", n)
				}
			})
		})
	}
}

// One id is served once at a time, whatever the relay says.
func TestStartTwice(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := f.link()
		c.pings()
		for i := range 2 {
			spare := f.nextSpare()
			spare.say(&msg.Start{Connection: con1, Engineer: "ann"})
			if i == 1 {
				if _, err := spare.Next(); err == nil {
					t.Error("the second one lives")
				}
			}
		}
		synctest.Wait()
		if n := len(f.served); n != 1 {
			t.Errorf("%d connections were served", n)
		}
	})
}

func TestEndlessPingsOnSpare(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.link().pings()
		for range 5 {
			spare := f.nextSpare()
			n := uint64(0)
			for ; n < 1000; n++ {
				if spare.say(&msg.Ping{N: n}) != nil {
					break
				}
				if _, err := spare.Next(); err != nil {
					break
				}
			}
			if n > 2*spareBurst {
				t.Errorf("%d pings were answered at once", n)
			}
		}
		if n := f.dialled(); n > 10 {
			t.Errorf("%d connections were made", n)
		}
	})
}

func (f *fake) dialled() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

func TestOptions(t *testing.T) {
	if err := Run(context.Background(), Options{}); err == nil {
		t.Error("Run without anything succeeded")
	}
}
