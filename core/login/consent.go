package login

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
)

// Consent of a second person: whoever sits at another local account says yes
// before a login holds. It is for those who fear that a vendor's signing key is
// stolen, or that one administrator acts alone.
const (
	consentLife = 10 * time.Minute
	consentPoll = 300 * time.Millisecond
	maxConsents = 8
)

// consent is a login that waits for a second person.
type consent struct {
	ID     string        `json:"id"`
	For    string        `json:"for"`
	UID    uint32        `json:"uid"` // of the caller, who cannot agree to his own login
	User   string        `json:"user"`
	Caller string        `json:"caller"`
	Method string        `json:"method"`
	Ask    []string      `json:"ask"` // local users, one of whom must agree
	At     moment        `json:"at"`
	By     string        `json:"by,omitempty"` // who has answered
	Yes    bool          `json:"yes,omitempty"`
	Life   time.Duration `json:"life"`
}

func (c *consent) left(now moment) time.Duration {
	d, ok := c.At.elapsed(now)
	if !ok {
		return 0
	}
	return max(0, c.Life-d)
}

// Waiting is a login that waits for the consent of somebody else.
type Waiting struct {
	ID     string        `json:"id"`
	User   string        `json:"user"`   // as whom somebody wants to log in
	Caller string        `json:"caller"` // the local user who does
	Method string        `json:"method"`
	Left   time.Duration `json:"left"`
}

// ConsentError says that nobody agreed to a login.
type ConsentError struct{ by string }

func (e *ConsentError) Error() string {
	if e.by == "" {
		return "nobody agreed to this login in time"
	}
	return e.by + " did not agree to this login"
}

// ExitCode is that of what policy forbids.
func (e *ConsentError) ExitCode() int { return 3 }

var errNoSuchConsent = &UsageError{"no login that you could agree to waits under this name; see: remote-support login confirm"}

// splitConsent takes the host's own setting out of a method's.
func splitConsent(path string, settings map[string]json.RawMessage) ([]string, error) {
	raw, there := settings["consent"]
	if !there {
		return nil, nil
	}
	delete(settings, "consent")
	var names []string
	if err := json.Unmarshal(raw, &names); err != nil || len(names) == 0 || slices.Contains(names, "") {
		return nil, &UsageError{path + `: consent is a list of local users, like ["carol", "dave"]`}
	}
	return names, nil
}

// consent waits until a second person has agreed, where the settings ask for
// one, and returns who it was.
func (a *attempt) consent(ctx context.Context, id host.Identity) (string, error) {
	if len(a.ask) == 0 {
		return "", nil
	}
	c := &consent{ID: rand.Text()[:6], For: a.by.key(), UID: a.by.UID, User: id.User, Caller: a.by.actor(), Method: a.how.Method, Ask: a.ask, Life: consentLife}
	err := a.s.store.update(func(st *state, now moment) error {
		c.At = now
		st.Consents = filter(st.Consents, func(old *consent) bool { return old.For != c.For })
		if len(st.Consents) >= maxConsents {
			return errors.New("too many logins wait for consent")
		}
		st.Consents = append(st.Consents, c)
		return nil
	})
	if err != nil {
		return "", err
	}
	defer a.s.store.update(func(st *state, _ moment) error {
		st.Consents = filter(st.Consents, func(old *consent) bool { return old.ID != c.ID })
		return nil
	})
	err = a.talk.Show(ctx, host.Notice{Label: "A second person must agree",
		Value: fmt.Sprintf("%s, on this machine: remote-support login confirm %s", strings.Join(a.ask, " or "), c.ID)})
	if err != nil {
		return "", err
	}
	return a.s.await(ctx, c.ID)
}

func (s *Service) await(ctx context.Context, id string) (string, error) {
	tick := time.NewTicker(consentPoll)
	defer tick.Stop()
	for {
		var now *consent
		err := s.store.update(func(st *state, _ moment) error {
			for _, c := range st.Consents {
				if c.ID == id {
					now = c
				}
			}
			return nil
		})
		switch {
		case err != nil:
			return "", err
		case now == nil:
			return "", &ConsentError{}
		case now.By != "" && now.Yes:
			return now.By, nil
		case now.By != "":
			return "", &ConsentError{now.By}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// mayAgree reports whether a caller is the second person: named, known to the
// kernel, and not the one who logs in.
func (c *consent) mayAgree(by Caller) bool {
	return by.Session == "" && by.UID != c.UID && by.key() != c.For && slices.Contains(c.Ask, by.User) && c.By == ""
}

// Waiting lists the logins to which the caller may agree.
func (s *Service) Waiting(by Caller) ([]Waiting, error) {
	var out []Waiting
	err := s.store.update(func(st *state, now moment) error {
		for _, c := range st.Consents {
			if c.mayAgree(by) {
				out = append(out, Waiting{c.ID, c.User, c.Caller, c.Method, c.left(now)})
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) recordConsent(by Caller, c *consent, yes bool) error {
	answer := "no"
	if yes {
		answer = "yes"
	}
	_, err := s.opts.Audit.Append(audit.Event{Type: audit.LoginConsent, Actor: by.actor(), Subject: c.User, Detail: map[string]string{
		"answer": answer, "login": c.ID, "method": c.Method, "caller": c.Caller, "client": by.Client,
	}})
	if err != nil {
		return fmt.Errorf("the answer is not recorded and does not count: %w", err)
	}
	return nil
}

// Confirm agrees to a login that waits, or does not. What is said is recorded in
// the audit log before it counts; who agreed is there with the login, too.
func (s *Service) Confirm(by Caller, id string, yes bool) (Waiting, error) {
	var out Waiting
	err := s.store.update(func(st *state, now moment) error {
		for _, c := range st.Consents {
			if c.ID == strings.ToUpper(strings.TrimSpace(id)) && c.mayAgree(by) {
				if err := s.recordConsent(by, c, yes); err != nil {
					return err
				}
				c.By, c.Yes = by.actor(), yes
				out = Waiting{c.ID, c.User, c.Caller, c.Method, c.left(now)}
				return nil
			}
		}
		return errNoSuchConsent
	})
	return out, err
}
