package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/internal/playback"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/api"
)

// withRecording calls f with the directory of the recording that the arguments
// name: one of this system, by its id or the beginning of it, a directory with
// a copy, or the relay's copy.
func withRecording(c *cli.Context, f func(root paths.Root, dir string) error) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one recording; see: remote-support recordings list")
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	return withOne(c, root, c.Args().First(), func(dir string) error { return f(root, dir) })
}

func withOne(c *cli.Context, root paths.Root, arg string, f func(dir string) error) (err error) {
	if !c.Bool("from-relay") {
		dir, err := findRecording(root, arg)
		if err != nil {
			return err
		}
		return f(dir)
	}
	if !api.ValidConnectionID(arg) {
		return cmdline.Usagef("%q: with --from-relay name the whole id of the recording", arg)
	}
	way, err := cmdline.Route(c)
	if err != nil {
		return err
	}
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	tmp, err := os.MkdirTemp("", "latchstring-recording-")
	if err != nil {
		return fmt.Errorf("fetch recording: %w", err)
	}
	defer os.RemoveAll(tmp)
	dir, _, err := a.FetchRecording(c.Context, way, arg, tmp)
	if err != nil {
		return err
	}
	return f(dir)
}

// findRecording resolves an argument to the directory of a recording.
func findRecording(root paths.Root, arg string) (string, error) {
	if strings.ContainsRune(arg, filepath.Separator) || arg == "." {
		if fi, err := os.Stat(arg); err != nil {
			return "", fmt.Errorf("open recording: %w", err)
		} else if !fi.IsDir() {
			return "", fmt.Errorf("open recording %s: it is a file; name the folder with its segments", arg)
		}
		return filepath.Abs(arg)
	}
	entries, err := os.ReadDir(root.Recordings())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("open recording: %w", err)
	}
	var found []string
	for _, e := range entries {
		if e.Name() == arg {
			return filepath.Join(root.Recordings(), arg), nil
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), arg) {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 1:
		return filepath.Join(root.Recordings(), found[0]), nil
	case 0:
		return "", fmt.Errorf("there is no recording %s here; see: remote-support recordings list", arg)
	}
	return "", cmdline.Usagef("%s can be %s", arg, strings.Join(found, " or "))
}

// verifyOne checks a recording against the key, the passports of this system
// and the anchors.
func verifyOne(c *cli.Context, root paths.Root, dir string, anchors []record.Head) (record.Report, error) {
	key, err := systemKey(c, root)
	if err != nil {
		return record.Report{}, err
	}
	ids, err := recordingKeys(c, root)
	if err != nil {
		return record.Report{}, err
	}
	return record.Verify(dir, record.Check{Key: key, Identities: ids, Anchors: anchors, ToTheEnd: c.Bool("to-the-end")})
}

// openVerified opens a recording after checking it. One that does not hold is
// opened with --unverified only; what is wrong is told in any case.
// Who saw what is recorded before.
func openVerified(c *cli.Context, root paths.Root, dir, what string) (*record.Reader, error) {
	heads, _, err := passportHeads(c, root)
	if err != nil {
		return nil, err
	}
	_, err = verifyOne(c, root, dir, heads)
	var broken *record.BrokenError
	lenient := errors.As(err, &broken) && c.Bool("unverified")
	if lenient {
		for _, p := range broken.Problems {
			fmt.Fprintf(c.App.ErrWriter, "it does not hold: %s\n", playback.Printable(p.String()))
		}
	} else if err != nil {
		return nil, err
	}
	ids, err := recordingKeys(c, root)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("open recording: there is no key in %s; name one with --identity", root.Var("identity", "recording.key"))
	}
	r, err := record.Open(dir, ids...)
	if err != nil {
		return nil, err
	}
	if lenient {
		r.Broken = func(err error) { fmt.Fprintln(c.App.ErrWriter, playback.Printable(err.Error())) }
	}
	return r, saw(c, root, dir, r.ID(), what)
}

func recordingsShow(c *cli.Context) error {
	return withRecording(c, func(root paths.Root, dir string) error {
		r, err := openVerified(c, root, dir, "shown")
		if err != nil {
			return err
		}
		info, _ := record.Look(dir)
		notes := []record.Note{}
		for rec, err := range r.Records() {
			if err != nil {
				return err
			}
			if rec.Note != nil {
				notes = append(notes, *rec.Note)
			}
		}
		out := struct {
			record.Info
			Notes []record.Note `json:"notes"`
		}{info, notes}
		return cmdline.Print(c, out, func(w io.Writer) error {
			b := r.Begin()
			if err := cmdline.Table(w, [][]string{
				{"recording", info.ID + ", " + string(info.State)},
				{"session", playback.Printable(b.Session)},
				{"engineer", playback.Printable(b.Engineer) + " from " + playback.Printable(b.From)},
				{"case", playback.Printable(b.Case)},
				{"started", b.Started.Local().Format(time.DateTime)},
				{"lasted", info.Last.Sub(info.Started).Round(time.Second).String()},
			}); err != nil {
				return err
			}
			for _, n := range notes {
				fmt.Fprintf(w, "%s  channel %d  %s\n", n.Time.Local().Format(time.TimeOnly), n.Channel, playback.Line(n))
			}
			return nil
		})
	})
}

func recordingsPlay(c *cli.Context) error {
	if c.Float64("speed") <= 0 {
		return cmdline.Usagef("--speed must be more than 0")
	}
	return withRecording(c, func(root paths.Root, dir string) error {
		r, err := openVerified(c, root, dir, "played")
		if err != nil {
			return err
		}
		o := playback.Options{Speed: c.Float64("speed"), IdleLimit: c.Duration("idle-limit"), Channel: c.Int("channel"), Out: c.App.Writer}
		if c.Bool("notes") {
			o.Notes = c.App.ErrWriter
		}
		return playback.Play(c.Context, r, o)
	})
}

func recordingsExport(c *cli.Context) error {
	return withRecording(c, func(root paths.Root, dir string) error {
		r, err := openVerified(c, root, dir, "taken, "+c.String("format"))
		if err != nil {
			return err
		}
		out := c.String("output")
		if out == "" {
			out = r.ID()
		}
		done, err := record.Export(r, out, record.Format(c.String("format")))
		if err != nil {
			return err
		}
		return cmdline.Print(c, done, func(w io.Writer) error {
			for _, ch := range done.Channels {
				fmt.Fprintf(w, "%s  %s, %s  %s\n", filepath.Join(out, ch.File), cmdline.Size(ch.Output), ch.Duration.Round(time.Second), playback.Printable(ch.Command))
			}
			_, err := fmt.Fprintln(w, filepath.Join(out, done.Notes))
			return err
		})
	})
}
