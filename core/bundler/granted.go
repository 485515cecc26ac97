package bundler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler/ask"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/revoke"
)

// Granted is a request of the vendor with the customer's answers.
type Granted struct {
	Signed *ask.Signed
	Items  []bundle.AskedItem // one for each item of the request, in its order
}

// OpenRequest reads a request file and believes it only as package ask does.
func (b *Bundler) OpenRequest(path string) (*ask.Signed, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	v, err := b.p.System.Vendor()
	if errors.Is(err, identity.ErrNotEnrolled) {
		return nil, &NotEnrolledError{}
	}
	if err != nil {
		return nil, err
	}
	t := ask.Trust{Systems: []string{v.System, b.p.System.ID()}, Now: time.Now()}
	if v.SupportCA != "" {
		if t.CA, err = identity.ParseKey(v.SupportCA); err != nil {
			return nil, err
		}
		list, err := revoke.Open(b.p.Root.Revocations()).Current(t.CA)
		if err != nil {
			return nil, err
		}
		t.Revoked = func(c *ssh.Certificate) bool { _, found := list.Find(c); return found }
	}
	s, err := ask.Open(data, t)
	if err == nil {
		err = b.ledger().Check(s.ID)
	}
	if err != nil {
		_, rerr := b.record(audit.BundleRefused, "request", map[string]string{"reason": firstLine(err.Error())})
		return nil, errors.Join(err, rerr)
	}
	return s, nil
}

func (b *Bundler) ledger() ask.Ledger { return ask.Ledger{Dir: b.p.Root.Var("requests")} }

// ByPolicy tells whether policy names a command itself, so that no person
// needs to look at it.
func (b *Bundler) ByPolicy(command string) bool {
	return slices.ContainsFunc(b.p.Policy.BundleCommands(), func(argv []string) bool {
		return slices.Equal(argv, strings.Fields(command))
	})
}

// Apply makes the run collect what was granted and nothing else.
func (g *Granted) Apply(r *Request) error {
	if len(g.Items) != len(g.Signed.Items) {
		return fmt.Errorf("the request has %d items, and %d answers", len(g.Signed.Items), len(g.Items))
	}
	if len(r.Only)+len(r.Skip)+len(r.Include) > 0 {
		return usagef("--request says what is collected; --only, --skip and --include do not go with it")
	}
	for _, it := range g.Items {
		if !it.Granted {
			continue
		}
		switch it.Kind {
		case ask.Collect:
			r.Only = append(r.Only, it.Value)
		case ask.Include:
			if _, err := os.Lstat(it.Value); err != nil {
				r.gone = append(r.gone, bundle.Missing{Collector: Includes, Name: it.Value, Source: it.Value, State: bundle.Absent, Reason: "no such file"})
				continue
			}
			r.Include = append(r.Include, it.Value)
			r.Only = append(r.Only, Includes)
		case ask.Command:
			r.Only = append(r.Only, Requested)
		}
	}
	slices.Sort(r.Only)
	r.Only = slices.Compact(r.Only)
	if len(r.Only) == 0 {
		return usagef("nothing of the request was granted, so there is no bundle to make")
	}
	for _, it := range g.Items {
		if !it.Granted {
			r.gone = append(r.gone, bundle.Missing{Collector: Requested, Name: it.Kind + " " + it.Value, State: bundle.Refused, Reason: "the vendor asked for it; " + it.Reason})
		}
	}
	if g.Signed.SinceS > 0 && r.Since.IsZero() {
		r.Since = time.Now().Add(-time.Duration(g.Signed.SinceS) * time.Second)
	}
	r.Asked = g
	return nil
}

func (g *Granted) record() *bundle.Asked {
	if g == nil {
		return nil
	}
	s := g.Signed
	return &bundle.Asked{ID: s.ID, Engineer: s.Engineer, Case: s.Case, Reason: s.Reason, Created: s.Created, Items: slices.Clone(g.Items)}
}

func (g *Granted) caseOf() string {
	if g == nil {
		return ""
	}
	return g.Signed.Case
}

// commands are the command lines that were granted.
func (g *Granted) commands() (out [][]string) {
	if g == nil {
		return nil
	}
	for _, it := range g.Items {
		if it.Kind == ask.Command && it.Granted {
			out = append(out, strings.Fields(it.Value))
		}
	}
	return out
}

// answer records that a request was answered. It can be answered once only.
func (b *Bundler) answer(g *Granted, m *Made) error {
	granted := 0
	for _, it := range g.Items {
		if it.Granted {
			granted++
		}
	}
	if err := b.ledger().Answer(ask.Answer{ID: g.Signed.ID, Engineer: g.Signed.Engineer, Bundle: m.Name, At: time.Now().UTC()}); err != nil {
		return err
	}
	_, err := b.record(audit.BundleAsked, g.Signed.ID, map[string]string{
		"engineer": g.Signed.Engineer, "case": g.Signed.Case, "bundle": m.Name, "granted": fmt.Sprint(granted), "refused": fmt.Sprint(len(g.Items) - granted),
	})
	return err
}

// Requested is the collector of the command lines that the vendor asked for
// and the customer granted.
const Requested = "requested"

type requested struct {
	commands
	lines [][]string
}

// Info implements bundle.Collector.
func (r requested) Info() bundle.CollectorInfo {
	return bundle.CollectorInfo{Name: Requested, Version: r.b.p.Version}
}

// Plan implements bundle.Collector.
func (r requested) Plan(context.Context, bundle.Request) ([]bundle.Planned, error) {
	return r.plan(Requested, r.lines), nil
}

// Collect implements bundle.Collector.
func (r requested) Collect(ctx context.Context, _ bundle.Request, take func(*bundle.Item) error) error {
	return r.collect(ctx, Requested, r.lines, take)
}
