package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
)

const disableText = `This disables remote access on this system for good:

  - an open session is cut at once, and no new one can be opened;
  - nothing in the product turns it on again: no command, no page, no policy, no
    restored backup, no other clock. Only a new installation does;
  - support bundles go on working, unless policy forbids them too.

A signed statement is written that says so, for your records.
`

func disableCommand() *cli.Command {
	return &cli.Command{
		Name:  "disable",
		Usage: "disable remote access on this system for good",
		Description: disableText + `
Examples:
   remote-support disable --permanently
   remote-support disable --permanently --reason "board decision 12" --confirm "permanently disable remote access on HOST"`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "permanently", Usage: "needed: to switch it off for a while use `remote-support off`"},
			&cli.StringFlag{Name: "confirm", Usage: "the `SENTENCE` that is otherwise asked for"},
			&cli.StringFlag{Name: "reason", Usage: "stands in the statement and in every refusal: `TEXT`"},
		},
		Action: disable,
	}
}

func disable(c *cli.Context) error {
	if !c.Bool("permanently") {
		return cmdline.Usagef("say --permanently; to switch remote access off for a while use `remote-support off`")
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find the name of this host: %w", err)
	}
	if !seal.Check(root).Sealed {
		if err := confirmSentence(c, "permanently disable remote access on "+host); err != nil {
			return err
		}
	}
	return sealSystem(c, root, host)
}

// confirmSentence asks for a sentence to be typed, word for word.
func confirmSentence(c *cli.Context, sentence string) error {
	if given := c.String("confirm"); given != "" {
		if given != sentence {
			return cmdline.Usagef("nothing was changed: --confirm must say %q", sentence)
		}
		return nil
	}
	if !cmdline.Interactive() {
		return cmdline.Usagef("nothing was changed: standard input is no terminal, so --confirm must say %q", sentence)
	}
	fmt.Fprintf(c.App.ErrWriter, "%s\nTo go on, type: %s\n> ", disableText, sentence)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the confirmation: %w", err)
	}
	if strings.TrimSpace(line) != sentence {
		return cmdline.Usagef("nothing was changed: that is not the sentence")
	}
	return nil
}

// sealSystem seals first and does everything else afterwards: whatever fails
// then is told, and changes nothing about the seal.
func sealSystem(c *cli.Context, root paths.Root, host string) error {
	by := fmt.Sprintf("uid:%d", os.Getuid())
	r := seal.Record{SealedAt: time.Now(), Host: host, By: by, Cause: "remote-support disable --permanently"}
	if reason := c.String("reason"); reason != "" {
		r.Cause += ": " + reason
	}
	if p, _ := policy.Open(root, policy.ReadOnly()); p != nil { // one that does not load is recorded too
		known := p.Record()
		r.Policy, r.Files = known.Policy, known.Files
	}
	// The key is read before it is too late to sign, and its failure is no
	// reason not to seal.
	system, idErr := identity.Open(root.Identity())
	if idErr == nil {
		r.System = system.ID()
	}
	sealErr := seal.Seal(root, r)
	state := seal.Check(root)
	if !state.Sealed {
		return sealErr
	}
	errs := []error{sealErr, idErr}
	out := struct {
		Sealed bool        `json:"sealed"`
		Record seal.Record `json:"record"`
		Proof  *seal.Proof `json:"proof,omitempty"`
		Check  string      `json:"check,omitempty"`
	}{Sealed: true, Record: state.Record}
	if idErr == nil {
		if proof, err := seal.Prove(root, system); err != nil {
			errs = append(errs, err)
		} else {
			out.Proof, out.Check = &proof, proof.Command()
		}
		errs = append(errs, recordSeal(root, system, r))
	}
	errs = append(errs, withAPI(c, func(ctx context.Context, api control.API) error {
		_, err := api.Reload(ctx, control.Caller{})
		var broken *policy.LoadError
		if errors.As(err, &broken) {
			return nil // it is off all the same
		}
		return err
	}))
	if err := cmdline.Print(c, out, func(w io.Writer) error {
		fmt.Fprintf(w, "remote access is disabled for good since %s\n", state.Record.SealedAt.Local().Format("2006-01-02 15:04:05 MST"))
		if out.Proof != nil {
			fmt.Fprintf(w, "statement  %s\ncheck it   %s\n", out.Proof.Statement, out.Check)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remote access IS disabled for good, but not all went well: %w", err)
	}
	return nil
}

func recordSeal(root paths.Root, system *identity.System, r seal.Record) (err error) {
	log, err := audit.Open(root.Audit(), audit.WithSigner(system))
	if err != nil {
		return err
	}
	defer closing(log, &err)
	_, err = log.Append(audit.Event{Type: audit.SystemSealed, Actor: r.By, Subject: system.ID(), Detail: map[string]string{"cause": r.Cause, "policy": r.Policy}})
	return err
}
