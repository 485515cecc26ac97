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
	"github.com/latchstring/latchstring/core/disable"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
)

const disableText = `This disables remote access on this system for good:

  - an open session is cut at once, and no new one can be opened;
  - nothing in the product turns it on again: no command, no page, no policy, no
    restored backup, no other clock. Only a new installation does;
  - what logins and engineers are trusted by is destroyed: keys, tickets, settings
    in auth.d; the vendor's relay is told to take this system for no session;
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
		Action: disablePermanently,
	}
}

func disablePermanently(c *cli.Context) error {
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

// disabled is what `disable --permanently` prints.
type disabled struct {
	Sealed bool        `json:"sealed"`
	Record seal.Record `json:"record"`
	Proof  *seal.Proof `json:"proof,omitempty"`
	Check  string      `json:"check,omitempty"` // how anybody checks the proof

	Left  []string `json:"left"` // of what remote access rested on: what could not be destroyed
	Relay struct {
		Told  bool   `json:"told"`            // it knows, or there is none that could
		Error string `json:"error,omitempty"` // why it does not
	} `json:"relay"`
}

// sealSystem seals first and does everything else afterwards: whatever fails
// then is told, and changes nothing about the seal.
func sealSystem(c *cli.Context, root paths.Root, host string) error {
	r := sealRecord(c, root, host)
	o := disable.Options{Root: root, Actor: r.By, Cut: func() error { return cutSession(c, root) }}
	// What cannot be opened is no reason not to seal.
	var sysErr, logErr error
	if o.System, sysErr = identity.Open(root.Identity()); sysErr != nil {
		o.System = nil
	} else if log, err := audit.Open(root.Audit(), audit.WithSigner(o.System)); err != nil {
		logErr = err
	} else {
		defer log.Close()
		o.Audit = log
	}
	done, err := disable.Run(o, r)
	var after *disable.Error
	if err != nil && !errors.As(err, &after) {
		return err
	}
	out := disabled{Sealed: true, Record: done.Record, Proof: done.Proof, Left: []string{}}
	if o.System != nil {
		out.Left = append(out.Left, disable.Left(root, o.System)...)
	}
	if done.Proof != nil {
		out.Check = done.Proof.Command()
	}
	if telling := tellRelay(c); telling != nil {
		out.Relay.Error = telling.Error()
	} else {
		out.Relay.Told = true
	}
	if err := cmdline.Print(c, out, func(w io.Writer) error { return printDisabled(w, out) }); err != nil {
		return err
	}
	if more := errors.Join(sysErr, logErr); more != nil && after == nil {
		return &disable.Error{Err: more}
	}
	return err
}

func printDisabled(w io.Writer, d disabled) error {
	fmt.Fprintf(w, "remote access is disabled for good since %s\n", d.Record.SealedAt.Local().Format("2006-01-02 15:04:05 MST"))
	for _, what := range d.Left {
		fmt.Fprintf(w, "STILL HERE %s\n", what)
	}
	if len(d.Left) == 0 {
		fmt.Fprintln(w, "destroyed  keys, logins and records that it rested on")
	}
	if d.Record.Bundles {
		fmt.Fprintln(w, "bundles    go on: send-bundle works as before")
	}
	if d.Relay.Error != "" {
		fmt.Fprintf(w, "relay      it does not know yet: %s\n           the next send-bundle tells it, or give the statement to support\n", d.Relay.Error)
	}
	if d.Proof != nil {
		fmt.Fprintf(w, "statement  %s\ncheck it   %s\n", d.Proof.Statement, d.Check)
	}
	return nil
}

// sealRecord is what the seal says about itself.
func sealRecord(c *cli.Context, root paths.Root, host string) seal.Record {
	r := seal.Record{Bundles: true}
	if p, _ := policy.Open(root, policy.ReadOnly()); p != nil { // one that does not load is recorded too
		r = p.Record()
	}
	r.SealedAt, r.Host, r.By, r.Cause = time.Now(), host, fmt.Sprintf("uid:%d", os.Getuid()), "remote-support disable --permanently"
	if reason := c.String("reason"); reason != "" {
		r.Cause += ": " + reason
	}
	return r
}

// cutWithin bounds how long a session may take to end. That nobody new enters
// does not wait for it.
const cutWithin = 30 * time.Second

// cutSession has the running agent notice the seal, and waits until its session
// has ended. Without an agent, what a dead one left is ended here.
func cutSession(c *cli.Context, root paths.Root) error {
	ctx, cancel := context.WithTimeout(c.Context, cutWithin)
	defer cancel()
	client, err := control.Dial(ctx, root.ControlSocket())
	if errors.Is(err, control.ErrNotRunning) {
		a, err := openAgent(c)
		if err != nil {
			return err
		}
		return errors.Join(a.Bury(ctx), a.Close())
	}
	if err != nil {
		return err
	}
	// Its error is about policy files; the seal holds without them.
	_, reload := client.Reload(ctx, control.Self())
	for {
		s, err := client.Session(ctx, control.Self())
		if err != nil {
			return errors.Join(err, reload)
		}
		if s.State == "off" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the session is still %s; nobody can enter any more, but somebody may be in; end the agent: %w", s.State, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tellRelay tells the relay, once and shortly.
func tellRelay(c *cli.Context) error {
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, 30*time.Second)
	defer cancel()
	_, err = a.TellSealed(ctx)
	return errors.Join(err, a.Close())
}
