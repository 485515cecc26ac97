package web

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
)

// callbackPath is where an identity provider sends the browser back.
const callbackPath = "/login/sso/callback"

// callbackField is what the method of single sign-on asks for: the query of the
// address, or the form, with which the browser came back.
const callbackField = "callback"

// callback takes the answer of a provider that came with the address (OpenID
// Connect). It counts only where the browser's own session waits for it.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	s.comeBack(w, r, []byte(r.URL.RawQuery))
}

// foreignCallback takes the answer that a provider's page posts (SAML). Cookies
// do not come with what another site posts, so that our own page sends it on.
func (s *Server) foreignCallback(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil || len(b) == 0 {
		s.fail(w, r, http.StatusBadRequest, "The identity provider sent nothing that can be read.")
		return
	}
	s.render(w, r, http.StatusOK, "return", &page{Title: "Single sign-on", Data: string(b)})
}

// returned is what our own page sends on.
func (s *Server) returned(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	s.comeBack(w, r, bytes.TrimSpace(f["answer"]))
}

func (s *Server) comeBack(w http.ResponseWriter, r *http.Request, answer []byte) {
	const again = "Start again from the login page, in one browser."
	b := s.sessions.of(r)
	if b == nil {
		s.refuse(w, r, "No login that was begun in this browser waits for this answer of the identity provider.", again)
		return
	}
	if b.loggedIn() {
		redirect(w, r, "/") // somebody went back in his browser
		return
	}
	t := b.current()
	if t == nil {
		s.refuse(w, r, "No login that was begun in this browser waits for this answer of the identity provider. An answer counts once.", again)
		return
	}
	l, _ := t.look()
	if !asksFor(l.Asks, callbackField) || !belongs(l, answer) {
		// It does not end the login that waits: anybody could send a browser here.
		s.refuse(w, r, "What the browser brought back belongs to another login.", again)
		return
	}
	s.sessions.renew(w, b)
	b.mu.Lock()
	b.used = s.opts.Now()
	b.mu.Unlock()
	t.answer(r.Context(), map[string][]byte{callbackField: answer})
	s.settled(w, r, b, t)
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, text, hint string) {
	s.opts.Log.Warn("answer of an identity provider refused", "from", address(r), "why", text)
	s.render(w, r, http.StatusBadRequest, "failed", &page{Title: "Single sign-on", Flash: []message{{Kind: "error", Text: text, Hint: hint}}})
}

// belongs reports whether an answer carries the state of the address to which
// the browser was sent. The method itself looks at more than that.
func belongs(l look, answer []byte) bool {
	state := ""
	for _, n := range l.Shown {
		if u, err := url.Parse(n.URL); err == nil && u.Query().Get("state") != "" {
			state = u.Query().Get("state")
		}
	}
	if state == "" {
		return true
	}
	v, err := url.ParseQuery(string(answer))
	return err == nil && v.Get("state") == state
}
