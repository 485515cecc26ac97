package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/splice"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// carried is an engineer's connection, from his request to its end.
type carried struct {
	hub     *hub
	id      string
	session string
	opened  time.Time // the session
	from    string    // host of the engineer
	since   time.Time
	ticket  string
	back    chan net.Conn // the system's connection

	systemID, name string // of the system
	who, key       string // the engineer, and the key that he logged in with

	ctx context.Context
	cut context.CancelCauseFunc

	// Of the hub's mutex: the records as they are by now.
	engineer store.Engineer
	system   store.System
	joined   bool

	// Where two nodes are on the way.
	onward net.Conn // to the node on which the system hangs
	via    string   // the node from which the engineer comes, or ""
}

// serveCarry is GET /v1/carry: a system's dial-back, or its spare.
func (h *hub) serveCarry(w http.ResponseWriter, r *http.Request) {
	sys, err := h.mayLink(r)
	if err != nil && asError(err).Code == api.CodeUnavailable && r.URL.Query().Has(msg.QueryTicket) && sys.ID != "" {
		err = nil // a connection that was promised before the relay began to stop
	}
	if err != nil {
		h.refuse(w, err)
		return
	}
	q := r.URL.Query()
	if !q.Has(msg.QueryTicket) {
		h.serveSpare(w, r, sys)
		return
	}
	c, err := h.redeem(q.Get(msg.QueryTicket), sys.ID)
	if err != nil {
		h.refuse(w, err)
		return
	}
	conn, err := h.srv.upgradePassing(w, r)
	if err != nil {
		h.srv.log.Debug("upgrade", "who", sys.ID, "remote", r.RemoteAddr, "error", err)
		conn = nil
	}
	c.deliver(conn)
}

// redeem takes a ticket, which is good once and for one system.
func (h *hub) redeem(ticket, system string) (*carried, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.tickets[ticket]
	if !ok || c.systemID != system {
		return nil, api.Errorf(http.StatusNotFound, api.CodeTicket, "there is no such ticket for this system: it was used, or the engineer is gone")
	}
	delete(h.tickets, ticket)
	return c, nil
}

// deliver hands a connection, or nil, to whoever waits for it.
func (c *carried) deliver(conn net.Conn) {
	select {
	case c.back <- conn:
		if c.ctx.Err() == nil {
			return
		}
		select { // nobody may be there to take it out again
		case conn = <-c.back:
		default:
			return
		}
	default:
	}
	if conn != nil {
		conn.Close()
	}
}

func notOpen(sys store.System) error {
	return api.Errorf(http.StatusConflict, api.CodeNotOpen, "system %s has no open session; the customer opens one with: remote-support on", sys.Name)
}

// serveConnect is GET /v1/connect: an engineer wants to a system.
func (h *hub) serveConnect(w http.ResponseWriter, r *http.Request) {
	c, err := h.begin(r)
	if err != nil {
		h.refuse(w, err)
		return
	}
	upgrade := h.srv.upgradePassing
	if c.onward != nil { // another node has the system's half
		upgrade = h.srv.upgrade
	}
	conn, err := upgrade(w, r)
	if err != nil {
		h.srv.log.Debug("upgrade", "who", c.who, "remote", r.RemoteAddr, "error", err)
		c.end()
		return
	}
	go c.run(conn)
}

// mayConnect checks who asks for what, before anything is set in motion.
func (h *hub) mayConnect(r *http.Request) (e store.Engineer, sys store.System, err error) {
	if e, err = h.srv.engineer(r, store.RoleAccess); err != nil {
		return e, sys, err
	}
	if err = h.going(); err != nil {
		return e, sys, err
	}
	if sys, err = h.find(r.Context(), r.URL.Query().Get(msg.QuerySystem)); err != nil {
		return e, sys, err
	}
	if err = mayReach(e, sys); err != nil {
		return e, sys, err
	}
	if wait := h.engineerRate.take(e.Name); wait > 0 {
		return e, sys, busy(wait, "engineer %s connects more than %d times a minute", e.Name, h.limits.EngineerRate)
	}
	return e, sys, nil
}

func mayReach(e store.Engineer, sys store.System) error {
	switch {
	case !e.Reaches(sys):
		return notReached(e, sys)
	case sys.Sealed != nil:
		return sealedError(sys)
	}
	return nil
}

