package splice

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	bulk   = 128<<10 - 14           // buffer of a direction that streams: with the head of a WebSocket frame eight TLS records
	first  = 512                    // buffer of one that waits
	linger = 100 * time.Millisecond // a stream that pauses this long gives its buffer back
	arm    = 5 * time.Second        // how often the deadline of a write is set anew
	calm   = 4                      // as little as fits into the buffer of one that waits, so often in a row: no stream any more
	rearm  = time.Second            // by how much a deadline of reads may be too early
)

var buffers = sync.Pool{New: func() any { return new([bulk]byte) }}

// Options bound a splice.
type Options struct {
	Idle  time.Duration // without a byte in either direction; 0: no limit
	Stall time.Duration // that one write may take; 0: no limit

	// Moved, unless nil, is told of each piece that went through.
	Moved func(bytes int)
	// Descended, unless nil, is told when a direction leaves TLS; see [Passing].
	Descended func()
}

// Result says how it ended.
type Result struct {
	FromA, FromB int64 // bytes that were delivered to the other side
	Err          error // nil: both sides ended orderly
}

// Why a splice can end besides the errors of its connections.
var (
	ErrIdle    = errors.New("nothing was sent for too long")
	ErrStalled = errors.New("one side does not read")
	errEnd     = errors.New("ended, and the other side can only be told by closing")
)

// Join copies both ways. It returns when both directions have ended, one of
// them broke or ctx is done; both connections are closed then.
func Join(ctx context.Context, a, b net.Conn, o Options) Result {
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	x, y := &half{from: a, to: b, o: o, last: &last}, &half{from: b, to: a, o: o, last: &last}
	var once sync.Once
	var err error
	end := func(e error) {
		once.Do(func() {
			if e != errEnd {
				err = e
			}
		})
		a.Close()
		b.Close()
	}
	stop := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
	var wg sync.WaitGroup
	wg.Go(func() {
		if e := x.run(); e != nil {
			end(e)
		}
	})
	if e := y.run(); e != nil {
		end(e)
	}
	wg.Wait()
	stop()
	end(nil)
	return Result{FromA: x.moved, FromB: y.moved, Err: err}
}

// half is one direction.
type half struct {
	from, to net.Conn
	o        Options
	last     *atomic.Int64 // when a byte moved, either way
	moved    int64
	armed    time.Time // deadline of writes
	until    time.Time // that of reads, unless somebody else has set another
	below    bool      // from and to are what is below TLS
}

// run copies until the end of from, which it passes on.
func (h *half) run() error {
	var small [first]byte
	for {
		if err := h.wait(); err != nil {
			return err
		}
		n, err := h.from.Read(small[:])
		if werr := h.write(small[:n]); werr != nil {
			return werr
		}
		if err == nil && n == first {
			err = h.stream()
			h.until = time.Time{}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			if err := h.finish(); err != nil {
				return err
			}
			if more, err := h.descend(); !more || err != nil {
				return err
			}
		case !timeout(err):
			return err
		case h.idle():
			return ErrIdle
		default:
			h.until = time.Time{}
		}
	}
}

func (h *half) idle() bool {
	return h.o.Idle > 0 && time.Since(time.Unix(0, h.last.Load())) >= h.o.Idle
}

// wait sets how long the next read may take. One that ends too early is made
// again.
func (h *half) wait() error {
	until := never
	if h.o.Idle > 0 {
		until = time.Unix(0, h.last.Load()).Add(h.o.Idle)
		if !h.until.IsZero() && until.Sub(h.until) < min(rearm, h.o.Idle/4) {
			return nil
		}
	} else if h.until == never {
		return nil
	}
	h.until = until
	if until == never {
		until = time.Time{}
	}
	return h.from.SetReadDeadline(until)
}

// never is a deadline that does not come.
var never = time.Unix(1<<40, 0)

// stream copies with a large buffer while many bytes keep coming. A pause is a
// time-out, which the caller sees.
func (h *half) stream() error {
	if h.below {
		if done, err := h.inKernel(); done {
			return err
		}
	}
	buf := buffers.Get().(*[bulk]byte)
	defer buffers.Put(buf)
	var armed time.Time
	for {
		if now := time.Now(); now.Sub(armed) > linger/2 {
			if err := h.from.SetReadDeadline(now.Add(linger)); err != nil {
				return err
			}
			armed = now
		}
		n, err := h.from.Read(buf[:])
		if werr := h.write(buf[:n]); werr != nil {
			return werr
		}
		if err != nil {
			return err
		}
	}
}

func (h *half) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if err := h.arm(); err != nil {
		return err
	}
	n, err := h.to.Write(p)
	return h.wrote(n, err)
}

// arm sets how long the next write may take.
func (h *half) arm() error {
	now := time.Now()
	h.last.Store(now.UnixNano())
	if h.o.Stall > 0 && now.Sub(h.armed) > min(arm, h.o.Stall/2) {
		if err := h.to.SetWriteDeadline(now.Add(h.o.Stall)); err != nil {
			return err
		}
		h.armed = now
	}
	return nil
}

// wrote counts what a write did.
func (h *half) wrote(n int, err error) error {
	h.moved += int64(n)
	if h.o.Moved != nil {
		h.o.Moved(n)
	}
	if timeout(err) {
		return ErrStalled
	}
	return err
}

// finish passes the end on. A connection that has no half-close (WebSocket
// frames have none) is closed.
func (h *half) finish() error {
	c, ok := h.to.(interface{ CloseWrite() error })
	if !ok {
		return errEnd
	}
	if c.CloseWrite() != nil { // not here, or the other side has gone altogether
		return errEnd
	}
	return nil
}

func timeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
