package main

import (
	"fmt"
	"net"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the agent until it is told to stop",
		Description: `The agent answers the local API on a unix socket, and remote access lives in it:
when it ends, a session ends. It makes no connection unless somebody turns remote
access on, by command or by the global switch in local.cfg.

The web pages are served over HTTPS on port 9000, and port 8000 leads there. That
is for administrators; an engineer comes in through the tunnel and no port. With
--root nothing listens unless --web says where. Policy can forbid it (web.enabled).

Examples:
   remote-support serve
   remote-support serve --web 10.0.0.5:9000 --web-redirect ""
   remote-support serve --web ""`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "web", Usage: "serve the web pages at `[HOST]:PORT`, over HTTPS; empty: nowhere", DefaultText: ":9000, and none with --root"},
			&cli.StringFlag{Name: "web-redirect", Usage: "lead browsers from HTTP at `[HOST]:PORT` to the web pages; empty: nowhere", DefaultText: "port 8000, when --web has port 9000"},
		},
		Action: func(c *cli.Context) (err error) {
			// Passwords of those who log in pass through it.
			if err := keepPrivate(); err != nil {
				return err
			}
			pages, err := webFlags(c)
			if err != nil {
				return err
			}
			a, err := openAgentWith(c, agent.Options{Web: pages})
			if err != nil {
				return err
			}
			err = a.Run(c.Context)
			closing(a, &err)
			if err == nil && a.Restarting() && c.Context.Err() == nil {
				return restart() // REQ B11
			}
			return err
		},
	}
}

// webFlags says where the pages are served. A root for tests and trials does not
// take the ports of the machine.
func webFlags(c *cli.Context) (agent.Web, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return agent.Web{}, err
	}
	w := agent.Web{Address: c.String("web"), Redirect: c.String("web-redirect")}
	if !c.IsSet("web") && root.Dir == "" {
		w.Address = ":9000"
	}
	if w.Address == "" {
		return agent.Web{}, nil
	}
	host, port, err := net.SplitHostPort(w.Address)
	if err != nil {
		return w, cmdline.Usagef("--web %s: write it as [HOST]:PORT", w.Address)
	}
	if !c.IsSet("web-redirect") && port == "9000" {
		w.Redirect = net.JoinHostPort(host, "8000")
	}
	if w.Redirect != "" {
		if _, _, err := net.SplitHostPort(w.Redirect); err != nil {
			return w, cmdline.Usagef("--web-redirect %s: write it as [HOST]:PORT", w.Redirect)
		}
	}
	return w, nil
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
