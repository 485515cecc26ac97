package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:        "audit",
		Usage:       "print the relay's event log, and check it on the way",
		Description: "Each record names the hash of the one before; a record that was changed or\nremoved ends the output with exit code 4. With --json, one record a line.",
		Flags:       append([]cli.Flag{&cli.StringFlag{Name: "type", Usage: "only events whose type begins with `PREFIX`"}}, storeFlags()...),
		Action:      auditAction,
	}
}

// brokenLog is what the relay found while it read its log.
type brokenLog struct{ msg string }

func (e *brokenLog) Error() string { return e.msg }
func (e *brokenLog) ExitCode() int { return cmdline.ExitCheckFailed }

func auditAction(c *cli.Context) error {
	return withAdmin(c, func(a *relay.Admin) error {
		body, err := a.Stream(c.Context, "/admin/audit")
		if err != nil {
			return err
		}
		defer body.Close()
		enc := json.NewEncoder(c.App.Writer)
		for dec := json.NewDecoder(body); ; {
			var line struct {
				audit.Record
				Code    string `json:"code"`
				Message string `json:"message"`
			}
			switch err := dec.Decode(&line); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return fmt.Errorf("read event log: %w", err)
			case line.Code != "":
				return &brokenLog{line.Message}
			}
			if !strings.HasPrefix(string(line.Type), c.String("type")) {
				continue
			}
			if cmdline.JSON(c) {
				err = enc.Encode(line.Record)
			} else {
				_, err = fmt.Fprintln(c.App.Writer, eventLine(line.Record))
			}
			if err != nil {
				return err
			}
		}
	})
}

func eventLine(r audit.Record) string {
	keys := make([]string, 0, len(r.Detail))
	for k := range r.Detail {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var detail []string
	for _, k := range keys {
		detail = append(detail, fmt.Sprintf("%s=%q", k, r.Detail[k]))
	}
	return strings.TrimSpace(fmt.Sprintf("%6d  %s  %-17s %s  %s  %s", r.Seq, r.Time.Local().Format("2006-01-02 15:04:05"), r.Type, r.Actor, r.Subject, strings.Join(detail, " ")))
}
