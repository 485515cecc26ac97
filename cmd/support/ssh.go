package main

import (
	"errors"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect/shell"
)

func sshCommand() *cli.Command {
	return &cli.Command{
		Name:      "ssh",
		Usage:     "open a shell on a system, or run a command there",
		ArgsUsage: "SYSTEM [-- COMMAND]",
		Description: `The first time the secret is asked for that the customer tells you; the
connections after it need none until his session ends. Your certificate says who
you are. Everything on the screen is recorded.

When the network fails, the connection goes on within 60 seconds where it was.
~. at the beginning of a line ends it, ~? tells more. The exit code is that of
the command.

Examples:
   support ssh array-7 --case C-4711
   support ssh array-7 -- df -h /var
   support ssh array-7 -t -- top`,
		Flags: accessFlags(
			&cli.BoolFlag{Name: "t", Usage: "a terminal also for a command"},
			&cli.BoolFlag{Name: "T", Usage: "no terminal for the shell"},
		),
		Action: sshAction,
	}
}

func sshAction(c *cli.Context) error {
	name, command, err := named(c)
	if err != nil {
		return err
	}
	if c.Bool("t") && c.Bool("T") {
		return cmdline.Usagef("-t and -T say the opposite")
	}
	w, err := findWay(c, name)
	if err != nil {
		return err
	}
	defer w.close()
	cl, err := w.dial(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	o := shell.Options{Command: strings.Join(command, " "), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Escapes: true}
	if c.Bool("t") || o.Command == "" && !c.Bool("T") {
		o.Terminal = shell.Local()
		if o.Terminal == nil && c.Bool("t") {
			w.tell.say("standard input is no terminal, so there is none for the command")
		}
	}
	err = shell.Run(c.Context, cl, o)
	var ended *shell.ExitError
	var lost *shell.LostError
	switch {
	case errors.Is(err, shell.ErrEnded):
		w.tell.say("the connection to " + w.system.Name + " is closed")
		return nil
	case errors.As(err, &ended):
		if ended.Signal != "" {
			w.tell.say(ended.Error())
		}
		return exitSilently(err)
	case errors.As(err, &lost):
		return w.lost(err)
	}
	return err
}
