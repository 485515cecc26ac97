package accuracy

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize"
)

// Runner sends cases through engines.
type Runner struct {
	// New makes an engine; normally [sanitize.New].
	New func(sanitize.Options) (sanitize.Engine, error)
	// Key is the pseudonym key of the run with pseudonyms.
	Key sanitize.Key

	plain, keyed sanitize.Engine // engines without hints, made once
}

// Outcome is a case and what became of it.
type Outcome struct {
	Case     *Case
	Out      Outputs
	Failures []Failure
}

// Run judges every case. It stops at the first engine error: an engine that
// cannot sanitize a case is broken, not inaccurate.
func (r *Runner) Run(ctx context.Context, cases []Case) ([]Outcome, error) {
	out := make([]Outcome, 0, len(cases))
	for i := range cases {
		c := &cases[i]
		o, err := r.outputs(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("case %s of %s: %w", c.ID, c.Set, err)
		}
		out = append(out, Outcome{Case: c, Out: o, Failures: Judge(c, o)})
	}
	return out, nil
}

func (r *Runner) outputs(ctx context.Context, c *Case) (Outputs, error) {
	names := sanitize.Names{Hosts: c.Hints.Hosts, Domains: c.Hints.Domains, Users: c.Hints.Users}
	hinted := len(names.Hosts)+len(names.Domains)+len(names.Users) > 0
	on, off := r.keyed, r.plain
	if hinted || on == nil {
		var err error
		key := r.Key
		if on, err = r.New(sanitize.Options{Key: &key, Names: names, Forget: true}); err != nil {
			return Outputs{}, err
		}
		if off, err = r.New(sanitize.Options{Names: names, Forget: true}); err != nil {
			return Outputs{}, err
		}
		if !hinted {
			r.keyed, r.plain = on, off
		}
	}
	var o Outputs
	var err error
	if o.On, err = copyString(ctx, on, c); err != nil {
		return o, fmt.Errorf("with pseudonyms: %w", err)
	}
	if o.Off, err = copyString(ctx, off, c); err != nil {
		return o, fmt.Errorf("without pseudonyms: %w", err)
	}
	return o, nil
}

func copyString(ctx context.Context, e sanitize.Engine, c *Case) (string, error) {
	var b bytes.Buffer
	if _, err := e.Copy(ctx, &b, strings.NewReader(c.Input), sanitize.File{Name: c.name()}); err != nil {
		return "", err
	}
	return b.String(), nil
}
