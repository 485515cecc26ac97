package login

import (
	"errors"
	"strings"

	"github.com/latchstring/latchstring/core/audit"
)

// ErrNobody says that the caller is not logged in.
var ErrNobody = errors.New("not logged in; run: remote-support login infinibox, remote-support login sso, or remote-support login challenge")

// Who returns what the caller has proved: his ticket while it is good, else, for
// root, that he is root on this machine, else [ErrNobody].
func (s *Service) Who(by Caller) (Ticket, error) {
	var found *Ticket
	err := s.store.update(func(st *state, now moment) error {
		for _, t := range st.Tickets {
			if t.For == by.key() {
				found = t
				found.Age, _ = t.At.elapsed(now)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return Ticket{}, err
	case found != nil:
		return *found, nil
	case by.root():
		return root(), nil
	}
	return Ticket{}, ErrNobody
}

// Logout ends the caller's ticket and takes back his challenge. It reports
// whether there was a ticket.
func (s *Service) Logout(by Caller) (bool, error) {
	user := ""
	err := s.store.update(func(st *state, _ moment) error {
		st.Tickets = filter(st.Tickets, func(t *Ticket) bool {
			if t.For == by.key() {
				user = t.User
			}
			return t.For != by.key()
		})
		st.Challenges = filter(st.Challenges, func(c *challenge) bool { return c.For != by.key() || c.Wrong > 0 })
		return nil
	})
	if err != nil || user == "" {
		return false, err
	}
	_, err = s.opts.Audit.Append(audit.Event{Type: audit.LoginEnded, Actor: by.actor(), Subject: user})
	return true, err
}

// ForgetBrowsers ends the logins of all browsers, and what they had begun. A
// web server that starts knows none of their sessions, so nobody can use them.
func (s *Service) ForgetBrowsers() error {
	return s.store.update(func(st *state, _ moment) error {
		st.Tickets = filter(st.Tickets, func(t *Ticket) bool { return !ofBrowser(t.For) })
		st.Challenges = filter(st.Challenges, func(c *challenge) bool { return !ofBrowser(c.For) })
		st.Consents = filter(st.Consents, func(c *consent) bool { return !ofBrowser(c.For) })
		return nil
	})
}

// ofBrowser reports whether a key is that of a caller with a session.
func ofBrowser(key string) bool {
	_, session, _ := strings.Cut(key, "/")
	return session != ""
}
