package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/secret"
)

func onCommand() *cli.Command {
	return &cli.Command{
		Name:  "on",
		Usage: "let the vendor's support in, until you turn it off or the time is up",
		Description: `Opens a tunnel from this machine to the vendor's relay. No port is opened here.
An engineer enters with a certificate of the vendor and the secret that you give
him by voice; the relay never learns it. A secret is made unless you bring one.

The agent must run (remote-support serve). See beforehand what works:
remote-support test, with the same flags.

Examples:
   remote-support on --for 8h --case INF-4711
   remote-support on --proxy https://ada@proxy.example:3128 --proxy-password-file pw
   remote-support on --secret-file secret.txt`,
		Flags: append([]cli.Flag{
			&cli.DurationFlag{Name: "for", Usage: "cut it after `DURATION`, as 8h or 30m, whatever is going on"},
			&cli.StringFlag{Name: "case", Usage: "what it is about: `TEXT`, such as a case number"},
			&cli.StringFlag{Name: "rss", Usage: "the relay at `HOST[:PORT]` instead of the configured one"},
			&cli.StringFlag{Name: "transport", Usage: "the transport plugin `NAME`, when it is not the one that the proxy needs"},
			&cli.StringFlag{Name: "secret-file", Usage: "take your own secret from `FILE`"},
			&cli.BoolFlag{Name: "generate-secret", Usage: "have a secret made that is easy to read aloud (so it is without --secret-file)"},
		}, cmdline.RouteFlags()...),
		Action: on,
	}
}

func on(c *cli.Context) error {
	req, err := onRequest(c)
	if err != nil {
		return err
	}
	defer func() { clear(req.Secret); clear(req.ProxyPassword) }()
	client, err := dialAgent(c)
	if err != nil {
		return err
	}
	o, err := client.On(c.Context, control.Self(), req)
	if err != nil {
		return err
	}
	return cmdline.Print(c, o, func(w io.Writer) error { return printOpened(w, o, time.Now()) })
}

func onRequest(c *cli.Context) (control.OnRequest, error) {
	req := control.OnRequest{Case: c.String("case"), Transport: c.String("transport"), Proxy: c.String("proxy"), Bind: c.String("bind")}
	if c.IsSet("for") {
		if c.Duration("for") <= 0 {
			return req, cmdline.Usagef("--for %s: a session must last longer than that", c.Duration("for"))
		}
		req.For = c.Duration("for").String()
	}
	var err error
	if req.RSS, err = cmdline.Relay(c); err != nil {
		return req, err
	}
	if c.Bool("generate-secret") && c.String("secret-file") != "" {
		return req, cmdline.Usagef("--generate-secret and --secret-file: only one of them")
	}
	if file := c.String("proxy-password-file"); file != "" || route.WantsPassword(req.Proxy) && cmdline.Interactive() {
		if req.ProxyPassword, err = cmdline.Secret("password of the proxy user", file); err != nil {
			return req, err
		}
	}
	if _, err := route.Parse(route.Options{Proxy: req.Proxy, Password: req.ProxyPassword, Bind: req.Bind}); err != nil {
		return req, err
	}
	if file := c.String("secret-file"); file != "" {
		if req.Secret, err = cmdline.Secret("secret", file); err != nil {
			return req, err
		}
		if len(req.Secret) == 0 {
			return req, cmdline.Usagef("--secret-file %s is empty", file)
		}
	}
	return req, nil
}

// dialAgent reaches the running agent, which alone can do what is asked.
func dialAgent(c *cli.Context) (*control.Client, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return nil, err
	}
	return control.Dial(c.Context, root.ControlSocket())
}

