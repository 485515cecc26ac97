package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/identity"
)

func identityCommand() *cli.Command {
	return &cli.Command{
		Name:  "identity",
		Usage: "show this system's id, its public key, and what is known of the vendor",
		Action: func(c *cli.Context) error {
			root, err := cmdline.Root(c)
			if err != nil {
				return err
			}
			if err := root.Make(); err != nil {
				return err
			}
			system, err := identity.Open(root.Identity())
			if err != nil {
				return err
			}
			out := struct {
				ID        string           `json:"id"`
				PublicKey string           `json:"public_key"`
				Vendor    *identity.Vendor `json:"vendor,omitempty"`
			}{ID: system.ID(), PublicKey: identity.FormatKey(system.PublicKey())}
			v, err := system.Vendor()
			switch {
			case err == nil:
				out.Vendor = &v
			case !errors.Is(err, identity.ErrNotEnrolled):
				return err
			}
			return cmdline.Print(c, out, func(w io.Writer) error {
				fmt.Fprintf(w, "system      %s\npublic key  %s\n", out.ID, out.PublicKey)
				if out.Vendor == nil {
					_, err := fmt.Fprintln(w, "vendor      not enrolled")
					return err
				}
				fmt.Fprintf(w, "vendor      %s at %s, enrolled %s as %q\n", v.Name, v.RSS, v.EnrolledAt.Local().Format("2006-01-02"), v.System)
				for _, r := range v.Recipients {
					fmt.Fprintf(w, "recipient   %s\n", r)
				}
				_, err := fmt.Fprintf(w, "receipts    %s\n", v.ReceiptKey)
				return err
			})
		},
	}
}
