package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
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
			return cmdline.Print(c, rows, func(w io.Writer) error {
				table := [][]string{{"source", "target", "direction", "protocol", "port", "purpose"}}
				for _, r := range rows {
					table = append(table, []string{r.Source, r.Target, r.Direction, r.Protocol, r.Port, r.Purpose})
				}
				if err := cmdline.Table(w, table); err != nil {
					return err
				}
				_, err := fmt.Fprintln(w, "\nInbound: nothing. A session opens no listening port.")
				return err
			})
		},
	}
}
