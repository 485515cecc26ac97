package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/cases"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "show, explain, check, test, sign and trust the policy of this system",
		Subcommands: []*cli.Command{
			policyShowCommand(),
			policyExplainCommand(),
			{
				Name: "check", Usage: "list every mistake in policy files", ArgsUsage: "[FILE|DIR]...",
				Description: `Without arguments the policy of this system is checked, with its signatures
and versions. Exit code 4 when there is a mistake.

Examples:
   remote-support policy check
   remote-support policy check ./10-site.hcl ./20-lab.hcl`,
				Action: policyCheck,
			},
			{
				Name: "test", Usage: "run the tests that stand beside policy files", ArgsUsage: "DIR...",
				Description: `A test is an archive *.txtar with a file "cases": lines such as

   allow session.open user=ada method=sso roles=admin rss=rss.example.com transport=direct duration=4h
   deny access.upload engineer=eve path=/tmp/x
     by engineer.upload

Exit code 4 when a case does not hold, or with --full when no case tries a rule.`,
				Flags:  []cli.Flag{&cli.BoolFlag{Name: "full", Usage: "fail when a rule is tried by no case"}},
				Action: policyTest,
			},
			{
				Name: "diff", Usage: "say what becomes allowed or forbidden", ArgsUsage: "OLD NEW",
				Description: "OLD and NEW are policy files or directories of them.\n\nExample:\n   remote-support policy diff /etc/latchstring/policies.d ./proposed",
				Action:      policyDiff,
			},
			policySignCommand(),
			policyTrustCommand(),
		},
	}
}

// openPolicy loads the policy of the system and leaves no trace of that.
func openPolicy(c *cli.Context) (*policy.Policy, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return nil, err
	}
	return policy.Open(root, policy.ReadOnly())
}

// loadPaths loads policy files and directories of them as one policy.
func loadPaths(names []string) (*policy.Policy, error) {
	files := map[string][]byte{}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			if len(names) == 1 {
				return policy.Load(name)
			}
			return nil, cmdline.Usagef("name one directory or several files, not both (%s is a directory)", name)
		}
		if files[name], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return policy.Parse(files)
}

func policyCheck(c *cli.Context) error {
	var p *policy.Policy
	var err error
	if c.NArg() == 0 {
		p, err = openPolicy(c)
	} else {
		p, err = loadPaths(c.Args().Slice())
	}
	var bad *policy.LoadError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	out := struct {
		OK       bool             `json:"ok"`
		Files    []*policy.File   `json:"files"`
		Mistakes []policy.Mistake `json:"mistakes"`
		Notes    []policy.Note    `json:"notes,omitempty"`
	}{OK: bad == nil, Files: p.Files(), Notes: p.Notes()}
	if bad != nil {
		out.Mistakes = bad.Mistakes
	}
	if err := cmdline.Print(c, out, func(w io.Writer) error {
		for _, m := range out.Mistakes {
			fmt.Fprintln(w, m)
		}
		if out.OK {
			fmt.Fprintf(w, "%d policy files, %d rules, no mistakes\n", len(p.Files()), len(p.Rules()))
		}
		for _, f := range p.Files() {
			if f.Signer != "" {
				fmt.Fprintf(w, "%s: signed by %s\n", f.Path, f.Signer)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if bad != nil {
		return &checkFailed{fmt.Sprintf("%d mistakes; remote access stays off while the policy does not load", len(bad.Mistakes))}
	}
	return nil
}

// checkFailed ends a command whose check did not hold.
type checkFailed struct{ text string }

func (e *checkFailed) Error() string { return e.text }
func (e *checkFailed) ExitCode() int { return cmdline.ExitCheckFailed }

func policyTest(c *cli.Context) error {
	if c.NArg() == 0 {
		return cmdline.Usagef("name the directory with the policy files and their tests")
	}
	failed, missed := 0, 0
	reports := map[string]*cases.Report{}
	for _, dir := range c.Args().Slice() {
		r, err := cases.Run(dir)
		if err != nil {
			return err
		}
		reports[dir] = r
		failed += len(r.Failures)
		missed += len(r.Missed)
	}
	if err := cmdline.Print(c, reports, func(w io.Writer) error {
		for _, dir := range c.Args().Slice() {
			r := reports[dir]
			for _, f := range r.Failures {
				fmt.Fprintf(w, "FAIL %s\n", f)
			}
			for _, rule := range r.Missed {
				fmt.Fprintf(w, "not tried: %s = %s   %s\n", rule.Key, rule.Value, rule.Source)
			}
			state := "ok  "
			if !r.OK() {
				state = "FAIL"
			}
			fmt.Fprintf(w, "%s %s: %d cases, %d failed, %d of %d rules tried\n", state, dir, r.Ran, len(r.Failures), r.Covered, r.Rules)
		}
		return nil
	}); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return &checkFailed{fmt.Sprintf("%d cases failed", failed)}
	case missed > 0 && c.Bool("full"):
		return &checkFailed{fmt.Sprintf("%d rules are tried by no case", missed)}
	}
	return nil
}

func policyDiff(c *cli.Context) error {
	if c.NArg() != 2 {
		return cmdline.Usagef("name the old and the new policy file or directory")
	}
	before, err := loadPaths([]string{c.Args().Get(0)})
	if err != nil {
		return err
	}
	after, err := loadPaths([]string{c.Args().Get(1)})
	if err != nil {
		return err
	}
	changes := policy.Diff(before, after)
	return cmdline.Print(c, changes, func(w io.Writer) error {
		if len(changes) == 0 {
			_, err := fmt.Fprintln(w, "the same is allowed")
			return err
		}
		rows := [][]string{{"", "WHAT", "WHERE"}}
		for _, ch := range changes {
			where := ""
			if len(ch.Rules) > 0 && ch.Rules[0].Source.Line > 0 {
				where = ch.Rules[0].Source.String()
			}
			rows = append(rows, []string{string(ch.Direction), ch.Text, where})
		}
		return cmdline.Table(w, rows)
	})
}