// find looks a system up by its id or name.
func (h *hub) find(ctx context.Context, q string) (store.System, error) {
	unknown := api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no system %.63q here", q)
	if q == "" {
		return store.System{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "which system? the query has no %s", msg.QuerySystem)
	}
	// An open session tells its name without a look at all systems.
	h.mu.Lock()
	id := q
	for _, c := range h.links {
		if c.name == q {
			id = c.system
			break
		}
	}
	h.mu.Unlock()
	sys, err := h.srv.reg.System(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		sys, err = h.srv.reg.Active(ctx, q)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && sys.Retired {
		return store.System{}, unknown
	}
	if err != nil {
		return store.System{}, unavailable(err)
	}
	return sys, nil
}

// begin registers a connection and asks the system for its half, so that it
// comes while the engineer's is still being upgraded.
func (h *hub) begin(r *http.Request) (*carried, error) {
	e, sys, err := h.mayConnect(r)
	if err != nil {
		return nil, err
	}
	c := h.newCarried(e, sys, hostOf(r.RemoteAddr))
	err = h.reach(c)
	if asError(err).Code == api.CodeNotOpen && h.srv.cluster != nil {
		err = h.srv.cluster.forward(r.Context(), c, err)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (h *hub) newCarried(e store.Engineer, sys store.System, from string) *carried {
	c := &carried{hub: h, id: api.NewConnectionID(), from: from, since: h.srv.now().UTC().Truncate(time.Millisecond),
		ticket: api.NewTicket(), back: make(chan net.Conn, 1), engineer: e, system: sys,
		systemID: sys.ID, name: sys.Name, who: e.Name, key: e.Key}
	c.ctx, c.cut = context.WithCancelCause(context.Background())
	return c
}

// reach takes a place and asks a system that hangs on this node.
func (h *hub) reach(c *carried) error {
	link, err := h.admit(c)
	if err != nil {
		return err
	}
	if err := link.ask(c); err != nil {
		c.end()
		return api.Errorf(http.StatusServiceUnavailable, api.CodeNoAnswer, "system %s does not answer: %v", c.name, err)
	}
	return nil
}

// admit checks the limits and takes a place.
func (h *hub) admit(c *carried) (*control, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	link := h.links[c.systemID]
	if link == nil || link.over {
		return nil, notOpen(c.system)
	}
	system, engineer := 0, h.srv.cluster.engineer(c.who)
	for _, x := range h.conns {
		if x.systemID == c.systemID {
			system++
		}
		if x.who == c.who && x.onward == nil { // else the other node counts it
			engineer++
		}
	}
	switch l := h.limits; {
	case h.draining:
		return nil, api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the relay is stopping; come back in some seconds")
	case len(h.conns) >= l.Connections:
		return nil, busy(10*time.Second, "the relay has %d engineers' connections, which is its limit; try later", len(h.conns))
	case system >= l.PerSystem:
		return nil, busy(10*time.Second, "system %s has %d engineers' connections, which is the limit for one; end one first", c.name, system)
	case engineer >= l.PerEngineer:
		return nil, busy(10*time.Second, "engineer %s has %d connections, which is the limit for one; end one first", c.who, engineer)
	}
	for h.conns[c.id] != nil {
		c.id = api.NewConnectionID()
	}
	c.session, c.opened = link.id, link.since
	h.conns[c.id] = c
	h.splices.Add(1)
	return link, nil
}

// ask gets the system's half: the spare, a stream of the one connection, or by
// a ticket.
func (link *control) ask(c *carried) error {
	h := link.hub
	if link.mux != nil {
		stream, err := link.mux.OpenStream()
		if err != nil {
			return err
		}
		c.deliver(&muxStream{Stream: stream})
		return nil
	}
	h.mu.Lock()
	s := link.spare
	var handed chan net.Conn
	if s != nil {
		if handed = s.take(); handed != nil {
			link.spare = nil
		}
	}
	h.mu.Unlock()
	if handed != nil {
		if conn := <-handed; conn != nil {
			c.deliver(conn)
			return nil
		}
	}
	h.mu.Lock()
	h.tickets[c.ticket] = c
	h.mu.Unlock()
	return link.tell(&msg.Dial{Ticket: c.ticket, Connection: c.id})
}

// end gives the place back and closes a half that came too late.
func (c *carried) end() {
	h := c.hub
	c.cut(nil)
	h.mu.Lock()
	delete(h.tickets, c.ticket)
	delete(h.conns, c.id)
	if c.joined {
		h.changed(c.systemID)
	}
	h.mu.Unlock()
	select {
	case conn := <-c.back:
		if conn != nil {
			conn.Close()
		}
	default:
	}
	if c.onward != nil {
		c.onward.Close()
	}
	h.splices.Done()
}

// run waits for the system and joins the two.
func (c *carried) run(engineer net.Conn) {
	defer engineer.Close()
	if c.onward != nil {
		c.pass(engineer)
		return
	}
	system, err := c.await()
	if err == nil {
		defer system.Close()
		err = c.admitted()
	}
	if err == nil {
		c.join(system, engineer)
		c.end()
		return
	}
	c.end() // before he is told: his place is free then
	c.hub.srv.metrics.refused.WithLabelValues(string(asError(err).Code)).Inc()
	engineer.SetWriteDeadline(time.Now().Add(sendTimeout))
	msg.Write(engineer, refusal(err))
}

func (c *carried) await() (net.Conn, error) {
	started := time.Now()
	timer := time.NewTimer(c.hub.limits.Claim())
	defer timer.Stop()
	none := api.Errorf(http.StatusGatewayTimeout, api.CodeNoAnswer, "system %s did not dial back; its network may have changed a moment ago", c.name)
	select {
	case conn := <-c.back:
		if conn == nil {
			return nil, none
		}
		c.hub.srv.metrics.dialBack.Observe(time.Since(started).Seconds())
		return conn, nil
	case <-timer.C:
		return nil, none
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	}
}

// admitted looks once more whether all of this is still allowed, and records it.
func (c *carried) admitted() error {
	ctx, cancel := context.WithTimeout(c.ctx, requestTimeout)
	defer cancel()
	if err := c.allowed(ctx); err != nil {
		return err
	}
	detail := map[string]string{"connection": c.id, "session": c.session, "name": c.name, "from": c.from, "node": c.hub.node}
	if c.via != "" {
		detail["via"] = c.via
	}
	if err := c.hub.srv.reg.PutCarried(ctx, c.systemID, c.id, c.who); err != nil {
		return unavailable(err)
	}
	return c.hub.srv.record(ctx, audit.ConnectSpliced, "engineer:"+c.who, c.systemID, detail)
}

// greet tells both ends who the other one is.
func (c *carried) greet(system, engineer net.Conn) error {
	deadline := time.Now().Add(sendTimeout)
	system.SetWriteDeadline(deadline)
	if err := msg.Write(system, &msg.Start{Connection: c.id, Node: c.hub.node, Engineer: shown(c.who), From: shown(c.from)}); err != nil {
		return fmt.Errorf("system %s hung up: %w", c.name, err)
	}
	engineer.SetWriteDeadline(deadline)
	return msg.Write(engineer, &msg.Start{Connection: c.id, Node: c.hub.node, System: c.systemID, Session: c.session, Since: c.opened})
}

// allowed reads the records again: the watch tells of changes since the
// connection was registered, this of those between the login and then.
func (c *carried) allowed(ctx context.Context) error {
	sys, err := c.hub.live(ctx, c.systemID)
	if err != nil {
		return err
	}
	e, err := c.hub.srv.reg.Engineer(ctx, c.who)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return unavailable(err)
	case err != nil || !e.May(store.RoleAccess) || e.Key != c.key:
		return removed("engineer", c.who)
	case !e.Reaches(sys):
		return notReached(e, sys)
	}
	return nil
}

func (c *carried) join(system, engineer net.Conn) {
	h := c.hub
	h.mu.Lock()
	c.joined = true
	h.changed(c.systemID)
	h.mu.Unlock()
	h.srv.metrics.spliced.Inc()
	var r splice.Result
	if r.Err = c.greet(system, engineer); r.Err == nil {
		r = splice.Join(c.ctx, system, engineer, splice.Options{Idle: h.limits.Idle(), Stall: stallLimit,
			Moved: func(n int) { h.srv.metrics.carried.Add(float64(n)) }, Descended: h.srv.metrics.descended.Inc})
	}
	reason := "closed"
	if r.Err != nil {
		reason = shown(r.Err.Error())
	}
	detail := map[string]string{"connection": c.id, "session": c.session, "name": c.name, "from_system": fmt.Sprint(r.FromA), "from_engineer": fmt.Sprint(r.FromB),
		"seconds": fmt.Sprint(int64(h.srv.now().Sub(c.since).Seconds())), "reason": reason}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if err := h.srv.record(ctx, audit.ConnectClosed, "engineer:"+c.who, c.systemID, detail); err != nil {
		h.srv.log.Error("record the end of a connection", "connection", c.id, "error", err)
	}
}

// cutWhere ends connections.
func (h *hub) cutWhere(why error, which func(*carried) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		if which(c) {
			c.cut(why)
		}
	}
}
