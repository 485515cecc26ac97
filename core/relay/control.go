package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/yamux"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// control is the control stream of an open session. There are thousands, so
// it holds little: one goroutine, no buffer.
type control struct {
	hub       *hub
	system    string
	name      string // under which it is enrolled
	from      string
	conn      net.Conn // the upgraded connection
	stream    net.Conn // where the messages go: conn, or a stream of mux
	mux       *yamux.Session
	in        patient
	connected time.Time

	// Of the hub's mutex.
	id      string // session
	since   time.Time
	expires time.Time
	kase    string
	spare   *spare
	over    bool // said goodbye, or was told to go

	send sync.Mutex
}

func newControl(h *hub, sys store.System, from string, conn net.Conn) *control {
	return &control{in: patient{conn: conn, socket: socketOf(conn)}, hub: h, system: sys.ID, name: sys.Name, from: from, conn: conn, stream: conn, connected: h.srv.now().UTC().Truncate(time.Millisecond)}
}

// session is how others see it; the hub's mutex is held.
func (c *control) session(node string) api.Session {
	return api.Session{ID: c.id, Since: c.since, Expires: c.expires, Case: c.kase, Connected: c.connected, Node: node}
}

// tell sends one message. A system that does not take it in time is gone.
func (c *control) tell(m msg.Message) error {
	c.send.Lock()
	defer c.send.Unlock()
	return c.write(m)
}

// write is tell for who has the lock of what is sent.
func (c *control) write(m msg.Message) error {
	c.stream.SetWriteDeadline(time.Now().Add(sendTimeout))
	err := msg.Write(c.stream, m)
	if err != nil {
		c.conn.Close()
	}
	return err
}

// dismiss ends the stream with a reason that is final for the system.
func (c *control) dismiss(why error) {
	go func() {
		c.tell(refusal(why))
		c.conn.Close()
	}()
}

// refusal is what a system or an engineer is told after the upgrade.
func refusal(why error) *msg.Refuse {
	e := asError(why)
	return &msg.Refuse{Code: string(e.Code), Message: shown(e.Message)}
}

// shown makes text of others fit for a message.
func shown(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > 250 || !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// runLink serves a control stream until it ends. There are thousands of them and
// they hardly ever say anything, so what waits for their next word is a goroutine
// that does nothing else and whose stack stays as small as one can be: what is
// said is read and answered by another, which then starts the next that waits.
func (h *hub) runLink(c *control, mux bool) {
	in := h.openLink(c, mux)
	if in == nil {
		c.close()
		return
	}
	c.attend(in, false)
}

// attend answers messages until none is there. here says that one has begun to
// come in.
func (c *control) attend(in *msg.Reader, here bool) {
	for {
		if !here {
			c.in.expect(msg.Patience)
			if !c.in.peek() { // nothing that TLS has read already
				c.in.arm()
				go c.rest(in)
				return
			}
		}
		if here = false; !c.answer(in) {
			c.close()
			return
		}
	}
}

// rest waits at the socket for the next message.
func (c *control) rest(in *msg.Reader) {
	if readable(c.in.socket) == nil {
		go c.attend(in, true)
		return
	}
	go c.silent()
}

// silent ends a stream on which nothing came in time, or which was closed.
func (c *control) silent() {
	_, err := c.in.Read(make([]byte, 1))
	if err == nil {
		err = errors.New("it came too late")
	}
	c.hub.leave(c, "", err)
	c.close()
}

func (c *control) close() {
	c.conn.Close()
	if c.mux != nil {
		c.mux.Close()
	}
	c.hub.streams.Done()
}

// openLink brings a session up, or says why not and returns nil.
//
//go:noinline
func (h *hub) openLink(c *control, mux bool) *msg.Reader {
	carrier := "raw"
	if framed(c.conn) {
		carrier = "framed"
	}
	if mux {
		carrier = "mux"
		if err := c.accept(); err != nil {
			h.srv.log.Debug("mux", "system", c.system, "error", err)
			return nil
		}
	}
	in := msg.NewReader(&c.in)
	if err := c.open(in); err != nil {
		h.srv.metrics.refused.WithLabelValues(string(asError(err).Code)).Inc()
		c.tell(refusal(err))
		return nil
	}
	h.srv.metrics.opened.WithLabelValues(carrier).Inc()
	return in
}

// answer reads a message and does what it wants. It returns false when the
// stream has ended.
//
//go:noinline
func (c *control) answer(in *msg.Reader) bool {
	done, reason, err := c.serve(in)
	if done || err != nil {
		c.hub.leave(c, reason, err)
		return false
	}
	return true
}

// accept makes the one connection carry many streams; the first is the control
// stream.
func (c *control) accept() error {
	s, err := link.Mux(c.conn, false)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.hub.srv.patience)
	defer cancel()
	stream, err := s.AcceptStreamWithContext(ctx)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	c.mux, c.stream = s, stream
	c.in = patient{conn: stream}
	return nil
}

