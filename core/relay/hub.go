package relay

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	sendTimeout = 5 * time.Second  // for a message to get into the connection
	lostGrace   = 90 * time.Second // for a session whose link broke to come back before it is called lost
	byeGrace    = 10 * time.Second // for connections to end by themselves when their session has ended
	hangUpTime  = 2 * time.Second  // for systems to hang up when they were told that the relay stops
	stallLimit  = time.Minute      // that one write of a splice may take
	maxSpread   = 5 * time.Minute  // over which systems come back when a node is gone
)

// hub knows the open sessions of this node and who is connected to them.
type hub struct {
	srv    *Server
	limits setup.Remote
	node   string
	drain  time.Duration

	revoked atomic.Uint64 // number of the list of revoked certificates

	systemRate, engineerRate *buckets

	mu       sync.Mutex
	links    map[string]*control      // by system
	tickets  map[string]*carried      // waiting for a dial-back
	conns    map[string]*carried      // by connection
	lost     map[string]lost          // sessions whose link broke, by system
	awaited  map[string]chan struct{} // control streams that a spare waits for, by system
	draining bool
	dirty    [shards]bool // presence that changed
	held     [shards]bool // presence rows that exist
	splices  sync.WaitGroup
	streams  sync.WaitGroup // control streams, from their upgrade on
}

// lost is a session whose link broke.
type lost struct {
	session string
	at      time.Time
}

func newHub(s *Server, o Options, node string) *hub {
	l := o.Relay.Config.Remote.WithDefaults()
	h := &hub{srv: s, limits: l, node: node, drain: o.Drain, links: map[string]*control{}, tickets: map[string]*carried{}, conns: map[string]*carried{}, lost: map[string]lost{}, awaited: map[string]chan struct{}{},
		systemRate:   newBuckets(float64(l.SystemRate)/3600, float64(l.SystemRate), o.Now),
		engineerRate: newBuckets(float64(l.EngineerRate)/60, float64(l.EngineerRate), o.Now),
	}
	if h.drain == 0 {
		h.drain = l.Drain()
	}
	return h
}

func (h *hub) countLinks() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.links)
}

func (h *hub) countCarried() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

func (h *hub) countSpares() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, c := range h.links {
		if c.spare != nil {
			n++
		}
	}
	return n
}

// refuse counts a refusal by its code, of which there are few.
func (h *hub) refuse(w http.ResponseWriter, err error) {
	h.srv.metrics.refused.WithLabelValues(string(asError(err).Code)).Inc()
	writeError(w, err)
}

// busy is a limit that was reached.
func busy(wait time.Duration, format string, args ...any) error {
	e := api.Errorf(http.StatusTooManyRequests, api.CodeBusy, format, args...)
	e.RetryAfter = wait
	return e
}

// going is the answer while the relay stops.
func (h *hub) going() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		e := api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the relay is stopping; come back in some seconds")
		e.RetryAfter = 5 * time.Second
		return e
	}
	return nil
}

// mayLink is the system of a request, if its remote access is not disabled for
// good.
func (h *hub) mayLink(r *http.Request) (store.System, error) {
	sys, err := h.srv.system(r)
	if err == nil && sys.Sealed != nil {
		err = sealedError(sys)
	}
	if err == nil {
		err = h.going()
	}
	return sys, err
}

func sealedError(sys store.System) error {
	return api.Errorf(http.StatusForbidden, api.CodeSealed, "remote access to system %s was disabled for good at %s, by a statement that it signed", sys.Name, sys.Sealed.At.Format(time.RFC3339))
}

// serveLink is GET /v1/link: a system opens, or comes back to, its session.
func (h *hub) serveLink(w http.ResponseWriter, r *http.Request) {
	sys, err := h.mayLink(r)
	if err == nil {
		h.mu.Lock()
		if _, back := h.links[sys.ID]; !back && len(h.links) >= h.limits.Sessions {
			err = busy(30*time.Second, "the relay has %d open sessions, which is its limit; try later", len(h.links))
		}
		h.mu.Unlock()
	}
	if err != nil {
		h.refuse(w, err)
		return
	}
	if !h.enter() {
		h.refuse(w, h.going())
		return
	}
	mux, from := r.URL.Query().Get("mux") == "1", hostOf(r.RemoteAddr)
	conn, err := h.srv.upgrade(w, r)
	if err != nil {
		h.streams.Done()
		h.srv.log.Debug("upgrade", "who", sys.ID, "remote", from, "error", err)
		return
	}
	// A goroutine of its own: the one of net/http has grown large by now, and
	// this one stays for hours.
	go h.runLink(newControl(h, sys, from, conn), mux)
}

// enter counts a control stream in, unless the relay stops.
func (h *hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.draining {
		h.streams.Add(1)
	}
	return !h.draining
}

func hostOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

// live reads a system again and says whether it may (still) have a session.
func (h *hub) live(ctx context.Context, id string) (store.System, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	sys, err := h.srv.reg.System(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && sys.Retired {
		return sys, removed("system", id)
	}
	if err != nil {
		return sys, unavailable(err)
	}
	if sys.Sealed != nil {
		return sys, sealedError(sys)
	}
	return sys, nil
}

func removed(kind, who string) error {
	return api.Errorf(http.StatusForbidden, api.CodeUnknownKey, "%s %s was removed from this relay", kind, who)
}

// sessions are the open ones of this node, with who is connected.
func (h *hub) sessions() map[string]api.Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make(map[string]api.Session, len(h.links))
	for id, c := range h.links {
		out[id] = c.session(h.node)
	}
	for _, c := range h.conns {
		if s, ok := out[c.systemID]; ok && c.joined {
			s.Engineers = append(s.Engineers, api.Connected{Connection: c.id, Engineer: c.who, Since: c.since, From: c.from})
			out[c.systemID] = s
		}
	}
	return out
}

// allSessions adds what other nodes say.
func (h *hub) allSessions(ctx context.Context) (map[string]api.Session, error) {
	out, err := h.srv.reg.Present(ctx)
	if err == nil {
		err = h.srv.cluster.ready(ctx)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	for id, s := range out {
		if s.Node == h.node || !h.srv.cluster.up(s.Node) { // we know better
			delete(out, id)
		}
	}
	for id, s := range h.sessions() {
		out[id] = s
	}
	return out, nil
}

// withSessions adds to systems what is open.
func (h *hub) withSessions(ctx context.Context, list []store.System) error {
	open, err := h.allSessions(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		if s, ok := open[list[i].ID]; ok {
			list[i].Session = &s
		}
	}
	return nil
}
