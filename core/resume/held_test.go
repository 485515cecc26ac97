package resume

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// between is a relay that sees every frame and passes on what it likes; back leads
// to where the frame came from.
func between(pass func(fromX bool, h head, f []byte, on, back io.Writer)) (a, b, toX, toY net.Conn) {
	a, ra := net.Pipe()
	rb, b := net.Pipe()
	way := func(fromX bool, from, to net.Conn) {
		frames(from, func(h head, f []byte) error {
			pass(fromX, h, f, to, from)
			return nil
		})
		to.Close()
	}
	go way(true, ra, rb)
	go way(false, rb, ra)
	return a, b, ra, rb
}

// REQ A9: a relay cannot say in the other side's name that nobody reads any more,
// after which all that is written would vanish without a word.
func TestForgedStopIsNoticed(t *testing.T) {
	for what, forged := range map[string][]byte{
		"without a seal": appendHead(nil, typeStop, 0, 0),
		"with a false":   append(appendHead(nil, typeStop, sealOverhead, 1), make([]byte, sealOverhead)...),
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done := false
				a, b, _, _ := between(func(fromX bool, h head, f []byte, on, back io.Writer) {
					if fromX && h.kind == typeData && !done {
						done = true
						go back.Write(forged)
					}
					on.Write(f)
				})
				x, y := streams(t, a, b, Options{})
				go io.Copy(io.Discard, y)
				x.Write([]byte("begin"))
				start := time.Now()
				<-x.Lost()
				if d := time.Since(start); d > 30*time.Second {
					t.Errorf("noticed after %v", d)
				}
				if _, err := x.Write([]byte("on")); errors.Is(err, ErrPeerClosed) {
					t.Error("the relay has ended the writing")
				}
			})
		})
	}
}

// REQ A9: a relay that stalls and makes it look as if all were well is found out,
// however it does so.
func TestStallingIsNoticed(t *testing.T) {
	for what, c := range map[string]struct {
		hold  func(h head) bool // what x says and the relay keeps
		forge func(n uint64) []byte
		limit time.Duration
	}{
		"keeps the data and lets pings through": {
			hold: func(h head) bool { return h.kind == typeData }, limit: time.Minute},
		"keeps everything and makes signs of life": {
			hold: func(head) bool { return true }, forge: func(n uint64) []byte { return appendHead(nil, typePing, 0, n) }, limit: 7 * time.Minute},
		"keeps everything and makes acknowledgements": {
			hold: func(head) bool { return true }, forge: func(uint64) []byte { return appendHead(nil, typeAck, 0, 0) }, limit: 7 * time.Minute},
		"keeps everything and makes pongs": {
			hold: func(head) bool { return true }, forge: func(n uint64) []byte {
				return append(appendHead(nil, typePong, pongSize+sealOverhead, n), make([]byte, pongSize+sealOverhead)...)
			}, limit: time.Minute},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b, toX, toY := between(func(fromX bool, h head, f []byte, on, back io.Writer) {
					if !fromX || !c.hold(h) {
						on.Write(f)
					}
				})
				x, y := streams(t, a, b, Options{})
				go io.Copy(io.Discard, y)
				lost := x.Lost()
				if c.forge != nil {
					go func() {
						for n := uint64(1); ; n++ {
							select {
							case <-lost:
								return
							case <-time.After(time.Second):
							}
							toX.Write(c.forge(n))
							go toY.Write(c.forge(n)) // who would notice too
						}
					}()
				}
				go x.Write([]byte("a command that never arrives"))
				start := time.Now()
				<-lost
				if d := time.Since(start); d > c.limit {
					t.Errorf("noticed after %v", d)
				}
				t.Logf("noticed after %v", time.Since(start))
			})
		})
	}
}
