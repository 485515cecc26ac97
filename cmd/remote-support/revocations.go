package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/internal/playback"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/revoke"
)

func revocationsCommand() *cli.Command {
	return &cli.Command{
		Name:  "revocations",
		Usage: "see which engineers' certificates the vendor took back",
		Description: `The vendor signs the list with the key that vouches for engineers; it comes by the
relay, which can neither make nor change it, and an older one is not taken. With
import it comes another way. Your own entries are a matter of policy:

   engineer { revoked = ["name:mallory"] }

and how old the list may be as well (engineer.revocations_max_age).

Examples:
   remote-support revocations
   remote-support revocations import revoked.json`,
		Action: revocationsShow,
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "print the list that counts here", Action: revocationsShow},
			{Name: "import", Usage: "take a list that the vendor has signed, from a file", ArgsUsage: "FILE", Action: revocationsImport},
		},
	}
}

// vendorCA is the key that vouches for engineers here.
func vendorCA(root paths.Root) (ssh.PublicKey, error) {
	system, err := identity.Open(root.Identity())
	if err != nil {
		return nil, err
	}
	vendor, err := system.Vendor()
	if err != nil {
		return nil, err
	}
	if vendor.SupportCA == "" {
		return nil, errors.New("this system trusts no key that vouches for engineers: nobody gets in, whatever a list says")
	}
	return identity.ParseKey(vendor.SupportCA)
}

func revocationsShow(c *cli.Context) error {
	if c.NArg() > 0 {
		return cmdline.Usagef("show takes no arguments")
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	ca, err := vendorCA(root)
	if err != nil {
		return err
	}
	list, err := revoke.Open(root.Revocations()).Current(ca)
	if err != nil {
		return err
	}
	return printRevoked(c, list)
}

func printRevoked(c *cli.Context, list *revoke.List) error {
	if list == nil {
		list = &revoke.List{Revoked: []revoke.Entry{}}
	}
	return cmdline.Print(c, list, func(w io.Writer) error {
		if list.Number == 0 {
			_, err := fmt.Fprintln(w, "no list of revoked certificates is known; the relay has it once the vendor makes one")
			return err
		}
		rows := [][]string{{fmt.Sprintf("list %d of %s", list.Number, list.Issued.Local().Format(time.DateTime)), "SINCE", "REASON"}}
		for _, e := range list.Revoked {
			rows = append(rows, []string{playback.Printable(e.What), e.Since.Local().Format(time.DateTime), playback.Printable(e.Reason)})
		}
		return cmdline.Table(w, rows)
	})
}

func revocationsImport(c *cli.Context) (err error) {
	if c.NArg() != 1 {
		return cmdline.Usagef("name the file with the list, as the vendor gave it")
	}
	raw, err := os.ReadFile(c.Args().First())
	if err != nil {
		return fmt.Errorf("read list of revoked certificates: %w", err)
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	ca, err := vendorCA(root)
	if err != nil {
		return err
	}
	list, changed, err := revoke.Open(root.Revocations()).Take(raw, ca)
	if err != nil {
		return &notTaken{err}
	}
	if changed { // an agent that runs sees the file, and cuts who is in it
		a, err := openAgent(c)
		if err != nil {
			return err
		}
		defer closing(a, &err)
		if _, err := a.Append(audit.Event{Type: audit.RevocationsTaken, Actor: control.Self().Actor(), Subject: strconv.FormatUint(list.Number, 10), Detail: map[string]string{
			"entries": strconv.Itoa(len(list.Revoked)), "issued": list.Issued.Format(time.RFC3339), "file": c.Args().First(),
		}}); err != nil {
			return err
		}
	}
	return printRevoked(c, list)
}

// notTaken is a list that is not the vendor's, or goes back.
type notTaken struct{ err error }

func (e *notTaken) Error() string { return e.err.Error() }
func (e *notTaken) Unwrap() error { return e.err }
func (e *notTaken) ExitCode() int { return cmdline.ExitCheckFailed }
