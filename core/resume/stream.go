package resume

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Stream is one end of the stream. It implements net.Conn.
type Stream struct {
	o   Options
	key []byte

	writeMu, readMu sync.Mutex // one writer, one reader at a time

	mu        sync.Mutex
	canRead   sync.Cond // something to read, or the end
	canWrite  sync.Cond // room, or the end
	idle      sync.Cond // nobody writes to the carrier, fin acknowledged, or the end
	kicks     chan struct{}
	done      chan struct{}
	ctx       context.Context // ends with done
	cancel    context.CancelFunc
	err       error // why it is over
	side      func(kind byte, p []byte)
	carrier   *carrier
	last      *carrier // the present or the last one, which may still be closing
	handovers uint64   // attachments begun
	writing   bool     // somebody writes to the carrier
	copying   bool     // Write takes bytes, which go out in one piece
	missed    bool     // and the flusher came meanwhile
	later     bool     // something small waits for caughtUp

	// What we send. Positions count from the beginning of the stream.
	out      queue  // from released on
	released uint64 // before it nothing is needed any more
	next     uint64 // before it everything was written to the carrier
	end      uint64 // of what was written by the application
	consumed uint64 // by the other side, as far as we know
	finished bool   // CloseWrite
	stopped  bool   // the other side reads no more
	finAcked bool
	sides    []sideMessage
	sideSize int

	// What we receive.
	in       queue
	received uint64 // bytes of the stream, not counting the fin
	read     uint64 // by the application
	eof      bool   // fin received
	closed   bool   // by the application: what comes is thrown away
	filling  bool   // somebody reads into in.space
	waiting  int    // calls of Read that wait

	seals   seals
	strange int // connections that ended because of what came over them

	// Who reads, see receive.go.
	readTimer        *time.Timer
	armed            bool
	turns, turnsSeen uint64

	reset       string // reason, to be told to the other side
	resetting   bool
	readLimit   deadline
	writeLimit  deadline
	lostTimer   *time.Timer
	pingTimer   *time.Timer
	interval    time.Duration // Options.Ping, or shorter
	redialing   bool
	redialDelay time.Duration
	keepUntil   time.Time
}

type sideMessage struct {
	kind byte
	p    []byte
}

// NewStream makes a stream that has no connection yet; it waits for one as it
// would after a loss. The key says who may attach one, see [Table.Attach].
func NewStream(key []byte, o Options) *Stream {
	o.complete()
	s := &Stream{
		o: o, key: append([]byte(nil), key...), side: o.Side,
		seals: newSeals(key, o.System), kicks: make(chan struct{}, 1), done: make(chan struct{}), interval: o.Ping,
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.canRead.L, s.canWrite.L, s.idle.L = &s.mu, &s.mu, &s.mu
	s.readLimit.wake, s.writeLimit.wake = &s.canRead, &s.canWrite
	s.mu.Lock() // a timer may end it at once
	defer s.mu.Unlock()
	s.keepUntil = time.Now().Add(o.Keep)
	s.lostTimer = time.AfterFunc(o.Keep, s.expire)
	s.readTimer = time.AfterFunc(time.Hour, s.takeOver)
	s.readTimer.Stop()
	go s.flusher()
	return s
}

// over is the reason why the stream is over, or else.
func (s *Stream) over(or error) error {
	if s.err != nil && s.err != errDone {
		return s.err
	}
	return or
}

// Write writes to the stream. It returns when p is kept for sending; without a
// connection that is as long as there is room.
func (s *Stream) Write(p []byte) (int, error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for {
		room := 0
		for {
			if err := s.writable(); err != nil {
				return n, err
			}
			if len(p) == 0 {
				return 0, nil
			}
			if room = s.room(); room > 0 {
				break
			}
			s.canWrite.Wait()
		}
		to := s.out.space()
		s.copying = true
		s.mu.Unlock()
		m := copy(to[:min(room, len(to))], p[n:])
		s.mu.Lock()
		if s.copying = false; s.missed {
			s.missed = false
			s.kick()
		}
		if err := s.writable(); err != nil {
			return n, err // and space may be gone
		}
		s.out.grow(m)
		s.end += uint64(m)
		n += m
		// All of p goes out together, in as few writes as possible.
		if n < len(p) && m < room {
			continue
		}
		switch {
		case s.writing || s.carrier == nil:
		case len(p) >= behind || s.writeLimit.set(): // with a limit because writing to the carrier could take longer
			s.kick()
		case s.carrier.paced != nil && s.carrier.paced.Much():
			s.later = true // SSH opens its window a little for each packet; caughtUp is called soon
		default:
			s.flush()
		}
		if n == len(p) {
			return n, nil
		}
	}
}

// writable is nil, or why nothing can be written.
func (s *Stream) writable() error {
	switch {
	case s.closed || s.finished:
		return s.over(net.ErrClosed)
	case s.stopped:
		return ErrPeerClosed
	case s.err != nil:
		return s.err
	case s.writeLimit.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// room is how much Write may take now.
func (s *Stream) room() int {
	room := int(s.consumed) + s.o.Window - int(s.end)
	if s.carrier != nil {
		room = min(room, maxUnsent-int(s.end-s.next))
	}
	return max(room, 0)
}

// Side sets the function that gets the other side's side messages.
func (s *Stream) Side(f func(kind byte, p []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.side = f
}

// Send sends a side message of at most [MaxSide] bytes, ahead of data that is
// still to be written. It does not block. What is not on its way when the
// connection is lost is lost, too.
func (s *Stream) Send(kind byte, p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(p) > MaxSide:
		return io.ErrShortBuffer
	case s.err != nil || s.closed:
		return s.over(net.ErrClosed)
	case s.carrier == nil:
		return ErrNoConnection
	case s.sideSize+len(p) > 8*MaxSide || len(s.sides) >= 256:
		return ErrBusy
	}
	s.sides = append(s.sides, sideMessage{kind, append([]byte(nil), p...)})
	s.sideSize += len(p)
	s.kick()
	return nil
}

// Received is the position up to which the stream has arrived. It may move on
// until the connection is taken away, see [Stream.Take].
func (s *Stream) Received() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receivedAll()
}

func (s *Stream) receivedAll() uint64 {
	if s.eof {
		return s.received + 1
	}
	return s.received
}

// Done is closed when the stream is over on this side.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Err says why it is over; nil while it is not and after a regular end.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == errDone {
		return nil
	}
	return s.err
}

// LocalAddr is that of the connection, if there is one.
func (s *Stream) LocalAddr() net.Addr { return s.address(net.Conn.LocalAddr) }

// RemoteAddr is that of the connection, if there is one.
func (s *Stream) RemoteAddr() net.Addr { return s.address(net.Conn.RemoteAddr) }

func (s *Stream) address(of func(net.Conn) net.Addr) net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		if a := of(s.last.raw); a != nil {
			return a
		}
	}
	return address{}
}

// address is that of a stream without a connection.
type address struct{}

func (address) Network() string { return "latchstring" }
func (address) String() string  { return "stream" }
