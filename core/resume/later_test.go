package resume

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// hoard is a connection that takes in much at a time, as package through does.
type hoard struct {
	net.Conn
	have   []byte
	waits  func()
	much   atomic.Bool
	writes atomic.Int32
}

func (h *hoard) Waits(f func()) { h.waits = f }
func (h *hoard) Much() bool     { return h.much.Load() }

func (h *hoard) Read(p []byte) (int, error) {
	if len(h.have) == 0 {
		h.much.Store(false)
		h.waits()
		buf := make([]byte, 64<<10)
		n, err := h.Conn.Read(buf)
		if err != nil {
			return 0, err
		}
		h.have = buf[:n]
		h.much.Store(n > 1000)
	}
	n := copy(p, h.have)
	h.have = h.have[n:]
	return n, nil
}

func (h *hoard) Write(p []byte) (int, error) {
	h.writes.Add(1)
	return h.Conn.Write(p)
}

// What is small and written while much is being read goes out together when that
// is done, soon also if nobody goes on reading, and at once otherwise.
func TestSmallWritesWaitForTheReader(t *testing.T) {
	for what, goOn := range map[string]func(x *Stream){
		"reads on":       func(x *Stream) { go io.Copy(io.Discard, x) },
		"reads no more":  func(*Stream) { time.Sleep(3 * readPause) },
		"writes much":    func(x *Stream) { x.Write(make([]byte, behind)) },
		"ends its side":  func(x *Stream) { x.CloseWrite() },
		"says something": func(x *Stream) { x.Send(1, nil) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				h := &hoard{Conn: a}
				x, y := streams(t, h, b, Options{})
				x.Write([]byte("at once"))
				if synctest.Wait(); y.Received() != 7 {
					t.Fatalf("%d bytes arrived at once", y.Received())
				}
				time.AfterFunc(time.Millisecond, func() { y.Write(make([]byte, 32<<10)) }) // x reads by then
				if _, err := io.ReadFull(x, make([]byte, 100)); err != nil {
					t.Fatal(err)
				}
				before := h.writes.Load()
				for range 10 {
					x.Write([]byte("small"))
				}
				if synctest.Wait(); y.Received() != 7 || h.writes.Load() != before {
					t.Fatalf("%d bytes in %d writes went out while there was much to read", y.Received()-7, h.writes.Load()-before)
				}
				goOn(x)
				if synctest.Wait(); y.Received() < 57 {
					t.Errorf("%d bytes arrived", y.Received())
				}
				if n := h.writes.Load() - before; what == "reads on" && n != 1 {
					t.Errorf("in %d writes", n)
				}
			})
		})
	}
}
