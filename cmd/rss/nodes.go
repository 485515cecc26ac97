package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
)

func nodesCommand() *cli.Command {
	return &cli.Command{
		Name:        "nodes",
		Usage:       "list the nodes of this relay that are up",
		Description: "Nodes share one NATS store (rss serve --nats). One that was not heard of for 20\nseconds is down, and not listed; what hung on it comes back at another.",
		Flags:       storeFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return cmdline.Usagef("nodes takes no arguments")
			}
			return withAdmin(c, func(a *relay.Admin) error {
				var list relay.NodeList
				if err := a.Call(c.Context, "GET", "/admin/nodes", nil, &list); err != nil {
					return err
				}
				return cmdline.Print(c, list, func(w io.Writer) error { return nodesText(w, list) })
			})
		},
	}
}

func nodesText(w io.Writer, list relay.NodeList) error {
	if !list.Several {
		_, err := fmt.Fprintln(w, "this relay is one node with a store of its own (rss serve was given no --nats)")
		return err
	}
	if len(list.Nodes) == 0 {
		_, err := fmt.Fprintln(w, "no node is up; start one with: rss serve")
		return err
	}
	rows := [][]string{{"NODE", "ADDRESS", "SINCE", ""}}
	for _, n := range list.Nodes {
		here := ""
		if n.Name == list.Self {
			here = "this one"
		}
		rows = append(rows, []string{n.Name, n.Address, date(n.Started), here})
	}
	return cmdline.Table(w, rows)
}