// open reads hello and registers the session.
func (c *control) open(in *msg.Reader) error {
	h := c.hub
	c.in.expect(h.srv.patience)
	first, err := in.Next()
	if err != nil {
		return api.Errorf(400, api.CodeBadRequest, "the control stream began without hello: %v", err)
	}
	m, ok := first.(*msg.Hello)
	if !ok {
		return api.Errorf(400, api.CodeBadRequest, "the control stream began without hello")
	}
	if err := h.checkHello(m); err != nil {
		return err
	}
	if err := h.announced(c, m); err != nil {
		return err
	}
	// From now on an engineer may want the system; he waits behind the welcome.
	c.send.Lock()
	defer c.send.Unlock()
	old, err := h.register(c, m)
	if err != nil {
		return err
	}
	if old != nil {
		go func() {
			old.tell(&msg.Replaced{})
			old.conn.Close()
		}()
	}
	// Whatever changed between the login and now was not seen by the watch.
	if _, err := h.live(context.Background(), c.system); err != nil {
		h.leave(c, "refused", err)
		return err
	}
	return c.write(&msg.Welcome{V: msg.Version, Node: h.node, Spread: h.spread(), Revoked: h.revoked.Load()})
}

func (h *hub) checkHello(m *msg.Hello) error {
	bad := func(format string, args ...any) error {
		return api.Errorf(400, api.CodeBadRequest, "hello: "+format, args...)
	}
	switch {
	case m.V != msg.Version:
		return bad("version %d; this relay speaks version %d", m.V, msg.Version)
	case !m.Expires.IsZero() && h.srv.now().After(m.Expires):
		return bad("the session expired at %s", m.Expires.Format(time.RFC3339))
	}
	return nil
}

