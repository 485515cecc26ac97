package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
)

func hardwareCommand() *cli.Command {
	return &cli.Command{
		Name:  "hardware",
		Usage: "show how the hardware of this machine stands, and what is watched",
		Description: `The running agent looks each minute at what the kernel says of RAID arrays, disks,
file systems, memory, processors, sensors, power supplies and links. A failure and
its end are recorded in the audit log, once each, and sent where events are sent
(remote-support events). Nothing is sent where no sink is set up. It is switched off
in local.cfg: REMOTE_SUPPORT_WATCH_HARDWARE="no".

Without an agent this command looks once by itself and tells nobody. The exit code
is 4 when something has failed.

Examples:
   remote-support hardware
   remote-support hardware --json
   remote-support audit show --type hardware.`,
		Action: func(c *cli.Context) error {
			return withAPI(c, func(ctx context.Context, api control.API) error {
				h, running, err := hardwareOf(ctx, api)
				if err != nil {
					return err
				}
				if err := cmdline.Print(c, h, func(w io.Writer) error { return printHardware(w, h, running) }); err != nil {
					return err
				}
				for _, f := range h.Failures {
					if f.Well.IsZero() {
						return cmdline.Silent(4)
					}
				}
				return nil
			})
		},
	}
}

// hardwareOf asks the agent, or looks when none runs.
func hardwareOf(ctx context.Context, api control.API) (h control.Hardware, running bool, err error) {
	if a, here := api.(*agent.Agent); here {
		return a.Hardware(), false, nil
	}
	s, err := api.Status(ctx, control.Self())
	if err != nil {
		return h, true, err
	}
	if s.Hardware == nil {
		return h, true, fmt.Errorf("the state of the hardware is told to root, and to who has logged in: remote-support login")
	}
	return *s.Hardware, true, nil
}

func printHardware(w io.Writer, h control.Hardware, running bool) error {
	switch {
	case !h.On:
		fmt.Fprintf(w, "not watched: %s\n", h.Reason)
	case !running:
		fmt.Fprintln(w, "not watched: the agent does not run; this is one look")
	default:
		fmt.Fprintf(w, "watched since %s, last look %s (%.1f ms)\n", h.Since.Local().Format(time.DateTime), h.Looked.Local().Format(time.DateTime), h.Millis)
	}
	if h.Problem != "" {
		fmt.Fprintln(w, "problem:", h.Problem)
	}
	if len(h.Kinds) == 0 && h.On {
		fmt.Fprintln(w, "nothing here that the kernel tells about")
	}
	if len(h.Kinds) > 0 {
		rows := [][]string{{"kind", "watched", "state", "which"}}
		for _, k := range h.Kinds {
			state := "ok"
			if k.Failed > 0 {
				state = fmt.Sprintf("%d FAILED", k.Failed)
			}
			which := strings.Join(k.Names[:min(len(k.Names), 4)], ", ")
			if k.Watched > 4 && len(k.Names) > 4 {
				which += ", ..."
			}
			rows = append(rows, []string{k.Kind, strconv.Itoa(k.Watched), state, which})
		}
		if err := cmdline.Table(w, rows); err != nil {
			return err
		}
	}
	if len(h.Failures) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := [][]string{{"level", "component", "what", "since", "state", "evidence"}}
	for _, f := range h.Failures {
		state := "not told yet: it may pass"
		if !f.Told.IsZero() {
			state = "told " + f.Told.Local().Format(time.DateTime)
		}
		if !f.Well.IsZero() {
			state = "well since " + f.Well.Local().Format(time.DateTime)
		}
		rows = append(rows, []string{f.Level, f.Component, f.What, f.Since.Local().Format(time.DateTime), state, f.Evidence})
	}
	return cmdline.Table(w, rows)
}

// hardwareRow is what a status says of it.
func hardwareRow(h *control.Hardware) [][]string {
	if h == nil {
		return nil
	}
	failed, watched := 0, 0
	for _, f := range h.Failures {
		if !f.Told.IsZero() && f.Well.IsZero() {
			failed++
		}
	}
	for _, k := range h.Kinds {
		watched += k.Watched
	}
	text := fmt.Sprintf("ok, %d parts are watched", watched)
	switch {
	case !h.On:
		text = "not watched: " + h.Reason
	case failed > 0:
		text = fmt.Sprintf("%d FAILED of %d parts; see: remote-support hardware", failed, watched)
	}
	return [][]string{{"hardware", text}}
}
