package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/cases"
)

func policyShowCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show what is in force, and which line says so", ArgsUsage: "[KEY]...",
		Description: `Shows the rules that files make; with --all the built-in defaults too. A KEY is
a key or a block, as in docs/POLICY.md.

Examples:
   remote-support policy show
   remote-support policy show --all session bundles.max_size`,
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "all", Usage: "also what no file says anything about"}},
		Action: policyShow,
	}
}

func policyShow(c *cli.Context) error {
	p, err := openPolicy(c)
	var bad *policy.LoadError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	settings, err := chooseSettings(p, c.Args().Slice(), c.Bool("all"))
	if err != nil {
		return err
	}
	word, rule := p.RemoteAccess()
	out := struct {
		Remote   string           `json:"remote_access"`
		By       policy.Rule      `json:"by"`
		Loads    bool             `json:"loads"`
		Hash     string           `json:"hash"`
		Required bool             `json:"signatures_required"`
		Signers  []string         `json:"signers"`
		Files    []*policy.File   `json:"files"`
		Settings []policy.Setting `json:"settings"`
		Notes    []policy.Note    `json:"notes,omitempty"`
	}{word, rule, bad == nil, p.Hash(), p.SignatureRequired(), p.Signers().Names(), p.Files(), settings, p.Notes()}
	if err := cmdline.Print(c, out, func(w io.Writer) error {
		fmt.Fprintf(w, "remote access: %s   %s\n", strings.ReplaceAll(word, "_", " "), rule.Source)
		for _, f := range p.Files() {
			fmt.Fprintf(w, "%s: %s%s%s\n", f.Path, f.Name, version(f), signer(f))
		}
		for _, n := range p.Notes() {
			fmt.Fprintf(w, "note: %s\n", strings.TrimPrefix(n.File+": "+n.Text, ": "))
		}
		for _, s := range settings {
			fmt.Fprintf(w, "\n%s = %s\n", s.Key, shorten(s.Value))
			for _, r := range s.Rules {
				printRule(w, "by", r)
			}
			for _, r := range s.Lost {
				printRule(w, "less strict:", r)
			}
		}
		if len(settings) == 0 {
			fmt.Fprintln(w, "no file says anything: the built-in default is in force (--all shows it)")
		}
		return nil
	}); err != nil {
		return err
	}
	if bad != nil {
		return bad
	}
	return nil
}

func printRule(w io.Writer, how string, r policy.Rule) {
	if r.Source.Line == 0 {
		return
	}
	fmt.Fprintf(w, "    %s %s   %s", how, shorten(r.Value), r.Source)
	if r.Reason != "" {
		fmt.Fprintf(w, "   (%s)", r.Reason)
	}
	fmt.Fprintln(w)
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "..."
	}
	return s
}

func version(f *policy.File) string {
	if f.Version == 0 {
		return ""
	}
	return fmt.Sprintf(" version %d", f.Version)
}

func signer(f *policy.File) string {
	if f.Signer == "" {
		return ""
	}
	return ", signed by " + f.Signer
}

// chooseSettings picks what was asked for by key or block.
func chooseSettings(p *policy.Policy, names []string, all bool) ([]policy.Setting, error) {
	settings := p.Effective()
	for _, n := range names {
		if !slices.ContainsFunc(settings, func(s policy.Setting) bool { return selects(n, s.Key) }) {
			return nil, cmdline.Usagef("no key or block is called %q; see docs/POLICY.md", n)
		}
	}
	return slices.DeleteFunc(settings, func(s policy.Setting) bool {
		if len(names) > 0 {
			return !slices.ContainsFunc(names, func(n string) bool { return selects(n, s.Key) })
		}
		return s.Default && !all
	}), nil
}

func selects(name, key string) bool { return name == key || strings.HasPrefix(key, name+".") }

func policyExplainCommand() *cli.Command {
	var list strings.Builder
	for _, a := range policy.Actions() {
		var facts []string
		for _, f := range policy.Needed(a) {
			facts = append(facts, string(f))
		}
		fmt.Fprintf(&list, "   %-17s %s\n", a, strings.Join(facts, " "))
	}
	return &cli.Command{
		Name: "explain", Usage: "say whether an action is allowed, by which line, and what would have to change", ArgsUsage: "ACTION [FACT=VALUE]...",
		Description: "Facts that an action needs and that are missing are asked for by the answer.\nThe exit code is 0 when the question was answered; with --exit-code, 3 when the\naction is refused.\n\nActions, and the facts that they need:\n" + list.String() + `
Examples:
   remote-support policy explain bundle.send rss=rss.example.com bytes=1000000
   remote-support policy explain access.command engineer=eve run_as=support command="df -h"`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "exit-code", Usage: "exit with 3 when the action is refused"},
			&cli.StringFlag{Name: "policy", Usage: "ask the policy files in `DIR` instead of those in force"},
		},
		Action: policyExplain,
	}
}

func policyExplain(c *cli.Context) error {
	if c.NArg() == 0 {
		return cmdline.Usagef("name the action; the actions are listed by --help")
	}
	action := policy.Action(c.Args().First())
	if !slices.Contains(policy.Actions(), action) {
		return cmdline.Usagef("there is no action %q; it is one of %s", action, actionNames())
	}
	facts, err := cases.ParseFacts(c.Args().Tail())
	if err != nil {
		return cmdline.Usagef("%v", err)
	}
	var p *policy.Policy
	if dir := c.String("policy"); dir != "" {
		p, err = loadPaths([]string{dir})
	} else {
		p, err = openPolicy(c)
	}
	var bad *policy.LoadError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	e := p.Explain(action, facts)
	if err := cmdline.Print(c, e, func(w io.Writer) error {
		_, err := io.WriteString(w, e.Text())
		return err
	}); err != nil {
		return err
	}
	if c.Bool("exit-code") && !e.Allowed {
		return cmdline.Silent(cmdline.ExitRefused)
	}
	return nil
}

func actionNames() string {
	names := make([]string, 0, len(policy.Actions()))
	for _, a := range policy.Actions() {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}
