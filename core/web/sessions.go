package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// cookie has the prefix by which browsers keep it to this host and to TLS.
const cookie = "__Host-latchstring"

// Bounds of browser sessions.
const (
	idle        = 30 * time.Minute // without a request that a person made
	longest     = 8 * time.Hour
	unknownLife = 40 * time.Minute // without a login: longer than a challenge is good
	maxSessions = 400
	maxUnknown  = 12 // of one address, without a login
)

// session is a browser that has begun to log in, or is in.
type session struct {
	browser string // the name by which the agent knows it; never sent
	from    string // address
	begun   time.Time

	mu     sync.Mutex
	used   time.Time
	caller control.Caller // as it came last
	ticket *control.Ticket
	talk   *talk
	flash  []message
	draft  map[string]string
	steps  []control.Step // of the last test
	tested time.Time
	streak int // live pages

	filled   map[string]map[string]string // what was typed about certificates, by the tab
	replaced string                       // the certificate that replaced the one of the connection

	recordingKey []byte // that opens recordings, given by the user for this login; wiped at its end

	key    [32]byte
	closed chan struct{} // the session is over
}

type sessions struct {
	now    func() time.Time
	forget func(*session) // tells the agent

	mu  sync.Mutex
	all map[[32]byte]*session // by the hash of the cookie
}

func newSessions(now func() time.Time, forget func(*session)) *sessions {
	return &sessions{now: now, forget: forget, all: map[[32]byte]*session{}}
}

// of finds the session of a request, if it has one that is good.
func (ss *sessions) of(r *http.Request) *session {
	c, err := r.Cookie(cookie)
	if err != nil || len(c.Value) > 100 {
		return nil
	}
	key := sha256.Sum256([]byte(c.Value))
	ss.mu.Lock()
	s := ss.all[key]
	ss.mu.Unlock()
	if s == nil {
		return nil
	}
	if s.over(ss.now()) {
		ss.end(s)
		return nil
	}
	return s
}

// over reports whether the time of a session is up.
func (s *session) over(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ticket == nil {
		return now.Sub(s.used) > unknownLife
	}
	return now.Sub(s.used) > idle || now.Sub(s.begun) > longest || !s.ticket.Expires.IsZero() && now.After(s.ticket.Expires)
}

// begin makes a session for a browser that has none. It is nil when there are
// too many.
func (ss *sessions) begin(w http.ResponseWriter, from string) *session {
	now := ss.now()
	ss.mu.Lock()
	mine := 0
	var oldest *session
	for _, s := range ss.all {
		s.mu.Lock()
		if s.ticket == nil && s.from == from {
			mine++
			if oldest == nil || s.used.Before(oldest.used) {
				oldest = s
			}
		}
		s.mu.Unlock()
	}
	if mine < maxUnknown {
		oldest = nil
	}
	full := len(ss.all) >= maxSessions && oldest == nil
	ss.mu.Unlock()
	if full {
		return nil
	}
	if oldest != nil {
		ss.end(oldest)
	}
	s := &session{browser: rand.Text(), from: from, begun: now, used: now, closed: make(chan struct{})}
	ss.renew(w, s)
	return s
}

// renew gives a session another cookie; the old one is worth nothing.
func (ss *sessions) renew(w http.ResponseWriter, s *session) {
	value := rand.Text() + rand.Text()
	key := sha256.Sum256([]byte(value))
	ss.mu.Lock()
	if !s.isClosed() {
		delete(ss.all, s.key)
		s.key = key
		ss.all[key] = s
	}
	ss.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (s *session) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// end ends a session here and at the agent.
func (ss *sessions) end(s *session) {
	ss.mu.Lock()
	if s.isClosed() {
		ss.mu.Unlock()
		return
	}
	delete(ss.all, s.key)
	close(s.closed)
	ss.mu.Unlock()
	ss.forget(s)
}

func (ss *sessions) list() []*session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	out := make([]*session, 0, len(ss.all))
	for _, s := range ss.all {
		out = append(out, s)
	}
	return out
}

// sweepEvery ends sessions whose time is up, until ctx ends.
func (ss *sessions) sweepEvery(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			ss.sweep()
		}
	}
}

func (ss *sessions) sweep() {
	now := ss.now()
	for _, s := range ss.list() {
		if s.over(now) {
			ss.end(s)
		}
	}
}

func (ss *sessions) endAll() {
	for _, s := range ss.list() {
		ss.end(s)
	}
}

// forget ends what a session has at the agent: its login, and one under way.
func (s *Server) forget(b *session) {
	b.mu.Lock()
	t, by, in := b.talk, b.caller, b.ticket != nil
	b.talk = nil
	clear(b.recordingKey)
	b.recordingKey = nil
	b.mu.Unlock()
	if t != nil {
		t.stop()
	}
	if !in && t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := s.api.Logout(ctx, by); err != nil {
		s.opts.Log.Warn("end the login of a browser", "err", err)
	}
}

// note keeps a message for the next page.
func (b *session) note(m message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.flash) < 20 {
		b.flash = append(b.flash, m)
	}
}

// messageLife is how long a message stays: a page that is live is drawn anew at
// any moment, and must not lose it.
const messageLife = 15 * time.Second

// messages returns those that are to be shown now, with remote support in a
// state. What went well in another one is no news any more.
func (b *session) messages(now time.Time, state string) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flash = slices.DeleteFunc(b.flash, func(m message) bool {
		return !m.at.IsZero() && (now.Sub(m.at) > messageLife || m.Kind == "ok" && m.state != state)
	})
	for i := range b.flash {
		if b.flash[i].at.IsZero() {
			b.flash[i].at, b.flash[i].state = now, state
		}
	}
	return slices.Clone(b.flash)
}

// message is something to tell the user.
type message struct {
	at    time.Time // when it was shown first
	state string    // and in which state
	Kind  string    // "error", "ok", "note"
	Text  string
	Hint  string
	More  []string
}
