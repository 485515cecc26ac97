package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay/setup"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "set a relay up: configuration, certificate authority, keys",
		Description: `Makes a certificate authority of its own, which systems pin when they enrol, or
takes an existing certificate. Makes two private keys that do not belong on a
relay and says where they are: move them to where the engineers are.

Examples:
   rss init --name "Example Support" --address rss.example.com
   rss init --address rss.example.com --cert rss.pem --key rss.key --ca issuer.pem
   rss init --address rss.example.com --recipient age1...`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "address", Usage: "systems reach the relay at `HOST[:PORT]` (port 443 unless given)"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the vendor, for people", Value: "Support"},
			&cli.StringFlag{Name: "listen", Usage: "listen on `ADDR`; default: all interfaces, the port of --address"},
			&cli.StringSliceFlag{Name: "also", Usage: "further host `NAME` or address in the relay's certificate; may repeat"},
			&cli.StringFlag{Name: "cert", Usage: "use the certificate chain in `FILE` instead of making one"},
			&cli.StringFlag{Name: "key", Usage: "`FILE` with its key"},
			&cli.StringFlag{Name: "ca", Usage: "`FILE` with the authority that issued it, which systems pin"},
			&cli.StringFlag{Name: "recipient", Usage: "encrypt bundles to this age `RECIPIENT` instead of a new key"},
		},
		Action: initAction,
	}
}

func initAction(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	if c.String("address") == "" {
		return cmdline.Usagef("--address is needed: the name under which systems reach this relay")
	}
	if _, err := setup.Init(root, setup.Options{Name: c.String("name"), Address: c.String("address"), Listen: c.String("listen"), Names: c.StringSlice("also"),
		CertFile: c.String("cert"), KeyFile: c.String("key"), CAFile: c.String("ca"), Recipient: c.String("recipient")}); err != nil {
		return err
	}
	r, err := setup.Load(root)
	if err != nil {
		return err
	}
	out := struct {
		Address    string   `json:"address"`
		Config     string   `json:"config"`
		Pin        string   `json:"pin"`
		Recipients []string `json:"recipients"`
		MoveAway   []string `json:"move_away"`
	}{r.Config.Address, r.Places.Config, r.Pin().String(), r.Config.Recipients, r.HandOut()}
	return cmdline.Print(c, out, func(w io.Writer) error {
		fmt.Fprintf(w, "relay     %s\nconfig    %s\nauthority %s\n", out.Address, out.Config, out.Pin)
		for _, rec := range out.Recipients {
			fmt.Fprintf(w, "bundles   are encrypted to %s\n", rec)
		}
		fmt.Fprintf(w, "\nThese private keys do not belong on a relay. Move them to where the engineers\nare, and keep a copy of the first: without it no bundle can ever be opened.\n")
		for _, f := range out.MoveAway {
			fmt.Fprintf(w, "   %s\n", f)
		}
		_, err := fmt.Fprintf(w, "\nNext: rss serve\n")
		return err
	})
}
