package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
)

func systemsCommand() *cli.Command {
	list := append([]cli.Flag{
		&cli.BoolFlag{Name: "all", Usage: "with those that were replaced or retired"},
		&cli.BoolFlag{Name: "open", Usage: "only those with an open session"},
	}, storeFlags()...)
	return &cli.Command{
		Name:      "systems",
		Usage:     "list the enrolled systems, and who is connected",
		ArgsUsage: "[SEARCH]",
		Flags:     list,
		Action:    systemsList,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list those whose name, serial number, host name or id holds SEARCH", ArgsUsage: "[SEARCH]", Flags: list, Action: systemsList},
			{Name: "show", Usage: "everything about one system", ArgsUsage: "NAME|ID", Flags: storeFlags(), Action: systemsShow},
			{
				Name: "group", Usage: "say which groups a system is in", ArgsUsage: "NAME|ID [GROUP...]",
				Description: "The groups given take the place of those it had; none given, it is in none.\nEngineers who no longer reach it are cut off at once.\n\nExample:\n   rss systems group array-7 emea storage",
				Flags:       storeFlags(), Action: systemsGroup,
			},
			{
				Name: "serial", Usage: "say the serial number of a system", ArgsUsage: "NAME|ID [NUMBER]",
				Description: "Engineers find the system by it too. Without a number it has none.\n\nExample:\n   rss systems serial array-7 4242",
				Flags:       storeFlags(), Action: systemsSerial,
			},
			{Name: "retire", Aliases: []string{"remove"}, Usage: "take a system's right to log in, and cut what is open, at once", ArgsUsage: "NAME|ID", Flags: storeFlags(), Action: systemsRetire},
			{
				Name: "seal", Usage: "take a system's signed statement that remote access is disabled for good", ArgsUsage: "STATEMENT SIGNATURE",
				Description: "The two files that a system leaves when it is sealed: disabled.txt and\ndisabled.txt.sig. Systems tell the relay themselves where they can.",
				Flags:       storeFlags(), Action: systemsSeal,
			},
		},
	}
}

// oneSystem calls path of the system that the command names.
func oneSystem(c *cli.Context, method, path string, in any, text func(io.Writer, api.System) error) error {
	if c.NArg() < 1 {
		return cmdline.Usagef("name one system, by its name or id")
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var sys api.System
		if err := a.Call(c.Context, method, "/admin/systems/"+url.PathEscape(c.Args().First())+path, in, &sys); err != nil {
			return err
		}
		return cmdline.Print(c, sys, func(w io.Writer) error { return text(w, sys) })
	})
}

func systemsRetire(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("name one system, by its name or id")
	}
	return oneSystem(c, "POST", "/retire", nil, func(w io.Writer, sys api.System) error {
		_, err := fmt.Fprintf(w, "%s (%s) can no longer log in; its bundles and recordings stay\n", sys.Name, sys.ID)
		return err
	})
}

func systemsGroup(c *cli.Context) error {
	req := relay.GroupsRequest{Groups: c.Args().Tail()}
	return oneSystem(c, "POST", "/groups", req, func(w io.Writer, sys api.System) error {
		text := "in no group: engineers without groups reach it"
		if len(sys.Groups) > 0 {
			text = "in " + strings.Join(sys.Groups, ", ")
		}
		_, err := fmt.Fprintf(w, "%s is %s\n", sys.Name, text)
		return err
	})
}

func systemsSerial(c *cli.Context) error {
	if c.NArg() > 2 {
		return cmdline.Usagef("name one system and its serial number")
	}
	req := relay.SerialRequest{Serial: c.Args().Get(1)}
	return oneSystem(c, "POST", "/serial", req, func(w io.Writer, sys api.System) error {
		text := "has no serial number"
		if sys.Serial != "" {
			text = "has the serial number " + sys.Serial
		}
		_, err := fmt.Fprintf(w, "%s %s\n", sys.Name, text)
		return err
	})
}

