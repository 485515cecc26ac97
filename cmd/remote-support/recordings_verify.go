package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/internal/playback"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/record"
)

func recordingsVerify(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	anchors, err := recordingAnchors(c.StringSlice("anchor"))
	if err != nil {
		return err
	}
	heads, wrong, err := passportHeads(c, root)
	if err != nil {
		return err
	}
	anchors = append(anchors, heads...)
	args := c.Args().Slice()
	if len(args) == 0 {
		if args, err = allRecordings(root); err != nil {
			return err
		}
		for _, missing := range notThere(args, heads) {
			wrong = append(wrong, fmt.Sprintf("recording %s is gone, and a passport names it", missing))
		}
	}
	var reports []record.Report
	for _, arg := range args {
		if err := withOne(c, root, arg, func(dir string) error {
			report, err := verifyOne(c, root, dir, anchors)
			var broken *record.BrokenError
			if err != nil && !errors.As(err, &broken) {
				return err
			}
			reports = append(reports, report)
			return nil
		}); err != nil {
			return err
		}
	}
	if err := cmdline.Print(c, map[string]any{"recordings": reports, "problems": wrong}, func(w io.Writer) error {
		return printVerified(w, reports, wrong)
	}); err != nil {
		return err
	}
	for _, r := range reports {
		if len(r.Problems) > 0 {
			return cmdline.Silent(cmdline.ExitCheckFailed)
		}
	}
	if len(wrong) > 0 {
		return cmdline.Silent(cmdline.ExitCheckFailed)
	}
	return nil
}

func printVerified(w io.Writer, reports []record.Report, wrong []string) error {
	for _, r := range reports {
		if len(r.Problems) > 0 {
			fmt.Fprintf(w, "%s  DOES NOT HOLD\n", r.Recording)
			for _, p := range r.Problems {
				fmt.Fprintf(w, "  %s\n", playback.Printable(p.String()))
			}
			continue
		}
		what := "holds"
		if r.Live {
			what = "holds so far, it is still being made"
		}
		fmt.Fprintf(w, "%s  %s: %d segments, %d records until %s", r.Recording, what, r.Segments, r.Records, r.Last.Local().Format(time.DateTime))
		if !r.Live {
			fmt.Fprintf(w, ", %s", playback.Printable(r.Witnessing.Text()))
		} else if r.Witnessed > 0 {
			fmt.Fprintf(w, ", counter-signed up to segment %d", r.Witnessed-1)
		}
		if !r.Content {
			fmt.Fprint(w, ", content not looked at: no key here opens it")
		}
		if r.Recovered {
			fmt.Fprint(w, ", recovered after a crash")
		}
		if r.End != nil && r.End.Failed != "" {
			fmt.Fprintf(w, "\n  it is incomplete: %s", playback.Printable(r.End.Failed))
		}
		fmt.Fprintf(w, "\n  head %s\n", r.Head.Hash)
	}
	for _, p := range wrong {
		fmt.Fprintln(w, playback.Printable(p))
	}
	if len(reports) == 0 && len(wrong) == 0 {
		fmt.Fprintln(w, "nothing has been recorded yet")
	}
	return nil
}

func allRecordings(root paths.Root) ([]string, error) {
	list, err := record.List(root.Recordings())
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, info := range list {
		ids = append(ids, info.ID)
	}
	return ids, nil
}

// notThere are recordings that passports name and nobody has. Those that were
// removed on purpose are in the audit log.
func notThere(have []string, heads []record.Head) []string {
	there := map[string]bool{}
	for _, id := range have {
		there[id] = true
	}
	var gone []string
	for _, h := range heads {
		if !there[h.Recording] {
			there[h.Recording] = true
			gone = append(gone, h.Recording)
		}
	}
	return gone
}

