package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// handler is a page for who has logged in.
type handler func(w http.ResponseWriter, r *http.Request, b *session, by control.Caller)

// user lets those in who have logged in, with a login that the agent still knows.
func (s *Server) user(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b := s.sessions.of(r)
		if b == nil || !b.loggedIn() {
			s.toLogin(w, r)
			return
		}
		by := s.caller(r, b)
		ticket, err := s.api.WhoAmI(r.Context(), by)
		if err != nil {
			s.sessions.end(b)
			s.toLogin(w, r)
			return
		}
		b.mu.Lock()
		b.ticket = &ticket
		// Pages that come by themselves are not a person who is there.
		if r.URL.Path != "/state" && r.URL.Path != "/events" {
			b.used = s.opts.Now()
		}
		b.mu.Unlock()
		h(w, r, b, by)
	}
}

func (s *Server) toLogin(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") != "" || r.URL.Path == "/events" {
		w.Header().Set("HX-Redirect", "/login")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	redirect(w, r, "/login")
}

// homeView is the page of who is in.
type homeView struct {
	Product  string
	Status   control.Status
	Session  control.Session
	Secret   *control.Secret
	Refused  *message // why the state is not shown
	SSO      bool     // an RSS Address is ignored
	Lengths  []choice
	More     []choice
	Waiting  []connectionView
	In       []connectionView
	Left     int
	Headline string
	Window   string            // the title of the window, which is seen from elsewhere
	Steps    []control.Step    // of the last test
	Draft    map[string]string // of the form that was refused, without its secrets
}

type connectionView struct {
	control.Connection
	Left  int // seconds to approve
	Mine  bool
	Label string
}

type choice struct{ Value, Text string }

var lengths = []choice{{"1h", "after 1 hour"}, {"2h", "after 2 hours"}, {"4h", "after 4 hours"}, {"8h", "after 8 hours"}, {"24h", "after 24 hours"}, {"", "as long as policy allows"}}
var more = []choice{{"30m", "30 minutes"}, {"1h", "1 hour"}, {"2h", "2 hours"}, {"4h", "4 hours"}}

func (s *Server) home(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	s.render(w, r, http.StatusOK, "home", s.homePage(r, b, by))
}

// state is the part of the home page that is live.
func (s *Server) state(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	s.draw(w, r, http.StatusOK, "home", "live", s.homePage(r, b, by))
}

func (s *Server) homePage(r *http.Request, b *session, by control.Caller) *page {
	b.mu.Lock()
	ticket := *b.ticket
	b.mu.Unlock()
	p := &page{Title: "Remote support", User: &ticket}
	v := homeView{Product: s.opts.Product, SSO: ticket.Method == bySSO, Lengths: lengths, More: more}
	ctx := r.Context()
	var err error
	if v.Status, err = s.api.Status(ctx, by); err == nil {
		v.Session, err = s.api.Session(ctx, by)
	}
	if err != nil {
		m := complaint(err)
		v.Refused = &m
	}
	if v.Session.ID != "" {
		if secret, err := s.api.Secret(ctx, by, control.SecretRequest{}); err == nil {
			v.Secret = &secret
		}
	}
	now := s.opts.Now()
	for _, c := range v.Session.Connections {
		cv := connectionView{Connection: c}
		if c.State == control.ConnectionWaiting {
			cv.Left = max(1, int(c.Until.Sub(now)/time.Second))
			v.Waiting = append(v.Waiting, cv)
		} else {
			v.In = append(v.In, cv)
		}
	}
	p.Flash = b.messages(now, onOff(v.Session.State))
	v.Left = int(v.Session.SecondsLeft)
	v.Headline = headline(v)
	v.Window = v.Headline
	if len(v.Waiting) > 0 {
		v.Window = "Support asks to come in"
	}
	b.mu.Lock()
	v.Draft = maps.Clone(b.draft)
	if now.Sub(b.tested) < testLife {
		v.Steps = b.steps
	}
	b.mu.Unlock()
	if v.Draft == nil {
		v.Draft = map[string]string{"for": "4h"}
	}
	p.Data = v
	return p
}

// onOff is a state as far as messages are bound to it.
func onOff(state string) string {
	if state == "off" {
		return state
	}
	return "on"
}

// headline is the state in a few words.
func headline(v homeView) string {
	switch {
	case v.Refused != nil:
		return "Not available"
	case len(v.In) > 0:
		return "Support is in"
	case v.Session.State == "open" || v.Session.State == "connected":
		return "Remote support is on"
	case v.Session.State == "opening":
		return "Remote support is being turned on"
	case v.Session.State == "closing":
		return "Remote support is being turned off"
	}
	return "Remote support is off"
}

// done answers what somebody did: with the live part of the page where that was
// asked for, else with the whole.
func (s *Server) done(w http.ResponseWriter, r *http.Request, b *session, by control.Caller, err error, ok message) {
	b.mu.Lock()
	b.flash = nil // of what was done before
	b.mu.Unlock()
	if err != nil {
		b.note(refusal(err))
	} else if ok.Text != "" {
		b.note(ok)
	}
	if r.Header.Get("HX-Request") != "" {
		s.state(w, r, b, by)
		return
	}
	redirect(w, r, "/")
}

