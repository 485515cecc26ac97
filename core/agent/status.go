package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/latchstring/latchstring/core/buildconfig"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
)

// Status tells the state of the system; of it, to a local user who has not
// logged in, what concerns everybody who works on the machine.
func (a *Agent) Status(_ context.Context, by control.Caller) (control.Status, error) {
	s, err := a.status()
	if err != nil || by.Trusted() {
		return s, err
	}
	if _, err := a.who(by); err != nil {
		return forEverybody(s), nil
	}
	return s, nil
}

// forEverybody leaves out of a status who is who, for which case, by which way,
// and what is wrong: errors name files and quote settings.
func forEverybody(s control.Status) control.Status {
	r := s.Remote
	out := control.Status{Version: s.Version, Agent: s.Agent, System: control.System{Enrolled: s.System.Enrolled, Vendor: s.System.Vendor},
		Remote: control.Access{Reason: r.Reason, Session: control.Session{State: r.State, ID: r.ID, Since: r.Since, Expires: r.Expires, SecondsLeft: r.SecondsLeft, Standing: r.Standing, SecretGood: r.SecretGood}}}
	for _, c := range r.Connections {
		out.Remote.Connections = append(out.Remote.Connections, control.Connection{ID: c.ID, State: c.State, Since: c.Since, Recorded: c.Recorded})
	}
	if len(s.Problems) > 0 {
		out.Problems = []string{"something is wrong with this system; root sees what: remote-support status"}
	}
	return out
}

func (a *Agent) status() (control.Status, error) {
	p := a.policy.Load()
	s := control.Status{
		Version: a.opts.Version,
		Policy:  control.Policy{Files: len(p.Files()), Hash: p.Hash()},
		System:  control.System{ID: a.system.ID()},
	}
	s.Remote.Session, s.Problems = a.access()
	if t := a.started.Load(); t != nil {
		s.Agent = control.AgentStatus{Running: true, PID: os.Getpid(), Since: *t, Web: a.webStatus()}
	}
	if p.broken != nil {
		s.Policy.Broken = firstLine(p.broken.Error())
		s.Problems = append(s.Problems, "policy does not load, so what it guards is refused: "+s.Policy.Broken)
	}
	for _, n := range p.Notes() {
		s.Noticed = append(s.Noticed, strings.TrimPrefix(n.File+": "+n.Text, ": "))
	}
	if word, rule := p.RemoteAccess(); word != "allowed" {
		by := "policy"
		if rule.Key == "seal" {
			by = "its seal"
		}
		s.Remote.Reason = fmt.Sprintf("%s by %s (%s)", strings.ReplaceAll(word, "_", " "), by, rule.Source)
	}
	s.Problems = append(s.Problems, a.sealProblems()...)
	if text := a.ending(); text != "" {
		s.Problems = append(s.Problems, text)
	}
	pending, err := buildconfig.Pending(a.root) // REQ G4
	if err != nil {
		s.Problems = append(s.Problems, err.Error())
	}
	s.Problems = append(s.Problems, pending...)
	vendor, err := a.system.Vendor()
	switch {
	case err == nil:
		s.System.Enrolled, s.System.Vendor, s.System.RSS = true, vendor.Name, vendor.RSS
	case !errors.Is(err, identity.ErrNotEnrolled):
		s.Problems = append(s.Problems, err.Error())
	}
	if s.Queue, err = a.queued(); err != nil {
		s.Problems = append(s.Problems, err.Error())
	}
	a.eventStatus(&s)
	a.hardwareStatus(&s)
	return s, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
