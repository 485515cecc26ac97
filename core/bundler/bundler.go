package bundler

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
)

// Policy is what a bundler asks. [*policy.Policy] is one.
type Policy interface {
	policy.Decider
	Hash() string
	Redactions() []policy.Redaction
	RandomIPs() bool
	BundleCommands() [][]string
}

// Parts are what a bundler works with. All but Log and Actor are required.
type Parts struct {
	Root    paths.Root
	Policy  Policy
	Audit   audit.Recorder
	System  *identity.System
	Host    *host.Host
	Version string // of the program
	Actor   string // for the audit log; the user of this process by default
	Log     *slog.Logger
}

// Bundler makes and delivers bundles. It is safe for concurrent use.
type Bundler struct {
	p     Parts
	close []func() error
}

// New makes a bundler of parts that the caller has opened and will close.
func New(p Parts) *Bundler {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Actor == "" {
		p.Actor = actor()
	}
	return &Bundler{p: p}
}

// OpenOptions are for a program that has opened nothing yet.
type OpenOptions struct {
	Version string
	Log     *slog.Logger
	Plugins string // the program with the built-in plugins; empty looks for it
}

// Open opens everything below root that a bundler works with, and makes what
// is not there yet: the directories and the system key. A policy that does not
// load is no error here: what it guards is refused when it is asked.
func Open(root paths.Root, o OpenOptions) (_ *Bundler, err error) {
	if err := root.Make(); err != nil {
		return nil, err
	}
	b := New(Parts{Root: root, Version: o.Version, Log: o.Log})
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.p.System, err = identity.Open(root.Identity()); err != nil {
		return nil, fmt.Errorf("open the system's identity: %w", err)
	}
	log, err := audit.Open(root.Audit(), audit.WithSigner(b.p.System))
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	b.p.Audit, b.close = log, append(b.close, log.Close)
	if origin := b.p.System.Origin(); origin != identity.Existing {
		if _, err := b.record(audit.KeyCreated, b.p.System.ID(), map[string]string{"origin": string(origin)}); err != nil {
			return nil, err
		}
	}
	pol, perr := policy.Open(root)
	if perr != nil {
		b.p.Log.Warn("the policy does not load; what it may have been about is refused", "error", perr)
		if _, err := b.record(audit.PolicyBroken, pol.Hash(), map[string]string{"error": firstLine(perr.Error())}); err != nil {
			return nil, err
		}
	}
	if notes := pol.Notes(); len(notes) > 0 {
		var lines []string
		for _, n := range notes {
			lines = append(lines, strings.TrimPrefix(n.File+": "+n.Text, ": "))
		}
		if _, err := b.record(audit.PolicyNoticed, pol.Hash(), map[string]string{"noticed": strings.Join(lines, "; ")}); err != nil {
			return nil, err
		}
	}
	b.p.Policy = pol
	b.p.Host, err = host.New(host.Options{Root: root, Policy: pol, Audit: log, Log: b.p.Log, Actor: b.p.Actor, Plugins: o.Plugins})
	if err != nil {
		return nil, fmt.Errorf("open the plugin host: %w", err)
	}
	b.close = append(b.close, b.p.Host.Close)
	return b, nil
}

// Close closes what Open opened, the plugins first.
func (b *Bundler) Close() error {
	var errs []error
	for i := len(b.close) - 1; i >= 0; i-- {
		errs = append(errs, b.close[i]())
	}
	b.close = nil
	return errors.Join(errs...)
}

// System is the identity that signs.
func (b *Bundler) System() *identity.System { return b.p.System }

// record writes to the audit log.
func (b *Bundler) record(t audit.Type, subject string, detail map[string]string) (audit.Record, error) {
	r, err := b.p.Audit.Append(audit.Event{Type: t, Actor: b.p.Actor, Subject: subject, Detail: detail})
	if err != nil {
		return r, fmt.Errorf("record %s: %w", t, err)
	}
	return r, nil
}

// ask asks policy, and records a refusal.
func (b *Bundler) ask(action policy.Action, facts policy.Facts) (policy.Decision, error) {
	d := b.p.Policy.Decide(action, facts)
	if err := d.Err(); err != nil {
		detail := map[string]string{"reason": d.Reason, "rule": d.Rule.Key, "source": d.Rule.Source.String()}
		if _, rerr := b.record(audit.PolicyRefused, string(action), detail); rerr != nil {
			return d, errors.Join(err, rerr)
		}
		return d, err
	}
	return d, nil
}

// actor names who runs this process, as audit records do.
func actor() string {
	uid := os.Getuid()
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return fmt.Sprintf("uid:%d(%s)", uid, u.Username)
	}
	return fmt.Sprintf("uid:%d", uid)
}

func firstLine(s string) string {
	for i, c := range s {
		if c == '\n' {
			return s[:i]
		}
	}
	return s
}
