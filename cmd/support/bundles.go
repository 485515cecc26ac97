package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay/api"
)

func bundleCommand() *cli.Command {
	return &cli.Command{
		Name:  "bundle",
		Usage: "list, fetch and open support bundles",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the bundles on the relay, newest first",
				Description: "Example:\n   support bundle list --system array-7",
				Flags:       []cli.Flag{&cli.StringFlag{Name: "system", Usage: "only of the system with this `NAME` or id"}, passphraseFlag()},
				Action:      bundleList,
			},
			{
				Name: "open", Usage: "fetch, check, decrypt and unpack a bundle", ArgsUsage: "ID|FILE",
				Description: `An ID is fetched from the relay; a FILE was carried by hand. The receipt, the
hash, the signature of the system and every file are checked before anything is
believed (exit code 4 when something does not hold). Unpacking writes below one
new folder, whatever the bundle says.

Examples:
   support bundle open bdl-0123456789abcdefghjk
   support bundle open bdl-0123456789abcdefghjk -o case-4711 --identity bundle-key.txt
   support bundle open /media/usb/bundle.tar.zst.age --signer array-7.pub`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "identity", Usage: "`FILE` with the age key of the vendor; default: bundle-key.txt beside support.json"},
					&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "unpack into the new folder `DIR`; default: the bundle's id"},
					&cli.StringFlag{Name: "signer", Usage: "public key `FILE` of the system that must have signed a carried bundle; default: the relay is asked"},
					passphraseFlag(),
				},
				Action: bundleOpen,
			},
		},
	}
}

func bundleList(c *cli.Context) error {
	cl, _, err := relayClient(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	list, err := cl.Bundles(c.Context, c.String("system"))
	if err != nil {
		return err
	}
	return cmdline.Print(c, api.BundleList{Bundles: list}, func(w io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(c.App.ErrWriter, "there are no bundles")
			return err
		}
		rows := [][]string{{"ID", "SYSTEM", "RECEIVED", "SIZE", "CASE", "FILE"}}
		for _, b := range list {
			rows = append(rows, []string{printable(b.ID), printable(b.SystemName), date(b.ReceivedAt), cmdline.Size(b.Size), printable(b.Case), printable(b.Filename)})
		}
		return cmdline.Table(w, rows)
	})
}
