package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func connectionsCommand() *cli.Command {
	one := func(name, usage, done string, f func(context.Context, *control.Client, string) error) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, ArgsUsage: "ID", Action: func(c *cli.Context) error {
			id, client, err := connectionOf(c)
			if err != nil {
				return err
			}
			if err := f(c.Context, client, id); err != nil {
				return err
			}
			return cmdline.Print(c, map[string]string{"connection": id, "done": name}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, done+"\n", id)
				return err
			})
		}}
	}
	return &cli.Command{
		Name:  "connections",
		Usage: "show who is in and who waits; cut, approve, deny, look on",
		Description: `Examples:
   remote-support connections
   remote-support connections approve con-7k2m9q4x
   remote-support connections watch con-7k2m9q4x
   remote-support connections cut con-7k2m9q4x`,
		Action: listConnections,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "show who is in and who waits", Action: listConnections},
			one("cut", "end a connection and everything that it started", "%s is cut, its processes are ended",
				func(ctx context.Context, api *control.Client, id string) error {
					return api.Cut(ctx, control.Self(), id)
				}),
			{Name: "approve", Usage: "let an engineer in who waits", ArgsUsage: "ID", Action: approve},
			one("deny", "turn an engineer away who waits", "%s is turned away",
				func(ctx context.Context, api *control.Client, id string) error {
					return api.Deny(ctx, control.Self(), id)
				}),
			{Name: "watch", Usage: "see what the engineer sees, as it happens", ArgsUsage: "ID", Action: watchConnection},
		},
	}
}

// connectionOf is the connection that is named, and the agent that has it.
func connectionOf(c *cli.Context) (string, *control.Client, error) {
	if c.NArg() != 1 {
		return "", nil, cmdline.Usagef("say which connection: its ID is in `remote-support connections`")
	}
	client, err := dialAgent(c)
	return c.Args().First(), client, err
}

func listConnections(c *cli.Context) error {
	return withAPI(c, func(ctx context.Context, api control.API) error {
		all, err := api.Connections(ctx, control.Self())
		if err != nil {
			return err
		}
		return cmdline.Print(c, all, func(w io.Writer) error {
			if len(all) == 0 {
				_, err := fmt.Fprintln(w, "nobody is in, nobody waits")
				return err
			}
			return printConnections(w, all)
		})
	})
}

func printConnections(w io.Writer, all []control.Connection) error {
	rows := [][]string{{"connection", "state", "engineer", "case", "from", "since", "bytes", "commands", "files"}}
	for _, o := range all {
		rows = append(rows, []string{o.ID, stateOf(o), o.Engineer, orDash(o.Case), orDash(o.From), o.Since.Local().Format(time.TimeOnly),
			cmdline.Size(o.Bytes), fmt.Sprint(o.Commands), fmt.Sprint(o.Files)})
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	for _, o := range all {
		if o.State == control.ConnectionWaiting && o.Needs > 0 {
			fmt.Fprintf(w, "%s waits until %s for %s: remote-support connections approve %s (or deny)\n", o.Engineer, o.Until.Local().Format(time.TimeOnly), people(o.Needs-len(o.Approvers)), o.ID)
		}
		if o.State != control.ConnectionWaiting && !o.Recorded {
			fmt.Fprintf(w, "%s is NOT recorded\n", o.ID)
		}
	}
	return nil
}

func stateOf(o control.Connection) string {
	if o.State == control.ConnectionWaiting {
		return fmt.Sprintf("WAITS, %d of %d said yes", len(o.Approvers), o.Needs)
	}
	return o.State
}

func people(n int) string {
	if n == 1 {
		return "one yes"
	}
	return fmt.Sprintf("the yes of %d different people", n)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func approve(c *cli.Context) error {
	id, client, err := connectionOf(c)
	if err != nil {
		return err
	}
	o, err := client.Approve(c.Context, control.Self(), id)
	if err != nil {
		return err
	}
	return cmdline.Print(c, o, func(w io.Writer) error {
		text := o.Engineer + " is let in"
		if missing := o.Needs - len(o.Approvers); missing > 0 {
			text = fmt.Sprintf("noted; %s still waits for %s", o.Engineer, people(missing))
		}
		_, err := fmt.Fprintln(w, text)
		return err
	})
}
