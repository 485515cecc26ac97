package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/secret"
	"github.com/latchstring/latchstring/core/session"
)

// newSecret takes the administrator's secret, if it is a good one and a new one,
// or makes one (REQ B3).
func (r *remote) newSecret(o *opening, given []byte) error {
	typed, own, err := r.chooseSecret(given)
	o.secret, o.own = typed, own
	return err
}

func (r *remote) chooseSecret(given []byte) (typed []byte, own bool, err error) {
	if len(given) == 0 {
		typed = secret.Generate()
	} else {
		own = true
		typed = append([]byte(nil), given...)
		names := []string{hostname(), r.a.system.ID()}
		if v, err := r.a.system.Vendor(); err == nil {
			names = append(names, v.System, v.Name)
		}
		if err := secret.Check(typed, secret.Context{SystemNames: names}); err != nil {
			secret.Clear(typed)
			return nil, own, err
		}
	}
	if !own {
		// Nobody makes this one again by chance. It is remembered so that nobody
		// types it again; that takes a tenth of a second of a processor, which is
		// needed now for the way to the relay.
		later := append([]byte(nil), typed...)
		r.remembering.Add(1)
		r.after.Go(func() {
			defer r.remembering.Done()
			defer secret.Clear(later)
			select {
			case <-time.After(rememberAfter):
			case <-r.ctx.Done():
			case <-r.rush:
			}
			if r.a.sealed() {
				return // what is remembered is destroyed, and nobody types anything again
			}
			if err := r.a.secrets().Remember(later); err != nil {
				r.log.Error("remember a secret", "error", err)
			}
			// It took 64 MiB. Left over, they would be what the next collections of
			// garbage are measured by.
			debug.FreeOSMemory()
		})
		return typed, own, nil
	}
	if err := r.a.secrets().Remember(typed); err != nil {
		secret.Clear(typed)
		return nil, own, usage("%v", err)
	}
	return typed, own, nil
}

// rememberAfter is when a generated secret is remembered, after it was made.
const rememberAfter = time.Second

// secrets are the last ones, which are not taken again.
func (a *Agent) secrets() *secret.History {
	return secret.OpenHistory(a.root.Secrets())
}

// attempts is how often the secret of a session was tried wrongly, on disk.
type attempts struct {
	Session string `json:"session"`
	Used    int    `json:"used"`
}

func (l *live) attemptsPath() string {
	return filepath.Join(filepath.Dir(l.a.root.Session()), "attempts.json")
}

// count adds to the attempts on disk.
func (l *live) count(n int) error {
	var a attempts
	if b, err := os.ReadFile(l.attemptsPath()); err == nil {
		_ = json.Unmarshal(b, &a) // one that is damaged counts from nothing; the gate has its own count
	}
	if a.Session != l.id {
		a = attempts{Session: l.id}
	}
	a.Used = max(0, a.Used+n)
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return durable.WriteFile(l.attemptsPath(), b)
}

// gateOptions count attempts and tell of them.
func (l *live) gateOptions() handshake.GateOptions {
	return handshake.GateOptions{
		Counter: func() error { return l.count(1) },
		Right: func() {
			if err := l.count(-1); err != nil {
				l.log.Error("take an attempt back", "error", err)
			}
		},
		Wrong: func(left int) {
			l.event(audit.SecretWrong, "agent", l.id, "tries left", strconv.Itoa(left))
		},
		Burnt: func() {
			l.event(audit.SecretBurnt, "agent", l.id, "reason", fmt.Sprintf("it was tried wrongly %d times", handshake.Tries), "so", "nobody new can enter; a new one is made by: remote-support secret new")
			l.mu.Lock()
			defer l.mu.Unlock()
			clear(l.secret)
			l.secret = nil
		},
	}
}

// Secret shows the secret of the session to who may know it, or makes a new one.
func (a *Agent) Secret(_ context.Context, by control.Caller, req control.SecretRequest) (control.Secret, error) {
	defer clear(req.Given)
	if err := a.outsider(by, "have the secret"); err != nil {
		return control.Secret{}, err
	}
	r, l, err := a.session()
	if err != nil {
		return control.Secret{}, err
	}
	now := r.machine.Now()
	if !a.opened(by, now.Opener) && !by.Trusted() {
		return control.Secret{}, &policyError{"the secret is shown to who turned remote access on, and to root"}
	}
	if req.New {
		if err := l.renewSecret(by, req.Given); err != nil {
			return control.Secret{}, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	good, left := l.gate.State()
	out := control.Secret{Secret: string(l.secret), Usable: good, TriesLeft: left, Own: l.own}
	if spoken, err := secret.Spoken(l.secret); err == nil && len(l.secret) > 0 {
		out.Spoken = spoken
	}
	return out, nil
}

// opened reports whether it was the caller who turned remote access on. A
// browser is known by what it has proved: it may have another address by now.
func (a *Agent) opened(by control.Caller, o session.Opener) bool {
	if by.Browser == "" {
		return o.Actor == by.Actor()
	}
	who, err := a.who(by)
	return err == nil && who.User == o.User && who.Method == o.Method
}

// renewSecret puts a new secret in place of the old one. Engineers who are in
// stay, also over a lost line; for a new connection they need the new one.
func (l *live) renewSecret(by control.Caller, given []byte) error {
	typed, own, err := l.chooseSecret(given)
	if err != nil {
		return err
	}
	defer secret.Clear(typed)
	if err := l.append(audit.SecretRenewed, by.Actor(), l.id); err != nil {
		return err
	}
	if err := l.count(-1 << 30); err != nil {
		return fmt.Errorf("begin to count anew: %w", err)
	}
	if err := l.gate.Replace(typed); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.secret)
	l.secret, l.own = nil, own
	if !own {
		l.secret = append([]byte(nil), typed...)
	}
	return nil
}
