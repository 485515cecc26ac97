package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "show and verify the record of everything that happened here",
		Subcommands: []*cli.Command{
			{
				Name: "show", Usage: "print the events, oldest first",
				Description: "Examples:\n   remote-support audit show --since 24h\n   remote-support audit show --type bundle. --json",
				Flags: []cli.Flag{
					&cli.DurationFlag{Name: "since", Usage: "only events of the last `DURATION`, as 24h"},
					&cli.StringFlag{Name: "type", Usage: "only events whose type begins with `PREFIX`"},
				},
				Action: auditShow,
			},
			{
				Name: "verify", Usage: "check that no event was changed, removed or inserted",
				Description: "With --anchor, also that the log still holds the head that was kept elsewhere\n(the output of an earlier verify --json). Exit code 4 when it does not hold.",
				Flags:       []cli.Flag{&cli.StringSliceFlag{Name: "anchor", Usage: "`FILE` with a head that was kept elsewhere"}},
				Action:      auditVerify,
			},
			{
				Name: "export", Usage: "verify, then write all records as JSON lines",
				Action: func(c *cli.Context) error {
					if _, err := verifyLog(c, nil); err != nil {
						return err
					}
					return eachRecord(c, func(r audit.Record) error { return json.NewEncoder(c.App.Writer).Encode(r) })
				},
			},
		},
	}
}

func auditShow(c *cli.Context) error {
	var after time.Time
	if d := c.Duration("since"); d > 0 {
		after = time.Now().Add(-d)
	}
	enc := json.NewEncoder(c.App.Writer)
	return eachRecord(c, func(r audit.Record) error {
		if r.Time.Before(after) || !strings.HasPrefix(string(r.Type), c.String("type")) {
			return nil
		}
		if cmdline.JSON(c) {
			return enc.Encode(r)
		}
		_, err := fmt.Fprintln(c.App.Writer, eventLine(r.Time, string(r.Type), r.Actor, r.Subject, r.Detail))
		return err
	})
}

func eachRecord(c *cli.Context, fn func(audit.Record) error) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	for r, err := range audit.Read(root.Audit()) {
		if errors.Is(err, os.ErrNotExist) {
			return nil // nothing has happened yet
		}
		if err != nil {
			return err
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// eventLine is one event for people: time, type, who, what, then the details
// in a fixed order.
func eventLine(at time.Time, kind, actor, subject string, detail map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-18s %s", at.Local().Format(time.DateTime), kind, actor)
	if subject != "" {
		fmt.Fprintf(&b, "  %s", subject)
	}
	keys := make([]string, 0, len(detail))
	for k := range detail {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		v := detail[k]
		if strings.ContainsAny(v, " \t\"") || v == "" {
			v = fmt.Sprintf("%q", v)
		}
		fmt.Fprintf(&b, "  %s=%s", k, v)
	}
	return b.String()
}

func auditVerify(c *cli.Context) error {
	anchors, err := readAnchors(c.StringSlice("anchor"))
	if err != nil {
		return err
	}
	report, err := verifyLog(c, anchors)
	var broken *audit.BrokenError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	if e := cmdline.Print(c, report, func(w io.Writer) error { return printReport(w, report) }); e != nil {
		return e
	}
	return err
}

// verifyLog checks the log with the system's own key. A machine on which
// nothing happened yet has no log and nothing to hide.
func verifyLog(c *cli.Context, anchors []audit.Head) (audit.Report, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return audit.Report{}, err
	}
	if _, err := os.Stat(root.Audit()); errors.Is(err, os.ErrNotExist) && len(anchors) == 0 {
		return audit.Report{}, nil
	}
	system, err := identity.Open(root.Identity())
	if err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(root.Audit(), audit.Check{
		Anchors: anchors,
		Signature: func(namespace string, message, armored []byte) error {
			return identity.Verify(system.PublicKey(), namespace, bytes.NewReader(message), armored)
		},
	})
}

func printReport(w io.Writer, r audit.Report) error {
	if len(r.Problems) > 0 {
		for _, p := range r.Problems {
			fmt.Fprintln(w, p.Error())
		}
		return nil
	}
	if r.Records == 0 {
		_, err := fmt.Fprintln(w, "the audit log is empty")
		return err
	}
	_, err := fmt.Fprintf(w, "%d records hold, the last of %s\nhead %s\n", r.Records, r.Head.Time.Local().Format(time.DateTime), r.Head.Hash)
	if r.Recovered > 0 {
		fmt.Fprintf(w, "%d lines were cut short by a crash, each accounted for\n", r.Recovered)
	}
	return err
}

// readAnchors reads heads, or the reports of earlier verifications.
func readAnchors(files []string) ([]audit.Head, error) {
	var heads []audit.Head
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read anchor: %w", err)
		}
		var report audit.Report
		if err := json.Unmarshal(b, &report); err != nil {
			return nil, fmt.Errorf("anchor %s: %w", f, err)
		}
		head := report.Head
		if head.Hash == "" {
			if err := json.Unmarshal(b, &head); err != nil || head.Hash == "" {
				return nil, fmt.Errorf("anchor %s is neither a head nor the output of verify --json", f)
			}
		}
		heads = append(heads, head)
	}
	return heads, nil
}
