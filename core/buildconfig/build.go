package buildconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
)

// Effective is the configuration in force.
type Effective struct {
	Version  int               `json:"version"` // of this format: 1
	BuiltAt  time.Time         `json:"built_at"`
	Switch   policy.Switch     `json:"switch"`
	Local    map[string]Value  `json:"local"`    // by key of local.cfg; ours only
	Policy   string            `json:"policy"`   // hash of the policy
	Settings map[string]string `json:"settings"` // effective policy, by key
}

// Value is one value of local.cfg, with its line at the time.
type Value struct {
	Value string `json:"value"`
	Line  int    `json:"line"`
}

// Result is what [Build] did.
type Result struct {
	Effective Effective `json:"effective"`
	First     bool      `json:"first"`    // nothing was in force before
	Changes   []string  `json:"changes"`  // one line a difference
	Warnings  []string  `json:"warnings"` // what has no effect, and why
}

// Changed reports whether anything is different now.
func (r Result) Changed() bool { return len(r.Changes) > 0 }

// Build checks local.cfg and the policy and puts both in force. On an error
// nothing was changed; it holds the mistakes of both.
func Build(root paths.Root, opts ...policy.Option) (Result, error) {
	old, err := Current(root)
	first := errors.Is(err, fs.ErrNotExist)
	if err != nil && !first {
		old = Effective{} // damaged: written anew
	}
	local, localErr := localcfg.Load(root.LocalConfig())
	if err := localErr; err != nil {
		_, policyErr := policy.Open(root, opts...)
		return Result{}, fmt.Errorf("nothing was changed: %w", errors.Join(err, policyErr))
	}
	next := Effective{Version: 1, BuiltAt: time.Now().UTC().Truncate(time.Second), Local: map[string]Value{}, Settings: map[string]string{}}
	for _, e := range local.Entries {
		if e.Ours() {
			next.Local[e.Key] = Value{e.Value, e.Line}
		}
	}
	next.Switch = switchOf(local)

	// The policy is checked with the switch as it will be, before anything is
	// written.
	p, err := policy.Open(root, append(opts, policy.WithSwitch(next.Switch))...)
	if err != nil {
		return Result{}, fmt.Errorf("nothing was changed: %w", err)
	}
	next.Policy = p.Hash()
	for _, s := range p.Effective() {
		next.Settings[s.Key] = s.Value
	}
	r := Result{Effective: next, First: first, Changes: differences(old, next)}
	if next.Switch.On {
		if word, rule := p.RemoteAccess(); word != "locked_on" && word != "allowed" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s=\"yes\" has no effect: remote access is %s by %s = %s at %s", localcfg.Enable, word, rule.Key, rule.Value, rule.Source))
		}
	}
	data, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return Result{}, fmt.Errorf("write the effective configuration: %w", err)
	}
	if err := os.MkdirAll(root.Var(), 0o700); err != nil {
		return Result{}, fmt.Errorf("write the effective configuration: %w", err)
	}
	if err := durable.WriteFile(policy.EffectivePath(root), append(data, '\n')); err != nil {
		return Result{}, fmt.Errorf("nothing was changed: %w", err)
	}
	return r, nil
}

func switchOf(f *localcfg.File) policy.Switch {
	s := policy.Switch{Key: localcfg.Enable, File: f.Path}
	if e, ok := f.Get(localcfg.Enable); ok {
		s.On, _ = e.Bool() // Load checked it
		s.Line = e.Line
	}
	return s
}

// Current reads the configuration in force. Before the first build it is
// fs.ErrNotExist.
func Current(root paths.Root) (Effective, error) {
	var e Effective
	data, err := os.ReadFile(policy.EffectivePath(root))
	if err != nil {
		return e, fmt.Errorf("read the effective configuration: %w", err)
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Version != 1 {
		return Effective{}, fmt.Errorf("the effective configuration %s is damaged; run `remote-support build-config`", policy.EffectivePath(root))
	}
	return e, nil
}
