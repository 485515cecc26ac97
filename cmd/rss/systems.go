package main

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
)

func systemsCommand() *cli.Command {
	return &cli.Command{
		Name:   "systems",
		Usage:  "list the enrolled systems",
		Flags:  append([]cli.Flag{&cli.BoolFlag{Name: "all", Usage: "with those that were replaced or removed"}}, storeFlags()...),
		Action: systemsList,
		Subcommands: []*cli.Command{{
			Name: "remove", Usage: "take a system's right to log in", ArgsUsage: "NAME|ID", Flags: storeFlags(),
			Action: func(c *cli.Context) error {
				if c.NArg() != 1 {
					return cmdline.Usagef("name one system, by its name or id")
				}
				return withAdmin(c, func(a *relay.Admin) error {
					var sys api.System
					if err := a.Call(c.Context, "POST", "/admin/systems/"+url.PathEscape(c.Args().First())+"/retire", nil, &sys); err != nil {
						return err
					}
					return cmdline.Print(c, sys, func(w io.Writer) error {
						_, err := fmt.Fprintf(w, "%s (%s) can no longer log in; its bundles stay\n", sys.Name, sys.ID)
						return err
					})
				})
			},
		}},
	}
}

func systemsList(c *cli.Context) error {
	return withAdmin(c, func(a *relay.Admin) error {
		var list api.SystemList
		if err := a.Call(c.Context, "GET", "/admin/systems", nil, &list); err != nil {
			return err
		}
		shown := api.SystemList{Systems: []api.System{}}
		rows := [][]string{{"NAME", "ID", "HOST", "ENROLLED", "LAST SEEN", ""}}
		for _, s := range list.Systems {
			if s.Retired && !c.Bool("all") {
				continue
			}
			shown.Systems = append(shown.Systems, s)
			note := ""
			if s.Retired {
				note = "removed"
			}
			rows = append(rows, []string{s.Name, s.ID, s.Hostname, date(s.EnrolledAt), date(s.LastSeen), note})
		}
		return cmdline.Print(c, shown, func(w io.Writer) error { return cmdline.Table(w, rows) })
	})
}

func date(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
