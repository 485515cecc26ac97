package relay

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// spare is a dial-back connection that a system made in advance. While it
// waits the relay pings it, in lockstep: it is not used while a pong is due.
type spare struct {
	conn  net.Conn
	every time.Duration
	link  *control // of the hub's mutex

	mu      sync.Mutex
	resting bool
	taken   bool
	handed  chan net.Conn // the connection, or nil if it died meanwhile
}

// pingSpare is how often a spare is pinged, less some jitter, unless the system
// asks for more.
const (
	pingSpare    = msg.Interval
	minPingSpare = time.Second
)

func newSpare(conn net.Conn, every time.Duration) *spare {
	if every <= 0 || every > pingSpare {
		every = pingSpare
	}
	return &spare{conn: conn, every: max(every, minPingSpare), handed: make(chan net.Conn, 1)}
}

// keep waits and pings until the spare is taken or breaks.
func (s *spare) keep(h *hub) {
	in := msg.NewReader(s.conn)
	for n := uint64(1); ; n++ {
		if !s.rest() {
			break
		}
		if err := msg.Write(s.conn, &msg.Ping{N: n}); err != nil {
			break
		}
		s.conn.SetReadDeadline(time.Now().Add(msg.Answer))
		m, err := in.Next()
		if pong, ok := m.(*msg.Pong); err != nil || !ok || pong.N != n {
			break
		}
	}
	s.mu.Lock()
	gone := !s.taken // else it was handed over
	s.taken = true
	s.mu.Unlock()
	if !gone {
		return
	}
	s.conn.Close()
	h.mu.Lock()
	if s.link != nil && s.link.spare == s {
		s.link.spare = nil
	}
	h.mu.Unlock()
}

// rest waits for the time of the next ping. It returns false when the spare is
// not to be kept: it was taken, which hands it over, or it broke.
func (s *spare) rest() bool {
	s.mu.Lock()
	if s.taken {
		s.mu.Unlock()
		return false
	}
	s.conn.SetDeadline(time.Now().Add(s.every - time.Duration(rand.Int64N(int64(s.every/4)))))
	s.resting = true
	s.mu.Unlock()

	var one [1]byte
	n, err := s.conn.Read(one[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resting = false
	whole := n == 0 && isTimeout(err) // a spare that talks by itself is of no use
	if s.taken {
		if whole {
			s.conn.SetDeadline(time.Time{})
			s.handed <- s.conn
		} else {
			s.conn.Close()
			s.handed <- nil
		}
		return false
	}
	if whole {
		s.conn.SetDeadline(time.Now().Add(msg.Answer))
	}
	return whole
}

// take asks for the connection; the answer is on the channel at once. It is nil
// where a pong is due: nobody should wait for that.
func (s *spare) take() chan net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken || !s.resting {
		return nil
	}
	s.taken = true
	s.conn.SetReadDeadline(time.Unix(1, 0)) // wakes rest
	return s.handed
}

// dropSpare closes the spare of a stream; the hub's mutex is held.
func (c *control) dropSpare() {
	if c.spare != nil {
		c.spare.conn.Close()
		c.spare = nil
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
