package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/policy"
)

func sanitizeCommand() *cli.Command {
	return &cli.Command{
		Name:      "sanitize",
		Usage:     "hide secrets, names and addresses in a file, a folder or standard input",
		ArgsUsage: "[FILE|DIR|-]",
		Description: `A FILE goes to standard output or, with -o, to another file; a DIR keeps its
tree in a new folder; - or nothing reads standard input.

Examples:
   send-bundle sanitize app.log -o app.sanitized.log
   send-bundle sanitize /var/log -o /tmp/logs --report report.json
   journalctl -b | send-bundle sanitize - > journal.txt`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "write to `OUT`: a new file, or a new folder"},
			&cli.BoolFlag{Name: "no-pseudonyms", Usage: "leave names and addresses as they are; secrets go all the same"},
			ipModeFlag(),
			&cli.StringFlag{Name: "report", Usage: "write the redaction report to `FILE`"},
			&cli.BoolFlag{Name: "each", Usage: "let every file stand alone: nothing found in one is hidden in another because of it"},
		},
		Action: sanitizeAction,
	}
}

func sanitizeAction(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("name one file or folder, or - for standard input")
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	random, err := randomIPs(c)
	if err != nil {
		return err
	}
	pol, err := policy.Open(root)
	if err != nil {
		return err // a redaction might be missing
	}
	engine, err := bundler.NewEngine(root, bundler.EngineOptions{
		NoPseudonyms: c.Bool("no-pseudonyms"), RandomIPs: random || pol.RandomIPs(), Forget: c.Bool("each"), Redactions: pol.Redactions(),
	})
	if err != nil {
		return err
	}
	in := c.Args().First()
	s := &scrubber{engine: engine, out: c.String("o"), stdout: c.App.Writer, stderr: c.App.ErrWriter}
	switch st, serr := os.Stat(in); {
	case in == "" || in == "-":
		err = s.stream(c.Context, os.Stdin, "stdin")
	case serr != nil:
		return fmt.Errorf("sanitize: %w", serr)
	case st.IsDir():
		err = s.folder(c.Context, in)
	default:
		err = s.file(c.Context, in)
	}
	if err != nil {
		return err
	}
	if err := engine.Flush(); err != nil {
		return err
	}
	if p := c.String("report"); p != "" {
		data, err := json.MarshalIndent(engine.Report(), "", "  ")
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if err := durable.WriteFile(p, append(data, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// check tells of what the final gate found, or of nothing.
type leakFound struct{ file, rule string }

func (e *leakFound) Error() string {
	return fmt.Sprintf("the final check found something in %s that should be hidden (rule %s); the output was removed", e.file, e.rule)
}

// ExitCode is 4: a check did not hold.
func (e *leakFound) ExitCode() int { return cmdline.ExitCheckFailed }