// passportHeads are the heads in the passports of this system that were not
// pruned since, and what is wrong with the passports.
func passportHeads(c *cli.Context, root paths.Root) (heads []record.Head, wrong []string, err error) {
	files, err := filepath.Glob(filepath.Join(root.Passports(), "*.json"))
	if err != nil || len(files) == 0 || c.String("key") != "" {
		return nil, nil, err
	}
	system, err := identity.Open(root.Identity())
	if err != nil {
		return nil, nil, err
	}
	pruned, err := prunedRecordings(root)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		p, err := record.ReadPassport(f, system.PublicKey())
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		for _, h := range p.Heads() {
			if !pruned[h.Recording] {
				heads = append(heads, h)
			}
		}
	}
	return heads, wrong, nil
}

func prunedRecordings(root paths.Root) (map[string]bool, error) {
	pruned := map[string]bool{}
	for r, err := range audit.Read(root.Audit()) {
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		if r.Type == audit.RecordingRemoved {
			pruned[r.Subject] = true
		}
	}
	return pruned, nil
}

// recordingAnchors reads heads, or reports of earlier verifications.
func recordingAnchors(files []string) ([]record.Head, error) {
	var heads []record.Head
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read anchor: %w", err)
		}
		var in struct {
			record.Head
			Recordings []record.Report `json:"recordings"`
		}
		if err := json.Unmarshal(b, &in); err != nil {
			return nil, fmt.Errorf("anchor %s: %w", f, err)
		}
		before := len(heads)
		for _, r := range in.Recordings {
			heads = append(heads, r.Head)
		}
		if in.Hash != "" {
			heads = append(heads, in.Head)
		}
		if len(heads) == before {
			return nil, fmt.Errorf("anchor %s is neither a head nor the output of verify --json", f)
		}
	}
	return heads, nil
}

func recordingsRecoverCommand() *cli.Command {
	return &cli.Command{
		Name: "recover", Usage: "finish recordings that a crash cut short; the agent does it when it starts",
		Action: func(c *cli.Context) error {
			root, err := cmdline.Root(c)
			if err != nil {
				return err
			}
			if list, err := record.List(root.Recordings()); err != nil || len(list) == 0 {
				return err
			}
			system, err := identity.Open(root.Identity())
			if err != nil {
				return err
			}
			key, err := record.LoadKey(root.Var("identity", "recording.key"))
			if err != nil {
				return err
			}
			ids, err := record.Recover(root.Recordings(), record.Recovery{Signer: system.Signer(), Recipients: []age.Recipient{key.Recipient()}})
			for _, id := range ids {
				fmt.Fprintf(c.App.Writer, "%s is closed now, as far as it was recorded\n", id)
			}
			return err
		},
	}
}

func recordingsPruneCommand() *cli.Command {
	return &cli.Command{
		Name: "prune", Usage: "remove old recordings from this system that the relay holds whole",
		Description: "Each removal is an event in the audit log.\n\nExample:\n   remote-support recordings prune --older-than 2160h",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "older-than", Required: true, Usage: "only those that ended `DURATION` ago, as 2160h (90 days)"},
			&cli.BoolFlag{Name: "also-unsent", Usage: "also those that are nowhere else"},
		},
		Action: func(c *cli.Context) (err error) {
			age := c.Duration("older-than")
			if age <= 0 {
				return cmdline.Usagef("--older-than must be more than 0")
			}
			root, err := cmdline.Root(c)
			if err != nil {
				return err
			}
			if list, err := record.List(root.Recordings()); err != nil || len(list) == 0 {
				return err
			}
			a, err := openAgent(c)
			if err != nil {
				return err
			}
			defer closing(a, &err)
			return record.Prune(root.Recordings(), time.Now().Add(-age), c.Bool("also-unsent"), func(i record.Info) error {
				if _, err := a.Append(audit.Event{Type: audit.RecordingRemoved, Actor: control.Self().Actor(), Subject: i.ID, Detail: map[string]string{
					"session": i.Session, "engineer": i.Engineer, "head": i.Head.Hash, "shipped": fmt.Sprintf("%d of %d", i.Shipped, i.Segments),
				}}); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.App.Writer, "removed %s of %s\n", i.ID, i.Started.Local().Format(time.DateTime))
				return err
			})
		},
	}
}