func systemsShow(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("name one system, by its name or id")
	}
	return oneSystem(c, "GET", "", nil, func(w io.Writer, sys api.System) error {
		rows := [][]string{{"name", sys.Name}, {"id", sys.ID}, {"serial", cmp.Or(sys.Serial, "-")}, {"host", sys.Hostname}, {"key", sys.PublicKey}, {"groups", cmp.Or(strings.Join(sys.Groups, ", "), "none: engineers without groups reach it")},
			{"enrolled", date(sys.EnrolledAt)}, {"last seen", date(sys.LastSeen)}, {"state", state(sys)}}
		if s := sys.Session; s != nil {
			rows = append(rows, []string{"session", s.ID}, []string{"case", s.Case}, []string{"since", date(s.Since)}, []string{"expires", date(s.Expires)}, []string{"node", s.Node})
			for _, e := range s.Engineers {
				rows = append(rows, []string{"connected", fmt.Sprintf("%s from %s since %s (%s)", e.Engineer, e.From, date(e.Since), e.Connection)})
			}
		}
		if err := cmdline.Table(w, rows); err != nil || sys.Sealed == nil {
			return err
		}
		_, err := fmt.Fprintf(w, "\nits statement, which came here on %s:\n\n   %s\n", date(sys.Sealed.At), strings.ReplaceAll(strings.TrimSpace(sys.Sealed.Statement), "\n", "\n   "))
		return err
	})
}

func systemsSeal(c *cli.Context) error {
	if c.NArg() != 2 {
		return cmdline.Usagef("name the file of the statement and that of its signature")
	}
	var req api.SealRequest
	for i, into := range []*string{&req.Statement, &req.Signature} {
		b, err := os.ReadFile(c.Args().Get(i))
		if err != nil {
			return fmt.Errorf("read statement: %w", err)
		}
		*into = string(b)
	}
	if !strings.HasPrefix(req.Signature, "-----BEGIN SSH SIGNATURE-----") {
		return cmdline.Usagef("%s is no signature; the statement comes first (disabled.txt), then its signature (disabled.txt.sig)", c.Args().Get(1))
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var resp api.SealResponse
		if err := a.Call(c.Context, "POST", "/admin/seal", req, &resp); err != nil {
			return err
		}
		return cmdline.Print(c, resp, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s is sealed since %s; it gets no session here any more\n", resp.System, date(resp.At))
			return err
		})
	})
}

func systemsList(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("one word to search for, or none")
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var list api.SystemList
		if err := a.Call(c.Context, "GET", "/admin/systems?"+url.Values{"q": {c.Args().First()}}.Encode(), nil, &list); err != nil {
			return err
		}
		shown := api.SystemList{Systems: []api.System{}}
		rows := [][]string{{"NAME", "SERIAL", "ID", "HOST", "GROUPS", "LAST SEEN", "STATE"}}
		for _, s := range list.Systems {
			if s.Retired && !c.Bool("all") || s.Session == nil && c.Bool("open") {
				continue
			}
			shown.Systems = append(shown.Systems, s)
			rows = append(rows, []string{s.Name, cmp.Or(s.Serial, "-"), s.ID, s.Hostname, strings.Join(s.Groups, ","), date(s.LastSeen), state(s)})
		}
		if len(shown.Systems) == 0 {
			return none(c, shown, "no system matches; see: rss systems --all, and to enrol one: rss token new --system NAME")
		}
		return cmdline.Print(c, shown, func(w io.Writer) error { return cmdline.Table(w, rows) })
	})
}

// state says in a few words how things are.
func state(s api.System) string {
	switch {
	case s.Sealed != nil:
		return "disabled for good"
	case s.Retired:
		return "removed"
	case s.Session == nil:
		return "closed"
	}
	text := "open since " + date(s.Session.Since)
	if !s.Session.Expires.IsZero() {
		text += ", until " + date(s.Session.Expires)
	}
	var who []string
	for _, e := range s.Session.Engineers {
		who = append(who, e.Engineer)
	}
	if len(who) > 0 {
		text += ": " + strings.Join(who, ", ")
	}
	return text
}

// none prints an empty list: as JSON, or as a sentence beside the output, so that
// scripts read nothing.
func none(c *cli.Context, list any, sentence string) error {
	if cmdline.JSON(c) {
		return cmdline.Print(c, list, nil)
	}
	_, err := fmt.Fprintln(c.App.ErrWriter, sentence)
	return err
}

func date(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
