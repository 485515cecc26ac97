package tunnel_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/tunnel"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// BenchmarkOpen is the time from opening a session to being reachable, with a
// login in the same request and with an earlier one, on loopback and 25 ms away
// in each direction.
//
//	go test -run xxx -bench Open -benchtime 20x ./core/tunnel
func BenchmarkOpen(b *testing.B) {
	p := relaytest.NewPair(b, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Remote.SystemRate = 1 << 20 }
	})
	key, err := p.Vendor.ReceiptPublicKey()
	if err != nil {
		b.Fatal(err)
	}
	far := delayed(b, p.Address, 25*time.Millisecond)
	for _, place := range []struct{ name, address string }{{"loopback", p.Address}, {"50ms", far}} {
		for _, warm := range []bool{false, true} {
			name := place.name + "/login"
			if warm {
				name = place.name + "/known"
			}
			b.Run(name, func(b *testing.B) {
				dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, network, place.address)
				}
				var c *client.Client
				for b.Loop() {
					b.StopTimer()
					if c == nil || !warm {
						if c, err = client.ForSystem(p.System, p.Vendor, dial); err != nil {
							b.Fatal(err)
						}
						if warm {
							if _, err := c.Login(b.Context()); err != nil {
								b.Fatal(err)
							}
							c.Close()
						}
					}
					ctx, cancel := context.WithCancel(b.Context())
					up := make(chan tunnel.State, 10)
					done := make(chan error, 1)
					b.StartTimer()
					go func() {
						done <- tunnel.Run(ctx, tunnel.Options{Relay: c, RelayKey: key, Session: msg.Hello{V: msg.Version, Session: api.NewSessionID(), Since: time.Now()},
							Serve: func(context.Context, net.Conn, tunnel.Start) {}, State: func(s tunnel.State) { up <- s }})
					}()
					s := <-up
					b.StopTimer()
					if s.Kind != tunnel.Up {
						b.Fatalf("%+v", s)
					}
					cancel()
					if err := <-done; err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			})
		}
	}
}

// delayed passes connections on to address, each byte late by d.
func delayed(t testing.TB, address string, d time.Duration) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				time.Sleep(2 * d) // TCP's own round trip
				out, err := net.Dial("tcp", address)
				if err != nil {
					in.Close()
					return
				}
				go late(out, in, d)
				late(in, out, d)
			}()
		}
	}()
	return ln.Addr().String()
}

// late copies from one connection to another, and its end.
func late(to, from net.Conn, d time.Duration) {
	type piece struct {
		b  []byte
		at time.Time
	}
	pieces := make(chan piece, 1<<12)
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				pieces <- piece{b[:n], time.Now().Add(d)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		if _, err := to.Write(p.b); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	io.Copy(io.Discard, from)
}