// refusal is a complaint to somebody who has logged in.
func refusal(err error) message {
	m := complaint(err)
	if control.ErrorOf(err).Code == 3 && strings.Contains(m.Text, "log in again") {
		m.Hint = "Log out and in again; nothing is lost by it."
	}
	return m
}

// on opens a session (REQ B1).
func (s *Server) on(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	f, err := readForm(r)
	if err != nil {
		s.done(w, r, b, by, err, message{})
		return
	}
	defer f.wipe()
	req, err := onRequest(f)
	if err != nil {
		s.keep(b, f.draft())
		s.done(w, r, b, by, err, message{})
		return
	}
	o, err := s.api.On(r.Context(), by, req)
	if err == nil {
		s.keep(b, nil)
	} else {
		s.keep(b, f.draft())
	}
	s.done(w, r, b, by, err, message{Kind: "ok", Text: "Remote support is on. Now give the secret to support by telephone; do not mail it.", More: sentences(o.Notes)})
}

func sentences(in []string) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, sentence(s))
	}
	return out
}

var errProxy = errors.New("the proxy needs an address and a port")

func onRequest(f form) (control.OnRequest, error) {
	req := control.OnRequest{For: f.text("for"), Case: f.text("case"), RSS: f.text("rss")}
	if f.text("own") == "1" {
		if len(f["secret"]) == 0 {
			return req, errors.New("type the secret, or have one made")
		}
		req.Secret = clone(f["secret"])
	}
	switch kind := f.text("proxy"); kind {
	case "":
	case "none":
		req.Proxy = "none"
	case "https", "socks4", "socks5":
		address := f.text("proxy_address")
		if address == "" || f.text("proxy_port") == "" && !strings.Contains(address, ":") {
			return req, errProxy
		}
		if p := f.text("proxy_port"); p != "" {
			address += ":" + p
		}
		user := ""
		if f.text("proxy_login") == "1" {
			if user = f.text("proxy_user"); user == "" {
				return req, errors.New("the proxy's user name is missing")
			}
			req.ProxyPassword = clone(f["proxy_password"])
			user = escapeUser(user) + "@"
		}
		req.Proxy = kind + "://" + user + address
	default:
		return req, fmt.Errorf("there is no proxy protocol %q", short(kind))
	}
	return req, nil
}

// testLife is how long the steps of a test are shown.
const testLife = 5 * time.Minute

// maxSteps bounds what a test shows.
const maxSteps = 60

// test goes the way that the form says, and opens nothing (REQ B7).
func (s *Server) test(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	f, err := readForm(r)
	if err != nil {
		s.done(w, r, b, by, err, message{})
		return
	}
	defer f.wipe()
	delete(f, "own") // the secret is no part of it
	req, err := onRequest(f)
	if err != nil {
		s.keep(b, f.draft())
		s.done(w, r, b, by, err, message{})
		return
	}
	var steps []control.Step
	failed := false
	err = s.api.Test(r.Context(), by, req, func(step control.Step) {
		failed = failed || step.Error != ""
		if len(steps) < maxSteps {
			step.Error, step.Hint = sentence(plugin.ReplaceAllString(step.Error, "")), sentence(step.Hint)
			steps = append(steps, step)
		}
	})
	s.keep(b, f.draft())
	b.mu.Lock()
	b.steps, b.tested = steps, s.opts.Now()
	b.mu.Unlock()
	ok := message{Kind: "ok", Text: "The test went well. Nothing was opened."}
	if failed { // the steps have said why
		err, ok = nil, message{Kind: "error", Text: "The test failed. Nothing was opened."}
	}
	s.done(w, r, b, by, err, ok)
}

// keep keeps what was typed for when the form is drawn again.
func (s *Server) keep(b *session, draft map[string]string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draft = draft
}

func (s *Server) off(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	e, err := s.api.Off(r.Context(), by)
	text := "Remote support is off. Nobody was in."
	switch {
	case e.Session == "":
		text = "Remote support was off already."
	case e.Connections == 1:
		text = "Remote support is off. One connection was cut, and what it had started is ended."
	case e.Connections > 1:
		text = fmt.Sprintf("Remote support is off. %d connections were cut, and what they had started is ended.", e.Connections)
	}
	s.done(w, r, b, by, err, message{Kind: "ok", Text: text})
}

func (s *Server) extend(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	f, err := readForm(r)
	if err == nil {
		_, err = s.api.Extend(r.Context(), by, control.ExtendRequest{By: f.text("by")})
	}
	s.done(w, r, b, by, err, message{Kind: "ok", Text: "The end is put off."})
}

func (s *Server) secret(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	_, err := s.api.Secret(r.Context(), by, control.SecretRequest{New: true})
	s.done(w, r, b, by, err, message{Kind: "ok", Text: "There is a new secret; the old one is void."})
}

func (s *Server) connection(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	id := r.PathValue("id")
	var err error
	text := ""
	switch r.PathValue("verb") {
	case "approve":
		_, err = s.api.Approve(r.Context(), by, id)
		text = "You approved the connection."
	case "deny":
		err = s.api.Deny(r.Context(), by, id)
		text = "The connection was refused."
	case "cut":
		err = s.api.Cut(r.Context(), by, id)
		text = "The connection was cut, and what it had started is ended."
	default:
		s.fail(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	s.done(w, r, b, by, err, message{Kind: "ok", Text: text})
}