func printOpened(w io.Writer, o control.Opened, now time.Time) error {
	s := o.Session
	fmt.Fprintf(w, "remote access is ON: session %s\n\n", s.ID)
	rows := [][]string{{"  system", s.System}, {"  ends", endOf(s, now)}, {"  relay", s.RSS + ", " + s.Way}}
	if s.Case != "" {
		rows = append(rows, []string{"  case", s.Case})
	}
	if s.Link != nil && s.Link.InspectedBy != "" {
		rows = append(rows, []string{"  notice", inspection(s.Link.InspectedBy)})
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	for _, n := range o.Notes {
		fmt.Fprintln(w, "  note:", n)
	}
	fmt.Fprintln(w)
	if o.Secret != "" {
		printSecret(w, o.Secret)
	} else {
		fmt.Fprintln(w, "Give support your secret on the telephone; do not mail it.")
	}
	fmt.Fprintf(w, "He finds the system as %q. Three wrong tries make the secret void.\n\nwho comes in   remote-support status --watch\nturn it off    remote-support off\n", s.System)
	return nil
}

// printSecret shows a secret as it is read aloud (REQ B8).
func printSecret(w io.Writer, s string) {
	fmt.Fprintf(w, "    SECRET   %s\n", s)
	if spoken, err := secret.Spoken([]byte(s)); err == nil {
		for _, line := range spoken {
			fmt.Fprintf(w, "             %s\n", line)
		}
	}
	fmt.Fprintln(w, "\nRead it to support on the telephone; do not mail it.")
}

func endOf(s control.Session, now time.Time) string {
	if s.Expires.IsZero() {
		return "no automatic expiry: it stays on until it is turned off"
	}
	return fmt.Sprintf("%s (in %s), whatever is going on", s.Expires.Local().Format("2006-01-02 15:04:05 MST"), length(s.Expires.Sub(now)))
}

func inspection(by string) string {
	return "TLS is inspected by " + by + "; what support does stays encrypted from end to end"
}

// length is a duration for people: 7h59m, 4m10s.
func length(d time.Duration) string {
	d = max(d, 0)
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func offCommand() *cli.Command {
	return &cli.Command{
		Name:  "off",
		Usage: "turn remote access off: cut everybody who is in, at once",
		Action: func(c *cli.Context) error {
			return withAPI(c, func(ctx context.Context, api control.API) error {
				e, err := api.Off(ctx, control.Self())
				if err != nil {
					return err
				}
				return cmdline.Print(c, e, func(w io.Writer) error {
					text := "remote access is off"
					switch {
					case e.Session == "":
						text = "remote access was off already"
					case e.Connections == 1:
						text += "; 1 connection was cut, its processes are ended"
					case e.Connections > 1:
						text += fmt.Sprintf("; %d connections were cut, their processes are ended", e.Connections)
					default:
						text += "; nobody was in"
					}
					_, err := fmt.Fprintln(w, text)
					return err
				})
			})
		},
	}
}

func extendCommand() *cli.Command {
	return &cli.Command{
		Name: "extend", Usage: "put off the end of the session", ArgsUsage: "DURATION",
		Description: "Examples:\n   remote-support extend 2h",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return cmdline.Usagef("say by how much, like: remote-support extend 2h")
			}
			client, err := dialAgent(c)
			if err != nil {
				return err
			}
			s, err := client.Extend(c.Context, control.Self(), control.ExtendRequest{By: c.Args().First()})
			if err != nil {
				return err
			}
			return cmdline.Print(c, s, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, "the session ends", endOf(s, time.Now()))
				return err
			})
		},
	}
}

func secretCommand() *cli.Command {
	show := func(renew bool) cli.ActionFunc {
		return func(c *cli.Context) error {
			req := control.SecretRequest{New: renew}
			if file := c.String("secret-file"); renew && file != "" {
				var err error
				if req.Given, err = cmdline.Secret("secret", file); err != nil {
					return err
				}
				defer clear(req.Given)
			}
			client, err := dialAgent(c)
			if err != nil {
				return err
			}
			s, err := client.Secret(c.Context, control.Self(), req)
			if err != nil {
				return err
			}
			return cmdline.Print(c, s, func(w io.Writer) error { return printSecretState(w, s, renew) })
		}
	}
	return &cli.Command{
		Name:  "secret",
		Usage: "show the secret of the session, or make a new one",
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "show the secret, and how many wrong tries it still bears", Action: show(false)},
			{Name: "new", Usage: "make a new secret; the old one is void, engineers who are in stay", Action: show(true),
				Flags: []cli.Flag{&cli.StringFlag{Name: "secret-file", Usage: "take your own secret from `FILE`"}}},
		},
	}
}

func printSecretState(w io.Writer, s control.Secret, renewed bool) error {
	switch {
	case s.Secret != "":
		printSecret(w, s.Secret)
	case s.Own && s.Usable && renewed:
		fmt.Fprintln(w, "your secret is in force; give it to support on the telephone")
	case s.Own && s.Usable:
		fmt.Fprintln(w, "somebody chose the secret; it is not shown. To make another: remote-support secret new")
	}
	if !s.Usable {
		_, err := fmt.Fprintln(w, "the secret is void: it was tried wrongly too often. Nobody new can enter. Make another: remote-support secret new")
		return err
	}
	_, err := fmt.Fprintf(w, "wrong tries until it is void: %d\n", s.TriesLeft)
	return err
}
