package main

import (
	"os"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/gentle"
)

// gatherCommand is the far end of --on.
func gatherCommand() *cli.Command {
	return &cli.Command{
		Name:   "gather",
		Usage:  "make a bundle for another machine; `send-bundle --on` runs it over ssh",
		Hidden: true,
		Action: func(c *cli.Context) error {
			if term.IsTerminal(int(os.Stdin.Fd())) || term.IsTerminal(int(os.Stdout.Fd())) {
				return cmdline.Usagef("gather is what `send-bundle --on` runs on other machines")
			}
			_ = gentle.Yield() // it is no less welcome at full speed
			return withBundler(c, func(b *bundler.Bundler) error { return b.Gather(c.Context, os.Stdin, c.App.Writer) })
		},
	}
}
