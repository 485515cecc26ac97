package web

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// The methods that have a place of their own on the page; others are buttons.
const (
	byPassword  = "infinibox"
	byChallenge = "challenge"
	bySSO       = "sso"
)

// patience is how long a request waits for a login; then the page says that it
// is under way, and comes again.
const patience = 20 * time.Second

// loginPage draws where the browser is in logging in.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	b := s.sessions.of(r)
	if b != nil {
		s.finish(w, b)
		if b.loggedIn() {
			redirect(w, r, "/")
			return
		}
	}
	s.showLogin(w, r, b, r.URL.Query().Get("go") == "1")
}

func (b *session) loggedIn() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ticket != nil
}

func (b *session) current() *talk {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.talk
}

// finish takes the end of a login over into the session: a ticket, with another
// cookie, or what went wrong.
func (s *Server) finish(w http.ResponseWriter, b *session) {
	t := b.current()
	if t == nil {
		return
	}
	l, _ := t.look()
	if !l.Done {
		return
	}
	t.mu.Lock()
	again := t.taken
	t.taken = true
	t.mu.Unlock()
	if again {
		return
	}
	b.mu.Lock()
	if b.talk == t {
		b.talk = nil
	}
	if l.Err == nil {
		b.ticket, b.begun, b.flash = &l.Ticket, s.opts.Now(), nil
	}
	b.mu.Unlock()
	if l.Err != nil {
		if !errors.Is(l.Err, errLeft) {
			b.note(s.forStrangers(l.Err))
		}
		return
	}
	s.sessions.renew(w, b)
	for _, n := range l.Shown { // what did not have to be answered, like a warning
		if n.URL == "" && n.Expires.IsZero() && n.Value != "" && !strings.HasPrefix(n.Label, "To make sure") {
			b.note(message{Kind: "note", Text: n.Label + ": " + n.Value})
		}
	}
}

// plugin is how an error begins that a plugin of logins made.
var plugin = regexp.MustCompile(`^(log in by )?auth/[a-z0-9_-]+: `)

// complaint is an error of the agent for a page: what it says and what to do.
func complaint(err error) message {
	e := control.ErrorOf(err)
	text := plugin.ReplaceAllString(e.Message, "")
	hint := e.Help
	if strings.Contains(hint, "--generate-secret") { // that is for the command line
		hint = "have one made that is easy to read aloud"
	}
	return message{Kind: "error", Text: sentence(text), Hint: sentence(hint)}
}

// place is the path of a file.
var place = regexp.MustCompile(`(^|[\s"'(])/[\w.-]+/`)

// forStrangers is a complaint for who has not logged in: where our files are is
// nobody's business.
func (s *Server) forStrangers(err error) message {
	m := complaint(err)
	if place.MatchString(m.Text) || place.MatchString(m.Hint) {
		s.opts.Log.Error("a login does not work", "err", err)
		return message{Kind: "error", Text: "This way to log in is not set up as it should be.", Hint: "Root on the appliance sees why: remote-support login, or the log of the agent."}
	}
	return m
}

// sentence makes an error read like one.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "!") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

// session finds or makes the session of a request that begins to log in, and
// gives it another cookie.
func (s *Server) session(w http.ResponseWriter, r *http.Request) *session {
	b := s.sessions.of(r)
	if b == nil {
		b = s.sessions.begin(w, address(r))
	} else {
		s.sessions.renew(w, b)
	}
	if b == nil {
		s.fail(w, r, http.StatusServiceUnavailable, "Too many people are logging in. Wait a moment and try again.")
		return nil
	}
	b.mu.Lock()
	b.used, b.flash = s.opts.Now(), nil
	b.mu.Unlock()
	return b
}

// start begins a login in the place of one that is under way.
func (s *Server) start(w http.ResponseWriter, r *http.Request, b *session, method string, fresh bool) *talk {
	if t := b.current(); t != nil {
		t.stop()
	}
	if !s.mayStart(b) || !s.pace.take(r.Context(), address(r)) {
		s.fail(w, r, http.StatusTooManyRequests, "Too many logins at once. Wait a moment and try again.")
		return nil
	}
	req := control.LoginRequest{Method: method, Fresh: fresh}
	if host := r.Host; plainHost(host) {
		req.Redirect = "https://" + host + callbackPath
	}
	return s.begin(b, s.caller(r, b), req)
}

// Bounds of logins under way: each has a plugin that runs.
const (
	maxTalks    = 16
	maxTalksOne = 4 // of one address
)

func (s *Server) mayStart(b *session) bool {
	all, mine := 0, 0
	for _, other := range s.sessions.list() {
		if t := other.current(); other != b && t != nil {
			if l, _ := t.look(); !l.Done {
				all++
				if other.from == b.from {
					mine++
				}
			}
		}
	}
	return all < maxTalks && mine < maxTalksOne
}

// logIn is the Log In button beside user name and password.
func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	defer f.wipe()
	b := s.session(w, r)
	if b == nil {
		return
	}
	t := s.start(w, r, b, byPassword, false)
	if t == nil {
		return
	}
	// What it asks is known; a plugin that asks something else is asked by page.
	if l := t.settle(r.Context(), patience); l.Asks != nil && asksFor(l.Asks, "user", "password") {
		t.answer(r.Context(), map[string][]byte{"user": clone(f["user"]), "password": clone(f["password"])})
	}
	s.settled(w, r, b, t)
}

func clone(b []byte) []byte { return append([]byte{}, b...) }

func asksFor(fields []control.Field, names ...string) bool {
	if len(fields) != len(names) {
		return false
	}
	for i, f := range fields {
		if f.Name != names[i] {
			return false
		}
	}
	return true
}

// startLogin begins a login by any method.
func (s *Server) startLogin(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	b := s.session(w, r)
	if b == nil {
		return
	}
	if b.loggedIn() {
		redirect(w, r, "/")
		return
	}
	if t := s.start(w, r, b, f.text("method"), f.text("fresh") == "1"); t != nil {
		s.settled(w, r, b, t)
	}
}

// answerLogin gives what a login asks for.
func (s *Server) answerLogin(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	defer f.wipe()
	b := s.session(w, r)
	if b == nil {
		return
	}
	t := b.current()
	if t == nil {
		b.note(message{Kind: "error", Text: "That login is over.", Hint: "Start again."})
		redirect(w, r, "/login")
		return
	}
	l, _ := t.look()
	values := map[string][]byte{}
	for _, field := range l.Asks {
		values[field.Name] = clone(f["f."+field.Name])
	}
	t.answer(r.Context(), values)
	s.settled(w, r, b, t)
}

// settled waits for what comes next, and sends the browser there.
func (s *Server) settled(w http.ResponseWriter, r *http.Request, b *session, t *talk) {
	t.settle(r.Context(), patience)
	s.finish(w, b)
	if b.loggedIn() {
		redirect(w, r, "/")
		return
	}
	redirect(w, r, "/login?go=1")
}

func (s *Server) cancelLogin(w http.ResponseWriter, r *http.Request) {
	if b := s.sessions.of(r); b != nil {
		if t := b.current(); t != nil {
			t.stop()
		}
		b.mu.Lock()
		b.talk, b.flash = nil, nil
		b.mu.Unlock()
	}
	redirect(w, r, "/login")
}

func (s *Server) logOut(w http.ResponseWriter, r *http.Request) {
	if b := s.sessions.of(r); b != nil {
		s.sessions.end(b)
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	redirect(w, r, "/login?out=1")
}
