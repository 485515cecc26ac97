package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay/api"
)

func enrollCommand() *cli.Command {
	return &cli.Command{
		Name:  "enroll",
		Usage: "introduce this system to the vendor's relay, once",
		Description: `The vendor gives out a token for one system. It also says which certificate
authority the relay must show, so the first contact is checked in both
directions. What is learnt is pinned: the relay, the keys that bundles are
encrypted to, the key that signs receipts.

Examples:
   remote-support enroll --token-file token
   remote-support enroll --rss rss.example.com:443 --token-file token --proxy https://ada@proxy:3128`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "token-file", Usage: "`FILE` with the token, - for standard input"},
			&cli.StringFlag{Name: "rss", Usage: "reach the relay at `HOST[:PORT]` instead of the address in the token"},
			&cli.BoolFlag{Name: "replace", Usage: "leave the vendor that this system is enrolled with"},
		}, cmdline.RouteFlags()...),
		Action: enroll,
	}
}

func enroll(c *cli.Context) (err error) {
	token, err := readToken(c.String("token-file"))
	if err != nil {
		return err
	}
	way, err := cmdline.Route(c)
	if err != nil {
		return err
	}
	address, err := cmdline.Relay(c)
	if err != nil {
		return err
	}
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	v, err := a.Enroll(c.Context, control.Self(), agent.Enrollment{Token: token, Address: address, Replace: c.Bool("replace"), Route: way})
	if err != nil {
		return err
	}
	return cmdline.Print(c, v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "enrolled with %s at %s as %q\nbundles are encrypted to %d keys of the vendor; send one with: send-bundle\n", v.Name, v.RSS, v.System, len(v.Recipients))
		return err
	})
}

func readToken(file string) (api.Token, error) {
	if file == "" {
		return api.Token{}, cmdline.Usagef("--token-file is needed; the vendor makes a token with: rss token new --system NAME")
	}
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return api.Token{}, fmt.Errorf("read the token: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return api.Token{}, fmt.Errorf("read the token: %w", err)
	}
	return api.ParseToken(string(b))
}
