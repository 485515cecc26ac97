package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/revoke"
)

func revocationsCommand() *cli.Command {
	return &cli.Command{
		Name:  "revocations",
		Usage: "the list of engineers' certificates that were taken back",
		Description: `The relay carries the list and cannot make one: it is signed by the support CA
(support revoke). Its number only grows. Taking an engineer's login at this relay
back is another matter: rss engineers revoke NAME.

Examples:
   rss revocations
   rss revocations import revoked.json`,
		Flags: storeFlags(), Action: revocationsShow,
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "print it", Flags: storeFlags(), Action: revocationsShow},
			{Name: "import", Usage: "take a list that support revoke --list has signed", ArgsUsage: "FILE", Flags: storeFlags(), Action: revocationsImport},
		},
	}
}

func revocationsShow(c *cli.Context) error {
	if c.NArg() > 0 {
		return cmdline.Usagef("show takes no arguments")
	}
	return withRevocations(c, func(a *relay.Admin) (out api.Revocations, err error) {
		return out, a.Call(c.Context, "GET", "/admin/revocations", nil, &out)
	})
}

func revocationsImport(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name the file that support revoke --list has written")
	}
	b, err := os.ReadFile(c.Args().First())
	if err != nil {
		return fmt.Errorf("read list of revoked certificates: %w", err)
	}
	return withRevocations(c, func(a *relay.Admin) (out api.Revocations, err error) {
		return out, a.Call(c.Context, "POST", "/admin/revocations", api.Revocations{List: string(b)}, &out)
	})
}

// withRevocations prints the list that f gives.
func withRevocations(c *cli.Context, f func(*relay.Admin) (api.Revocations, error)) error {
	r, err := load(c)
	if err != nil {
		return err
	}
	return withAdmin(c, func(a *relay.Admin) error {
		got, err := f(a)
		if err != nil {
			return err
		}
		list := &revoke.List{Revoked: []revoke.Entry{}}
		if got.List != "" {
			ca, err := identity.ParseKey(r.Config.SupportCA)
			if err != nil {
				return fmt.Errorf("support CA of this relay: %w", err)
			}
			if list, err = revoke.Parse([]byte(got.List), ca); err != nil {
				return err
			}
		}
		return cmdline.Print(c, list, func(w io.Writer) error {
			if list.Number == 0 {
				_, err := fmt.Fprintln(w, "there is no list of revoked certificates yet; whoever holds the support CA makes it: support revoke")
				return err
			}
			rows := [][]string{{fmt.Sprintf("list %d of %s", list.Number, date(list.Issued)), "SINCE", "REASON"}}
			for _, e := range list.Revoked {
				rows = append(rows, []string{e.What, date(e.Since), e.Reason})
			}
			return cmdline.Table(w, rows)
		})
	})
}
