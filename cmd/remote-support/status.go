package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show whether remote access is on, and everything that bears on it",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "watch", Usage: "go on and show events as they happen"}},
		Action: func(c *cli.Context) error {
			return withAPI(c, func(ctx context.Context, api control.API) error {
				s, err := api.Status(ctx, control.Self())
				if err != nil {
					return err
				}
				if err := cmdline.Print(c, s, func(w io.Writer) error { return printStatus(w, s) }); err != nil {
					return err
				}
				if !c.Bool("watch") {
					return nil
				}
				if !s.Agent.Running {
					return control.ErrNotRunning
				}
				return watch(c, ctx, api)
			})
		},
	}
}

func printStatus(w io.Writer, s control.Status) error {
	remote := remoteLine(s.Remote)
	agent := "not running"
	if s.Agent.Running {
		agent = fmt.Sprintf("running since %s (pid %d)", s.Agent.Since.Local().Format(time.DateTime), s.Agent.PID)
	}
	vendor := "not enrolled; see: remote-support enroll --help"
	if s.System.Enrolled {
		vendor = fmt.Sprintf("%s at %s", s.System.Vendor, s.System.RSS)
	}
	policy := "built-in default"
	if s.Policy.Files > 0 {
		policy = fmt.Sprintf("%d files", s.Policy.Files)
	}
	rows := append([][]string{{"remote access", remote}}, sessionRows(s.Remote.Session, time.Now())...)
	rows = append(rows, []string{"agent", agent})
	if s.Agent.Web != "" {
		rows = append(rows, []string{"web pages", s.Agent.Web})
	}
	rows = append(rows, [][]string{
		{"vendor", vendor},
		{"system", s.System.ID},
		{"policy", policy + ", " + s.Policy.Hash},
		{"bundles queued", fmt.Sprint(s.Queue)},
	}...)
	rows = append(rows, sinkRows(s.EventSinks)...)
	rows = append(rows, hardwareRow(s.Hardware)...)
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	for _, p := range s.Problems {
		fmt.Fprintln(w, "problem:", p)
	}
	for _, n := range s.Noticed {
		fmt.Fprintln(w, "noticed:", n)
	}
	if len(s.Remote.Connections) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return printConnections(w, s.Remote.Connections)
}

// remoteLine is the state in the words that somebody looks for.
func remoteLine(r control.Access) string {
	words := map[string]string{
		"off": "off", "opening": "being turned ON, the relay is not reached yet", "open": "ON, nobody is in", "closing": "being turned off",
	}
	text := words[r.State]
	in, waiting := 0, 0
	for _, o := range r.Connections {
		if o.State == control.ConnectionWaiting {
			waiting++
		} else {
			in++
		}
	}
	switch {
	case in == 1:
		text = "ON, 1 engineer is in"
	case in > 1:
		text = fmt.Sprintf("ON, %d engineers are in", in)
	}
	if waiting > 0 {
		text += fmt.Sprintf(", %d WAIT for approval", waiting)
	}
	if r.Reason != "" {
		text += ", " + r.Reason
	}
	return text
}

// sessionRows are the rows about an open session.
func sessionRows(s control.Session, now time.Time) [][]string {
	if s.ID == "" {
		return nil
	}
	since := fmt.Sprintf("%s, by %s", s.Since.Local().Format(time.DateTime), s.By)
	if s.Case != "" {
		since += ", case " + s.Case
	}
	secret := fmt.Sprintf("good, bears %d wrong tries", s.TriesLeft)
	if !s.SecretGood {
		secret = "VOID; make another: remote-support secret new"
	}
	rows := [][]string{{"  session", s.ID}, {"  since", since}, {"  ends", endOf(s, now)}, {"  secret", secret}, {"  relay", s.RSS + ", " + s.Way}}
	if s.HostKey != "" {
		rows = append(rows, []string{"  host key", s.HostKey})
	}
	if s.Link != nil {
		link := "up since " + s.Link.Since.Local().Format(time.DateTime)
		if !s.Link.Up {
			link = "DOWN, is dialled again"
			if s.Link.Error != "" {
				link += ": " + s.Link.Error
			}
		}
		rows = append(rows, []string{"  link", link})
		if s.Link.InspectedBy != "" {
			rows = append(rows, []string{"  notice", inspection(s.Link.InspectedBy)})
		}
	}
	return rows
}

func watch(c *cli.Context, ctx context.Context, api control.API) error {
	enc := json.NewEncoder(c.App.Writer)
	return api.Watch(ctx, control.Self(), func(e control.Event) error {
		if cmdline.JSON(c) {
			return enc.Encode(e)
		}
		if routine(e) {
			return nil
		}
		line := eventLine(e.Time, e.Type, e.Actor, e.Subject, e.Detail)
		if text, ok := sentence(e); ok {
			line = e.Time.Local().Format(time.DateTime) + "  " + text
		}
		_, err := fmt.Fprintln(c.App.Writer, line)
		return err
	})
}
