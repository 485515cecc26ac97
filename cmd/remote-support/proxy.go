package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/sealed"
)

func proxyCommand() *cli.Command {
	return &cli.Command{
		Name:  "proxy",
		Usage: "keep the logins of proxies, for when nobody is there to type them",
		Description: `Where a proxy wants a login and the command line names no user, the login that is
kept for that proxy is used, by remote access, by the test, and by send-bundle. It
lies encrypted on this machine, readable by root only.

The word machine in the place of a proxy, as in --proxy machine or in local.cfg,
means the proxy that HTTPS_PROXY and NO_PROXY name, in the environment or in
/etc/environment. A password in there is not used.

Examples:
   remote-support proxy set https://ada@proxy.example:3128
   remote-support proxy show
   remote-support on --proxy machine`,
		Subcommands: []*cli.Command{
			{Name: "set", Usage: "keep the login for a proxy", ArgsUsage: "URL",
				Description: "The password is asked for, or read from a file.\n\nExample:\n   remote-support proxy set https://ada@proxy.example:3128 --password-file FILE",
				Flags:       []cli.Flag{&cli.StringFlag{Name: "password-file", Usage: "take the password from `FILE` instead of asking"}},
				Action:      proxySet},
			{Name: "show", Usage: "list what is kept, without passwords, and what the machine's settings say for the relay", Action: cmdline.NoArgs(proxyShow)},
			{Name: "forget", Usage: "remove the login for a proxy", ArgsUsage: "URL", Action: proxyForget},
		},
	}
}

func proxySet(c *cli.Context) (err error) {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one proxy, with its user, as in https://ada@proxy.example:3128")
	}
	address, user, err := route.Canonical(c.Args().First())
	if err != nil {
		return err
	}
	if !route.WantsPassword(c.Args().First()) {
		return cmdline.Usagef("%s: there is nothing to keep; write the user into it, and note that SOCKS4 knows no password", address)
	}
	password, err := cmdline.Secret("password of "+user+" at the proxy", c.String("password-file"))
	if err != nil {
		return err
	}
	defer clear(password)
	return changeLogins(c, audit.ProxyLoginKept, address, user, func(s *sealed.Store) error { return s.Put(address, user, password) })
}

func proxyForget(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one proxy; see: remote-support proxy show")
	}
	address, user, err := route.Canonical(c.Args().First())
	if err != nil {
		return err
	}
	return changeLogins(c, audit.ProxyLoginForgotten, address, user, func(s *sealed.Store) error {
		had, err := s.Forget(address)
		if err == nil && !had {
			err = fmt.Errorf("no login is kept for %s; see: remote-support proxy show", address)
		}
		return err
	})
}

// changeLogins changes what is kept, and records that.
func changeLogins(c *cli.Context, what audit.Type, address, user string, change func(*sealed.Store) error) (err error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	if err := change(sealed.Open(root)); err != nil {
		return err
	}
	detail := map[string]string{}
	if user != "" {
		detail["user"] = user
	}
	if _, err := a.Append(audit.Event{Type: what, Actor: control.Self().Actor(), Subject: address, Detail: detail}); err != nil {
		return err
	}
	return cmdline.Print(c, map[string]string{"proxy": address, "change": string(what)}, func(w io.Writer) error {
		done := "the login for %s is kept\n"
		if what == audit.ProxyLoginForgotten {
			done = "the login for %s is forgotten\n"
		}
		_, err := fmt.Fprintf(w, done, address)
		return err
	})
}

// proxies is what proxy show shows.
type proxies struct {
	Logins  []sealed.Entry `json:"logins"`
	Machine string         `json:"machine"` // the way that the machine's settings name
	Problem string         `json:"problem,omitempty"`
}

func proxyShow(c *cli.Context) (err error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	store := sealed.Open(root)
	var out proxies
	if out.Logins, err = store.List(); err != nil {
		return err
	}
	if way, err := a.MachineWay(); err != nil {
		out.Problem = err.Error()
	} else {
		out.Machine = way.String()
	}
	return cmdline.Print(c, out, func(w io.Writer) error {
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, l := range out.Logins {
			fmt.Fprintf(tw, "%s\t%s\tkept since %s\n", l.Proxy, l.User, l.Since.Local().Format(time.DateTime))
		}
		tw.Flush()
		if len(out.Logins) == 0 {
			fmt.Fprintln(w, "no login is kept")
		}
		if out.Problem != "" {
			fmt.Fprintln(os.Stderr, "warning:", out.Problem)
		} else {
			fmt.Fprintln(w, "--proxy machine goes", out.Machine)
		}
		return nil
	})
}
