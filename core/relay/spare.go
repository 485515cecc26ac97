package relay

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/relay/store"
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
	earlySpare   = 5 * time.Second // that a spare waits for the control stream
)

func newSpare(conn net.Conn, every time.Duration) *spare {
	if every <= 0 || every > pingSpare {
		every = pingSpare
	}
	return &spare{conn: conn, every: max(every, minPingSpare), handed: make(chan net.Conn, 1)}
}

// serveSpare is GET /v1/carry without a ticket. A system may dial its spare at
// the same time as its control stream; the one that comes first waits here.
func (h *hub) serveSpare(w http.ResponseWriter, r *http.Request, sys store.System) {
	if !h.linked(r.Context(), sys.ID) {
		h.refuse(w, notOpen(sys))
		return
	}
	seconds, _ := strconv.Atoi(r.URL.Query().Get(msg.QueryKeepalive))
	conn, err := h.srv.upgradePassing(w, r)
	if err != nil {
		h.srv.log.Debug("upgrade", "who", sys.ID, "remote", r.RemoteAddr, "error", err)
		return
	}
	s := newSpare(conn, time.Duration(min(max(seconds, 0), 3600))*time.Second)
	h.mu.Lock()
	link := h.links[sys.ID]
	if link == nil || h.draining {
		h.mu.Unlock()
		conn.Close()
		return
	}
	if c := h.waiting(link); c != nil {
		h.mu.Unlock()
		c.deliver(conn)
		return
	}
	link.dropSpare()
	link.spare, s.link = s, link
	h.mu.Unlock()
	go s.keep(h)
}

// waiting is an engineer's connection that waits for a dial-back of this
// stream, or nil; what was asked for is not needed any more then. The hub's mutex
// is held.
func (h *hub) waiting(link *control) *carried {
	for ticket, c := range h.tickets {
		if c.systemID == link.system && c.session == link.id {
			delete(h.tickets, ticket)
			return c
		}
	}
	return nil
}

// linked reports whether a system has a control stream, for which it waits a
// moment; one request of a system at a time.
func (h *hub) linked(ctx context.Context, system string) bool {
	h.mu.Lock()
	_, open := h.links[system]
	_, other := h.awaited[system]
	if open || other || h.draining {
		h.mu.Unlock()
		return open
	}
	came := make(chan struct{})
	h.awaited[system] = came
	h.mu.Unlock()
	timer := time.NewTimer(min(earlySpare, h.srv.patience))
	defer timer.Stop()
	select {
	case <-came:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.awaited[system] == came {
		delete(h.awaited, system)
		return false
	}
	return true // in this moment
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
