package login

import (
	"errors"

	"github.com/latchstring/latchstring/core/audit"
)

// ErrNobody says that the caller is not logged in.
var ErrNobody = errors.New("not logged in; run: remote-support login infinibox, remote-support login sso, or remote-support login challenge")

// Who returns what the caller has proved: his ticket while it is good, else, for
// root, that he is root on this machine, else [ErrNobody].
func (s *Service) Who(by Caller) (Ticket, error) {
	var found *Ticket
	err := s.store.update(func(st *state, _ moment) error {
		for _, t := range st.Tickets {
			if t.For == by.key() {
				found = t
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return Ticket{}, err
	case found != nil:
		return *found, nil
	case by.UID == 0 && by.Session == "":
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
