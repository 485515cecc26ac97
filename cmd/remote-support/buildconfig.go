package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/buildconfig"
)

func buildConfigCommand() *cli.Command {
	return &cli.Command{
		Name:  "build-config",
		Usage: "check local.cfg and the policy, and put them in force",
		Description: `Editing local.cfg changes nothing until this command has checked it. Mistakes in
local.cfg or in a policy file are listed all at once, and nothing is changed.

While remote support is on, a support bundle is sent, too; one that cannot be
sent is queued, and is no failure of this command. While it is off nothing is
sent.

Examples:
   remote-support build-config
   remote-support build-config --pending    what was edited and is not in force yet`,
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "pending", Usage: "only say what is not in force yet"}},
		Action: buildConfig,
	}
}

func buildConfig(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	if c.Bool("pending") {
		pending, err := buildconfig.Pending(root)
		if err != nil {
			return err
		}
		return cmdline.Print(c, pending, func(w io.Writer) error {
			for _, line := range pending {
				fmt.Fprintln(w, line)
			}
			if len(pending) == 0 {
				fmt.Fprintln(w, "everything in local.cfg is in force")
			}
			return nil
		})
	}
	r, err := buildconfig.Build(root)
	if err != nil {
		return err
	}
	out := built{Result: r}
	text := func(w io.Writer) error {
		for _, line := range r.Changes {
			fmt.Fprintln(w, line)
		}
		for _, line := range r.Warnings {
			fmt.Fprintln(w, "warning: "+line)
		}
		if !r.Changed() {
			fmt.Fprintln(w, "nothing has changed")
		}
		return nil
	}
	if !cmdline.JSON(c) { // a bundle takes a while
		if err := text(c.App.Writer); err != nil {
			return err
		}
	}
	if out.Bundle, err = bundleWhileOn(c, root, r.Effective); err != nil {
		return err
	}
	return cmdline.Print(c, out, func(w io.Writer) error {
		if out.Bundle == nil {
			return nil
		}
		return out.Bundle.print(w, c.App.ErrWriter)
	})
}

// built is what build-config prints.
type built struct {
	buildconfig.Result
	Bundle *bundleSent `json:"bundle,omitempty"` // while remote support is on
}
