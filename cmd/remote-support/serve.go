package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the agent until it is told to stop",
		Description: `The agent answers the local API on a unix socket, and remote access lives in it:
when it ends, a session ends. It opens no network port, and no connection unless
somebody turns remote access on, by command or by the global switch in local.cfg.`,
		Action: func(c *cli.Context) (err error) {
			// Passwords of those who log in pass through it.
			if err := keepPrivate(); err != nil {
				return err
			}
			a, err := openAgent(c)
			if err != nil {
				return err
			}
			defer closing(a, &err)
			return a.Run(c.Context)
		},
	}
}

func reloadCommand() *cli.Command {
	return &cli.Command{
		Name:  "reload",
		Usage: "have the running agent read its policy anew",
		Action: func(c *cli.Context) error {
			root, err := cmdline.Root(c)
			if err != nil {
				return err
			}
			client, err := control.Dial(c.Context, root.ControlSocket())
			if err != nil {
				return err
			}
			r, err := client.Reload(c.Context, control.Self())
			if err != nil {
				return err
			}
			what := "policy is unchanged"
			if r.Changed {
				what = "new policy in force"
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s: %s\n", what, r.PolicyHash)
			return err
		},
	}
}
