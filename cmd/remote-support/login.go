package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/login"
)

func loginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "prove who you are, to open sessions when root alone may not",
		Description: `A login holds for 15 minutes, for your user on this machine. Root needs none
unless policy says so (session.methods). See docs/LOGIN.md for the set-up.

Examples:
   remote-support login infinibox
   remote-support login infinibox --user admin --password-file pw
   remote-support login sso
   remote-support login challenge
   remote-support login challenge --response-file answer.txt`,
		Subcommands: []*cli.Command{
			{
				Name:  "infinibox",
				Usage: "with user name and password of the array, which must give you the Admin role",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "user", Usage: "`NAME` of a user of the array"},
					&cli.StringFlag{Name: "password-file", Usage: "`FILE` with the password"},
					noQR(),
				},
				Description: `The password typed as exactly SSO goes to no array: it starts single sign-on.`,
				Action:      func(c *cli.Context) error { return logIn(c, control.LoginRequest{Method: "infinibox"}) },
			},
			{
				Name:  "sso",
				Usage: "at your identity provider, with a browser anywhere",
				Description: `Shows a page and a code. Open the page on any machine with a browser, type the code,
and log in there; this command goes on by itself. Sessions that you open then use
the configured relay, whatever --rss says.`,
				Flags:  []cli.Flag{noQR()},
				Action: func(c *cli.Context) error { return logIn(c, control.LoginRequest{Method: login.SSO}) },
			},
			{
				Name:  "challenge",
				Usage: "with a response of the vendor's support; needs neither array nor network",
				Description: `Shows a challenge. It stays the same when the command is run again, until it is
answered or has expired: leave, call support, and come back with the response.`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "response-file", Usage: "`FILE` with the response"},
					&cli.BoolFlag{Name: "new", Usage: "make a new challenge in place of the one that is open"},
					noQR(),
				},
				Action: func(c *cli.Context) error {
					return logIn(c, control.LoginRequest{Method: login.Challenge, Fresh: c.Bool("new")})
				},
			},
			{
				Name:      "confirm",
				Usage:     "agree, as a second person, to a login that waits for it",
				ArgsUsage: "[NAME]",
				Description: `Where the settings of a way to log in name others who must agree (consent), the login
waits until one of them has. Without a name the logins are listed to which you may
agree. Nobody agrees to his own.

Examples:
   remote-support login confirm
   remote-support login confirm K7Q2MA
   remote-support login confirm --no K7Q2MA`,
				Flags:  []cli.Flag{&cli.BoolFlag{Name: "no", Usage: "do not agree"}},
				Action: confirmLogin,
			},
		},
	}
}

func noQR() cli.Flag {
	return &cli.BoolFlag{Name: "no-qr", Usage: "draw no QR code"}
}

func logoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "end your login",
		Action: func(c *cli.Context) error {
			return withLogins(c, func(l logins) error {
				out, err := l.Logout(c.Context, control.Self())
				if err != nil {
					return err
				}
				text := "logged out"
				if !out {
					text = "you were not logged in"
				}
				_, err = fmt.Fprintln(c.App.Writer, text)
				return err
			})
		},
	}
}

func whoamiCommand() *cli.Command {
	return &cli.Command{
		Name:  "whoami",
		Usage: "show as whom you would open a session",
		Action: func(c *cli.Context) error {
			return withLogins(c, func(l logins) error {
				t, err := l.WhoAmI(c.Context, control.Self())
				if err != nil {
					return err
				}
				return printTicket(c, t)
			})
		},
	}
}

func logIn(c *cli.Context, r control.LoginRequest) error {
	if err := keepPrivate(); err != nil {
		return err
	}
	return withLogins(c, func(l logins) error {
		t, err := l.Login(c.Context, control.Self(), r, newTerminal(c))
		if err != nil {
			return err
		}
		return printTicket(c, t)
	})
}

type logins = control.Logins

// withLogins calls f with the logins of the running agent, or, when none runs,
// with the same state opened in this process.
func withLogins(c *cli.Context, f func(logins) error) error {
	return withAPI(c, func(_ context.Context, api control.API) error { return f(api.(logins)) })
}

// keepPrivate keeps the memory of this process, which holds a password from now
// on, out of core files and from the eyes of other processes of the same user.
func keepPrivate() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("keep passwords out of core files: %w", err)
	}
	return nil
}

func printTicket(c *cli.Context, t control.Ticket) error {
	return cmdline.Print(c, t, func(w io.Writer) error {
		text := fmt.Sprintf("%s, with the role %s, by %s", t.User, strings.Join(t.Roles, ", "), t.Method)
		if !t.Expires.IsZero() {
			text += ", until " + t.Expires.Local().Format(time.TimeOnly)
		}
		if t.MaxSession != "" {
			text += "; sessions of up to " + t.MaxSession
		}
		_, err := fmt.Fprintln(w, text)
		return err
	})
}
