package main

import (
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
)

func portsCommand() *cli.Command {
	return &cli.Command{
		Name:  "ports",
		Usage: "show what a firewall must let through",
		Description: `For the configuration in force, or as it would be with the flags. Nothing is
looked up and nothing is contacted.

Examples:
   remote-support ports
   remote-support ports --proxy https://proxy.example:3128`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "rss", Usage: "with the relay at `HOST[:PORT]`"},
			&cli.StringFlag{Name: "proxy", Usage: "through the proxy `URL`"},
		},
		Action: func(c *cli.Context) (err error) {
			rss, err := cmdline.Relay(c)
			if err != nil {
				return err
			}
			a, err := openAgent(c)
			if err != nil {
				return err
			}
			defer closing(a, &err)
			rows, err := a.Ports(rss, c.String("proxy"))
			if err != nil {
				return err
			}
			inbound := webRows(c)
			rows = append(rows, inbound...)
			return cmdline.Print(c, rows, func(w io.Writer) error {
				table := [][]string{{"source", "target", "direction", "protocol", "port", "purpose"}}
				for _, r := range rows {
					table = append(table, []string{r.Source, r.Target, r.Direction, r.Protocol, r.Port, r.Purpose})
				}
				if err := cmdline.Table(w, table); err != nil {
					return err
				}
				text := "Inbound: nothing."
				if len(inbound) > 0 {
					text = "Inbound: the web pages, for administrators alone."
				}
				_, err := fmt.Fprintf(w, "\n%s A session opens no listening port.\n", text)
				return err
			})
		},
	}
}

// webRows are the ports at which the running agent serves its pages, or would by
// default.
func webRows(c *cli.Context) []agent.Port {
	here, err := os.Hostname()
	if err != nil {
		here = "this machine"
	}
	port := ""
	if client, err := dialAgent(c); err == nil {
		if s, err := client.Status(c.Context, control.Self()); err == nil {
			if u, err := url.Parse(s.Agent.Web); err == nil {
				port = u.Port()
			}
		}
	} else if root, err := cmdline.Root(c); err == nil && root.Dir == "" {
		port = "9000"
	}
	if port == "" {
		return nil
	}
	rows := []agent.Port{{Source: "administrators' browsers", Target: here, Direction: "inbound", Protocol: "TCP", Port: port, Purpose: "web pages, HTTPS"}}
	if port == "9000" {
		rows = append(rows, agent.Port{Source: "administrators' browsers", Target: here, Direction: "inbound", Protocol: "TCP", Port: "8000", Purpose: "leads to port 9000, nothing else"})
	}
	return rows
}
