package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/testconn"
)

func testCommand() *cli.Command {
	return &cli.Command{
		Name:  "test",
		Usage: "test the connection to the relay, step by step; opens nothing",
		Description: `Each step says how it went, how long it took, and what to do if it failed. No
session is opened and no secret is sent, but what a proxy asks for.

Examples:
   remote-support test
   remote-support test --proxy https://ada@proxy.example:3128
   remote-support test --rss rss.example.com --json`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "rss", Usage: "test the relay at `HOST[:PORT]` instead of the enrolled one"},
		}, cmdline.RouteFlags()...),
		Action: testConnection,
	}
}

func testConnection(c *cli.Context) (err error) {
	way, err := cmdline.Route(c)
	if err != nil {
		return err
	}
	address := c.String("rss")
	if address != "" { // whether it is retired is a step of the test
		address = api.WithPort(address)
		if err := api.CheckAddress(address); err != nil {
			return cmdline.Usagef("--rss: %v", err)
		}
	}
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	failed := false
	enc := json.NewEncoder(c.App.Writer)
	err = a.TestConnection(c.Context, control.Self(), address, way, func(s testconn.Step) {
		failed = failed || s.Err != nil
		if cmdline.JSON(c) {
			enc.Encode(jsonStep(s))
			return
		}
		printStep(c, s)
	})
	if failed {
		return cmdline.Silent(cmdline.Code(err)) // the step has said it
	}
	return err
}

func printStep(c *cli.Context, s testconn.Step) {
	result, text := "ok", s.Detail
	if s.Err != nil {
		result, text = "FAILED", s.Err.Error()
	}
	fmt.Fprintf(c.App.Writer, "%-6s  %-40s %8s  %s\n", result, s.Name, s.Took.Round(100*time.Microsecond), text)
	if s.Hint != "" {
		fmt.Fprintf(c.App.Writer, "%58s%s\n", "", s.Hint)
	}
}

type stepJSON struct {
	Step   string  `json:"step"`
	OK     bool    `json:"ok"`
	Detail string  `json:"detail,omitempty"`
	Error  string  `json:"error,omitempty"`
	Hint   string  `json:"hint,omitempty"`
	Millis float64 `json:"milliseconds"`
}

func jsonStep(s testconn.Step) stepJSON {
	j := stepJSON{Step: s.Name, OK: s.Err == nil, Detail: s.Detail, Hint: s.Hint, Millis: float64(s.Took.Microseconds()) / 1000}
	if s.Err != nil {
		j.Error = s.Err.Error()
	}
	return j
}