// announced records a session in the event log: once, and not more often than
// a system should open one.
func (h *hub) announced(c *control, m *msg.Hello) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	last, err := h.srv.reg.Announced(ctx, c.system)
	if err != nil {
		return unavailable(err)
	}
	if last.Session == m.Session && !last.Ended {
		return nil
	}
	if last.Session != "" { // the first of a system needs no limit
		if wait := h.systemRate.take(c.system); wait > 0 {
			return busy(wait, "system %s opens too many sessions", c.name)
		}
	}
	if last.Session != "" && !last.Ended {
		if err := h.recordEnd(ctx, c.system, last.Session, "another session took over"); err != nil {
			return err
		}
	}
	detail := map[string]string{"session": m.Session, "name": c.name, "from": c.from, "node": h.node, "since": stamp(m.Since), "expires": stamp(m.Expires)}
	if m.Case != "" {
		detail["case"] = clean(m.Case, 100)
	}
	if err := h.srv.record(ctx, audit.SessionAnnounced, "system:"+c.system, m.Session, detail); err != nil {
		return err
	}
	if err := h.srv.reg.PutAnnounced(ctx, c.system, store.Announced{Session: m.Session, Since: h.srv.now().UTC()}); err != nil {
		return unavailable(err)
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func (h *hub) recordEnd(ctx context.Context, system, session, why string) error {
	return h.srv.record(ctx, audit.SessionGone, "system:"+system, session, map[string]string{"reason": why, "node": h.node})
}

// register puts the stream in the place of an older one of the same system.
func (h *hub) register(c *control, m *msg.Hello) (old *control, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old = h.links[c.system]
	switch {
	case h.draining:
		e := api.Errorf(503, api.CodeUnavailable, "the relay is stopping; come back in some seconds")
		e.RetryAfter = 5 * time.Second
		return nil, e
	case old == nil && len(h.links) >= h.limits.Sessions:
		return nil, busy(30*time.Second, "the relay has %d open sessions, which is its limit; try later", len(h.links))
	}
	c.take(m)
	if old != nil {
		old.over = true
		if old.spare != nil && old.id == c.id { // still good: it is of the same session
			c.spare, old.spare = old.spare, nil
			c.spare.link = c
		}
		old.dropSpare()
	}
	h.links[c.system] = c
	if came := h.awaited[c.system]; came != nil {
		close(came)
		delete(h.awaited, c.system)
	}
	delete(h.lost, c.system)
	h.changed(c.system)
	return old, nil
}

// take remembers what was announced; the hub's mutex is held.
func (c *control) take(m *msg.Hello) {
	c.id, c.since, c.expires, c.kase = m.Session, m.Since.UTC(), m.Expires.UTC(), clean(m.Case, 100)
}

// serve answers one message. After a goodbye it is done, with its reason.
func (c *control) serve(in *msg.Reader) (done bool, reason string, err error) {
	m, err := in.Next()
	if err != nil {
		return false, "", err
	}
	switch m := m.(type) {
	case *msg.Ping:
		return false, "", c.tell(&msg.Pong{N: m.N, Spread: c.hub.spread(), Revoked: c.hub.revoked.Load()})
	case *msg.Hello: // again: extended, or with another case
		err := c.renew(m)
		if err != nil {
			c.tell(refusal(err))
		}
		return false, "", err
	case *msg.Bye:
		return true, m.Reason, nil
	}
	return false, "", fmt.Errorf("%T, which a system does not say", m)
}

// renew changes what was announced.
func (c *control) renew(m *msg.Hello) error {
	if err := c.hub.checkHello(m); err != nil {
		return err
	}
	if m.Session != c.id {
		return api.Errorf(400, api.CodeBadRequest, "hello: another session on the same control stream")
	}
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.take(m)
	c.hub.changed(c.system)
	return nil
}

// leave takes a stream out that ended. A session whose link broke may come
// back; one that said goodbye is over, and so are its connections.
func (h *hub) leave(c *control, reason string, err error) {
	h.mu.Lock()
	c.over = true
	mine := h.links[c.system] == c
	if mine {
		delete(h.links, c.system)
		if err != nil && !h.draining {
			h.lost[c.system] = lost{c.id, time.Now()}
		}
		h.changed(c.system)
	}
	c.dropSpare()
	h.mu.Unlock()
	if err != nil {
		h.srv.log.Debug("control stream ended", "system", c.system, "session", c.id, "error", err)
	}
	if !mine || err != nil {
		return
	}
	if reason == "" {
		reason = "closed by the system"
	}
	h.finish(c.system, c.id, reason)
	time.AfterFunc(byeGrace, func() {
		h.cutWhere(errors.New("the session has ended"), func(x *carried) bool { return x.session == c.id && x.systemID == c.system })
	})
}

// finish records the end of a session.
func (h *hub) finish(system, session, reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	err := h.recordEnd(ctx, system, session, reason)
	if err == nil {
		err = h.srv.reg.PutAnnounced(ctx, system, store.Announced{Session: session, Since: h.srv.now().UTC(), Ended: true})
	}
	if err != nil {
		h.srv.log.Error("record the end of a session", "system", system, "session", session, "error", err)
	}
}

// forgetLost ends sessions that did not come back.
func (h *hub) forgetLost(ctx context.Context, after time.Duration) {
	h.mu.Lock()
	gone := map[string]string{}
	for id, l := range h.lost {
		if time.Since(l.at) >= after {
			gone[id] = l.session
			delete(h.lost, id)
		}
	}
	h.mu.Unlock()
	for id, session := range gone {
		// It may have come back at another node.
		if open, err := h.srv.reg.Present(ctx); err == nil && open[id].ID == session {
			continue
		}
		h.finish(id, session, "lost")
	}
}

// spread is over how long systems come back when this node is gone without a
// word: so that no more than the return rate do in a second, and at once where
// they are few.
func (h *hub) spread() msg.Spread {
	h.mu.Lock()
	defer h.mu.Unlock()
	return msg.Spread{Seconds: min(len(h.links)/h.limits.ReturnRate, int(maxSpread/time.Second))}
}

// stop tells all systems to come back later, spread so that they do not come
// at once, and those with engineers first. It waits for connections to end.
func (h *hub) stop() {
	h.mu.Lock()
	h.draining = true
	busy := map[string]bool{}
	for _, c := range h.conns {
		busy[c.systemID] = true
	}
	links := make([]*control, 0, len(h.links))
	for _, c := range h.links {
		links = append(links, c)
	}
	h.mu.Unlock()

	level := slog.LevelInfo
	if len(busy) > 0 {
		level = slog.LevelWarn // it takes a while, and somebody looks on
	}
	h.srv.log.Log(context.Background(), level, "the relay stops: systems are told to come back, connections may end", "sessions", len(links), "systems_with_engineers", len(busy), "at_most", h.drain)

	spread := len(links)/h.limits.ReturnRate + 2
	todo := make(chan *control)
	var wg sync.WaitGroup
	for range min(64, len(links)) {
		wg.Go(func() {
			for c := range todo {
				after := 1 + rand.IntN(spread)
				if busy[c.system] {
					after = 1
				}
				c.tell(&msg.Drain{RetryAfter: after})
				closeWrite(c.conn) // and not Close, which could lose what was just said
			}
		})
	}
	for _, c := range links {
		todo <- c
	}
	close(todo)
	wg.Wait()

	if !within(h.drain, h.splices.Wait) {
		h.cutWhere(errors.New("the relay stops"), func(*carried) bool { return true })
		within(sendTimeout, h.splices.Wait)
	}
	// Systems hang up when they have read it; nothing of a control stream goes
	// on when the store is closed.
	if !within(min(h.drain, hangUpTime), h.streams.Wait) {
		for _, c := range links {
			c.conn.Close()
		}
		within(sendTimeout, h.streams.Wait)
	}
}

// within waits for wait to return, for some time.
func within(d time.Duration, wait func()) bool {
	done := make(chan struct{})
	go func() { wait(); close(done) }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func closeWrite(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
	}
}
