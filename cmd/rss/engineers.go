package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/store"
)

func engineersCommand() *cli.Command {
	return &cli.Command{
		Name:   "engineers",
		Usage:  "who of the vendor may log in",
		Flags:  storeFlags(),
		Action: engineersList,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list them, the revoked too", Flags: storeFlags(), Action: engineersList},
			{
				Name: "add", Usage: "let an engineer in, by an SSH public key", ArgsUsage: "NAME",
				Description: "Roles: bundles (list and fetch bundles), access (connect to systems). An engineer\nwith groups reaches the systems of these groups only, one without reaches all.\nAdding the same engineer again with the same key changes roles and groups, at once.\n\nExamples:\n   rss engineers add ada --key-file ada.pub --role bundles --role access\n   rss engineers add bob --key-file bob.pub --role access --group emea",
				Flags: append([]cli.Flag{
					&cli.StringFlag{Name: "key-file", Usage: "`FILE` with the public key, - for standard input"},
					&cli.StringSliceFlag{Name: "role", Usage: "`ROLE`, may repeat"},
					&cli.StringSliceFlag{Name: "group", Usage: "`GROUP` of systems, may repeat; none: all systems"},
				}, storeFlags()...),
				Action: engineersAdd,
			},
			{Name: "revoke", Usage: "take it back, and cut what is open, at once", ArgsUsage: "NAME", Flags: storeFlags(), Action: engineersRevoke},
		},
	}
}

func engineersAdd(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one engineer")
	}
	line, err := readKey(c.String("key-file"))
	if err != nil {
		return err
	}
	req := relay.AddEngineerRequest{Name: c.Args().First(), Key: line, Roles: c.StringSlice("role"), Groups: c.StringSlice("group")}
	return withAdmin(c, func(a *relay.Admin) error {
		var e store.Engineer
		if err := a.Call(c.Context, "POST", "/admin/engineers", req, &e); err != nil {
			return err
		}
		var list relay.EngineerList
		if err := a.Call(c.Context, "GET", "/admin/engineers", nil, &list); err != nil {
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, "%s logs in with: support login --rss %s --pin %s\n", e.Name, list.Address, list.Pin)
		return cmdline.Print(c, e, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s may log in: %s, %s\n", e.Name, roles(e.Roles), groups(e.Groups))
			return err
		})
	})
}

func readKey(file string) (string, error) {
	switch file {
	case "":
		return "", cmdline.Usagef("--key-file is needed: the engineer's SSH public key")
	case "-":
		b, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
		if err != nil {
			return "", fmt.Errorf("read public key: %w", err)
		}
		return string(b), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read public key: %w", err)
	}
	if strings.Contains(string(b), "PRIVATE KEY") {
		return "", cmdline.Usagef("%s is a private key; the relay wants the public one (%s.pub), and nobody else should see this one", file, file)
	}
	return string(b), nil
}

func engineersRevoke(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one engineer")
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var e store.Engineer
		if err := a.Call(c.Context, "POST", "/admin/engineers/"+url.PathEscape(c.Args().First())+"/revoke", nil, &e); err != nil {
			return err
		}
		return cmdline.Print(c, e, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s may no longer log in\n", e.Name)
			return err
		})
	})
}

func engineersList(c *cli.Context) error {
	return withAdmin(c, func(a *relay.Admin) error {
		var list relay.EngineerList
		if err := a.Call(c.Context, "GET", "/admin/engineers", nil, &list); err != nil {
			return err
		}
		if len(list.Engineers) == 0 {
			return none(c, list, "no engineer may log in yet; let one in with: rss engineers add NAME --key-file FILE --role access")
		}
		return cmdline.Print(c, list, func(w io.Writer) error {
			rows := [][]string{{"NAME", "ROLES", "SYSTEMS", "KEY", "ADDED", "REVOKED"}}
			for _, e := range list.Engineers {
				revoked, print := "", ""
				if !e.Active() {
					revoked = date(e.Revoked)
				}
				if k, err := identity.ParseKey(e.Key); err == nil {
					print = ssh.FingerprintSHA256(k)
				}
				rows = append(rows, []string{e.Name, roles(e.Roles), groups(e.Groups), print, date(e.Added), revoked})
			}
			return cmdline.Table(w, rows)
		})
	})
}

func roles(rs []store.Role) string {
	var s []string
	for _, r := range rs {
		s = append(s, string(r))
	}
	return strings.Join(s, ", ")
}

func groups(gs []string) string {
	if len(gs) == 0 {
		return "all systems"
	}
	return "systems of " + strings.Join(gs, ", ")
}
