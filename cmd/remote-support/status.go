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
	remote := s.Remote.State
	if s.Remote.Reason != "" {
		remote += ", " + s.Remote.Reason
	}
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
	rows := [][]string{
		{"remote access", remote},
		{"agent", agent},
		{"vendor", vendor},
		{"system", s.System.ID},
		{"policy", policy + ", " + s.Policy.Hash},
		{"bundles queued", fmt.Sprint(s.Queue)},
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	for _, p := range s.Problems {
		fmt.Fprintln(w, "problem:", p)
	}
	return nil
}

func watch(c *cli.Context, ctx context.Context, api control.API) error {
	enc := json.NewEncoder(c.App.Writer)
	return api.Watch(ctx, control.Self(), func(e control.Event) error {
		if cmdline.JSON(c) {
			return enc.Encode(e)
		}
		_, err := fmt.Fprintln(c.App.Writer, eventLine(e.Time, e.Type, e.Actor, e.Subject, e.Detail))
		return err
	})
}
