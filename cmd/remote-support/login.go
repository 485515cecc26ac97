package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

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
				Action:      func(c *cli.Context) error { return logIn(c, login.How{Method: "infinibox"}) },
			},
			{
				Name:  "sso",
				Usage: "at your identity provider, with a browser anywhere",
				Description: `Shows a page and a code. Open the page on any machine with a browser, type the code,
and log in there; this command goes on by itself. Sessions that you open then use
the configured relay, whatever --rss says.`,
				Flags:  []cli.Flag{noQR()},
				Action: func(c *cli.Context) error { return logIn(c, login.How{Method: login.SSO}) },
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
					return logIn(c, login.How{Method: login.Challenge, Fresh: c.Bool("new")})
				},
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
			return withLogins(c, func(s *login.Service, by login.Caller) error {
				out, err := s.Logout(by)
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
			return withLogins(c, func(s *login.Service, by login.Caller) error {
				t, err := s.Who(by)
				if err != nil {
					return err
				}
				return printTicket(c, t)
			})
		},
	}
}

func logIn(c *cli.Context, how login.How) error {
	return withLogins(c, func(s *login.Service, by login.Caller) error {
		t, err := s.Login(c.Context, by, how, newTerminal(c))
		if err != nil {
			return err
		}
		return printTicket(c, t)
	})
}

// withLogins calls f with the logins of this machine and with who asks.
func withLogins(c *cli.Context, f func(*login.Service, login.Caller) error) (err error) {
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	s, err := a.Logins()
	if err != nil {
		return err
	}
	self := control.Self()
	return f(s, login.Caller{UID: self.UID, User: self.User, Client: "cli"})
}

type ticketJSON struct {
	User       string            `json:"user"`
	Roles      []string          `json:"roles"`
	Method     string            `json:"method"`
	Evidence   map[string]string `json:"evidence,omitempty"`
	Expires    time.Time         `json:"expires,omitzero"`
	MaxSession string            `json:"max_session,omitempty"`
}

func printTicket(c *cli.Context, t login.Ticket) error {
	out := ticketJSON{User: t.User, Roles: t.Roles, Method: t.Method, Evidence: t.Evidence, Expires: t.Expires}
	if t.MaxSession > 0 {
		out.MaxSession = t.MaxSession.String()
	}
	return cmdline.Print(c, out, func(w io.Writer) error {
		text := fmt.Sprintf("%s, with the role %s, by %s", t.User, strings.Join(t.Roles, ", "), t.Method)
		if !t.Expires.IsZero() {
			text += ", until " + t.Expires.Local().Format(time.TimeOnly)
		}
		if out.MaxSession != "" {
			text += "; sessions of up to " + out.MaxSession
		}
		_, err := fmt.Fprintln(w, text)
		return err
	})
}
