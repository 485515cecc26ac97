package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
)

func revealCommand() *cli.Command {
	return &cli.Command{
		Name:      "reveal",
		Usage:     "turn pseudonyms back, with the key of this machine",
		ArgsUsage: "TOKEN...",
		Description: `Addresses are turned back with the key, names with the book that this machine
keeps. Neither ever leaves it. An address does not show in which mode its pseudonym
was made: say it if it was not the usual one.

Examples:
   send-bundle reveal h-7f3a2k1q 10.73.4.1
   send-bundle reveal --ip-mode random 10.73.4.1`,
		Flags:  []cli.Flag{ipModeFlag()},
		Action: reveal,
	}
}

func reveal(c *cli.Context) error {
	if c.NArg() == 0 {
		return cmdline.Usagef("name the pseudonyms to turn back")
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	random, err := randomIPs(c)
	if err != nil {
		return err
	}
	out, err := bundler.Reveal(root, random, c.Args().Slice())
	if err != nil {
		return err
	}
	unknown := false
	err = cmdline.Print(c, out, func(w io.Writer) error {
		for _, r := range out {
			if r.Error != "" {
				fmt.Fprintf(c.App.ErrWriter, "send-bundle: %s\n", r.Error)
				continue
			}
			fmt.Fprintf(w, "%s\t%s\n", printable(r.Token), printable(r.Name))
		}
		return nil
	})
	for _, r := range out {
		unknown = unknown || r.Error != ""
	}
	if err == nil && unknown {
		return cmdline.Silent(cmdline.ExitFailed)
	}
	return err
}
