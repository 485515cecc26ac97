package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func connectionsCommand() *cli.Command {
	one := func(name, usage, done string, f func(context.Context, *control.Client, string) error) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, ArgsUsage: "ID", Action: func(c *cli.Context) error {
			id, err := connectionID(c)
			if err != nil {
				return err
			}
			client, err := dialAgent(c)
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

func connectionID(c *cli.Context) (string, error) {
	if c.NArg() != 1 {
		return "", cmdline.Usagef("say which connection: its ID is in `remote-support connections`")
	}
	return c.Args().First(), nil
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
	id, err := connectionID(c)
	if err != nil {
		return err
	}
	client, err := dialAgent(c)
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

// watchConnection shows what an engineer sees. What could make the terminal of
// the one who looks on do more than show is left out.
func watchConnection(c *cli.Context) error {
	id, err := connectionID(c)
	if err != nil {
		return err
	}
	client, err := dialAgent(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "looking on at %s; end with Ctrl-C, cut it with: remote-support connections cut %s\n", id, id)
	enc := json.NewEncoder(c.App.Writer)
	screens := map[uint32]*screen{}
	err = client.Live(c.Context, control.Self(), id, func(f control.Frame) error {
		if cmdline.JSON(c) {
			return enc.Encode(f)
		}
		if screens[f.Channel] == nil {
			screens[f.Channel] = &screen{}
		}
		_, err := c.App.Writer.Write(screens[f.Channel].show(f.Data))
		return err
	})
	if c.Context.Err() != nil {
		return nil // Ctrl-C is how it ends
	}
	if err == nil {
		fmt.Fprintln(c.App.ErrWriter, "\nthe connection has ended")
	}
	return err
}

// screen lets through what draws: text, colours, movements of the cursor. It
// leaves out what makes a terminal answer (the answer would be typed into the
// shell of whoever looks on), sets its title or its clipboard.
type screen struct {
	state byte   // 0 text, e after ESC, c in a CSI sequence, s in a string, t after ESC in a string
	seq   []byte // the sequence so far
}

const longestSequence = 64

func (s *screen) show(p []byte) []byte {
	var out []byte
	for _, b := range p {
		switch s.state {
		case 0:
			switch {
			case b == 0x1b:
				s.state, s.seq = 'e', append(s.seq[:0], b)
			case b == 0x05: // answers back
			default:
				out = append(out, b)
			}
		case 'e':
			s.seq = append(s.seq, b)
			switch {
			case b == '[':
				s.state = 'c'
			case strings.IndexByte("]PX^_", b) >= 0:
				s.state = 's'
			case b >= 0x20 && b <= 0x2f: // more to come
			default:
				s.state = 0
				if b != 'Z' && b != 'c' { // asks who the terminal is; resets it
					out = append(out, s.seq...)
				}
			}
		case 'c':
			s.seq = append(s.seq, b)
			switch {
			case len(s.seq) > longestSequence:
				s.state = 0
			case b >= 0x40 && b <= 0x7e:
				s.state = 0
				if strings.IndexByte("cnxtqpyi", b) < 0 { // reports, window, printer
					out = append(out, s.seq...)
				}
			}
		case 's':
			switch b {
			case 0x07:
				s.state = 0
			case 0x1b:
				s.state = 't'
			}
		case 't':
			s.state = 's'
			if b == '\\' {
				s.state = 0
			}
		}
	}
	return out
}
