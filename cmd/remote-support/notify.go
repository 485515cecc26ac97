package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func notifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "notify",
		Usage: "test where events are sent: the array, syslog, mail",
		Subcommands: []*cli.Command{{
			Name:      "test",
			Usage:     "send a test event through each sink, now",
			ArgsUsage: "[SINK...]",
			Description: `Says of each sink whether the test is at its place, or what is wrong and what to do
about it. What waits for a sink is not touched. Which sinks there are, and how they
stand: remote-support events.

Examples:
   remote-support notify test
   remote-support notify test smtp --json`,
			Action: notifyTest,
		}},
	}
}

type testJSON struct {
	Sink   string  `json:"sink"`
	Plugin string  `json:"plugin,omitempty"`
	OK     bool    `json:"ok"`
	Error  string  `json:"error,omitempty"`
	Hint   string  `json:"hint,omitempty"`
	Millis float64 `json:"milliseconds"`
}

func notifyTest(c *cli.Context) (err error) {
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	told := false
	enc := json.NewEncoder(c.App.Writer)
	err = a.TestSinks(c.Context, control.Self(), c.Args().Slice(), func(sink, plugin string, took time.Duration, err error) {
		told = told || err != nil
		row := testJSON{Sink: sink, Plugin: plugin, OK: err == nil, Millis: float64(took.Microseconds()) / 1000}
		if err != nil {
			row.Error = err.Error()
			var h interface{ Hint() string }
			if errors.As(err, &h) {
				row.Hint = h.Hint()
			}
		}
		if cmdline.JSON(c) {
			enc.Encode(row)
			return
		}
		result, text := "ok", "a test event is there"
		if err != nil {
			result, text = "FAILED", row.Error
		}
		fmt.Fprintf(c.App.Writer, "%-6s  %-12s %8s  %s\n", result, sink, took.Round(time.Millisecond), text)
		for _, h := range strings.Split(row.Hint, "; ") {
			if h != "" {
				fmt.Fprintf(c.App.Writer, "%31s- %s\n", "", h)
			}
		}
	})
	if told {
		return cmdline.Silent(max(cmdline.Code(err), 1)) // the row has said it
	}
	return err
}

func eventsCommand() *cli.Command {
	return &cli.Command{
		Name:  "events",
		Usage: "show where events are sent, what waits, and what went wrong",
		Description: `Events go from the audit log to each sink in order. What cannot be delivered waits
on disk and is tried again. Settings are in the directory events.d of the
configuration.

Examples:
   remote-support events
   remote-support events --json`,
		Action: func(c *cli.Context) (err error) {
			a, err := openAgent(c)
			if err != nil {
				return err
			}
			defer closing(a, &err)
			states, mistakes := a.EventSinks()
			err = cmdline.Print(c, states, func(w io.Writer) error {
				if len(states) == 0 {
					_, err := fmt.Fprintln(w, "no event sink is set up")
					return err
				}
				table := [][]string{{"sink", "events", "delivered", "up to record", "last", "waiting", "lost", "state"}}
				for _, s := range states {
					state, last := "ok", "never"
					if s.Error != "" {
						state = s.Error
						if !s.Failing.IsZero() {
							state = "FAILING since " + s.Failing.Local().Format(time.DateTime) + ": " + s.Error
						}
					}
					if !s.LastAt.IsZero() {
						last = s.LastAt.Local().Format(time.DateTime)
					}
					table = append(table, []string{s.Name, strings.Join(s.Events, ","), strconv.FormatUint(s.Delivered, 10), strconv.FormatUint(s.Record, 10), last,
						strconv.Itoa(s.Waiting), strconv.FormatUint(s.Dropped+s.Refused, 10), state})
				}
				if err := cmdline.Table(w, table); err != nil {
					return err
				}
				for _, s := range states {
					for _, h := range strings.Split(s.Hint, "; ") {
						if h != "" {
							fmt.Fprintf(w, "%s: %s\n", s.Name, h)
						}
					}
				}
				return nil
			})
			return errors.Join(err, mistakes)
		},
	}
}

// sinkRows are the rows of a status about the sinks of events.
func sinkRows(sinks []control.EventSink) [][]string {
	var rows [][]string
	for _, s := range sinks {
		text := fmt.Sprintf("delivered up to record %d", s.Record)
		if s.Waiting > 0 {
			text += fmt.Sprintf(", %d WAIT", s.Waiting)
		}
		if s.Dropped > 0 {
			text += fmt.Sprintf(", %d LOST", s.Dropped)
		}
		if s.Error != "" {
			text += ": " + s.Error
		}
		rows = append(rows, []string{"events to " + s.Name, text})
	}
	return rows
}
