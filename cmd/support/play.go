package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/internal/playback"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/api"
)

func playCommand() *cli.Command {
	return &cli.Command{
		Name: "play", Usage: "play the recording of a connection, where the customer lets the vendor read it", ArgsUsage: "[ID|DIR]",
		Description: `Without an ID the recordings on the relay are listed. A recording is fetched and
verified before anything of it is shown (exit code 4 when something does not
hold). Most customers keep recordings to themselves: then there is no key that
opens them, and the command says so.

Examples:
   support play --system array-7
   support play con-7k3m9x2q --idle-limit 2s
   support play con-7k3m9x2q --export case-4711 --format asciicast`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "system", Usage: "only recordings of the system with this `NAME` or id"},
			&cli.StringFlag{Name: "identity", Usage: "`FILE` with the age key of the vendor; default: bundle-key.txt beside support.json"},
			&cli.StringFlag{Name: "signer", Usage: "public key `FILE` of the system that must have signed a carried recording"},
			&cli.Float64Flag{Name: "speed", Value: 1, Usage: "play `N` times as fast"},
			&cli.DurationFlag{Name: "idle-limit", Usage: "wait at most `DURATION` where nothing happened, as 2s"},
			&cli.IntFlag{Name: "channel", Value: -1, DefaultText: "all", Usage: "only channel `N`"},
			&cli.BoolFlag{Name: "notes", Usage: "also tell commands, files and refusals, on standard error"},
			&cli.StringFlag{Name: "export", Usage: "do not play, but write files for other players below the folder `DIR`"},
			&cli.StringFlag{Name: "format", Value: string(record.Ttyrec), Usage: "`FORMAT` of the export: ttyrec or asciicast"},
			passphraseFlag(),
		},
		Action: play,
	}
}

func play(c *cli.Context) error {
	switch {
	case c.NArg() == 0:
		return playList(c)
	case c.NArg() > 1:
		return cmdline.Usagef("name one recording")
	case c.Float64("speed") <= 0:
		return cmdline.Usagef("--speed must be more than 0")
	}
	arg := c.Args().First()
	dir, key := arg, ssh.PublicKey(nil)
	var err error
	if api.ValidConnectionID(arg) {
		tmp, e := os.MkdirTemp("", "latchstring-recording-")
		if e != nil {
			return fmt.Errorf("fetch recording: %w", e)
		}
		defer os.RemoveAll(tmp)
		dir, key, err = fetchRecording(c, arg, tmp)
	} else {
		key, err = namedSigner(c)
	}
	if err != nil {
		return err
	}
	ids, err := identities(c)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("open recording: %w", err)
	}
	report, err := record.Verify(dir, record.Check{Key: key, Identities: ids})
	if err != nil {
		return err
	}
	if !report.Content {
		return errors.New("the recording holds, and no key here opens it: the customer keeps recordings from the vendor, or --identity must name another key")
	}
	r, err := record.Open(dir, ids...)
	if err != nil {
		return err
	}
	if out := c.String("export"); out != "" {
		return playExport(c, r, out)
	}
	o := playback.Options{Speed: c.Float64("speed"), IdleLimit: c.Duration("idle-limit"), Channel: c.Int("channel"), Out: c.App.Writer}
	if c.Bool("notes") {
		o.Notes = c.App.ErrWriter
	}
	return playback.Play(c.Context, r, o)
}

func playExport(c *cli.Context, r *record.Reader, out string) error {
	done, err := record.Export(r, out, record.Format(c.String("format")))
	if err != nil {
		return err
	}
	return cmdline.Print(c, done, func(w io.Writer) error {
		for _, ch := range done.Channels {
			fmt.Fprintln(w, filepath.Join(out, ch.File))
		}
		_, err := fmt.Fprintln(w, filepath.Join(out, done.Notes))
		return err
	})
}

// fetchRecording brings a recording here, and the key that must have signed it.
// The id of a system is derived from its key: the relay cannot pass off the
// recording of one as that of another.
func fetchRecording(c *cli.Context, id, tmp string) (string, ssh.PublicKey, error) {
	cl, _, err := relayClient(c)
	if err != nil {
		return "", nil, err
	}
	defer cl.Close()
	dir, rec, err := cl.FetchRecording(c.Context, c.String("system"), id, tmp)
	if err != nil {
		return "", nil, err
	}
	info, ok := record.Look(dir)
	if !ok {
		return "", nil, failed("recording %s: the relay has nothing of it", id)
	}
	key, err := identity.ParseKey(info.Key)
	if err != nil {
		return "", nil, failed("recording %s: it does not say which key signs it: %v", id, err)
	}
	if identity.IDOf(key) != rec.System {
		return "", nil, failed("recording %s was signed by system %s, and the relay has it as one of %s (%s)", id, identity.IDOf(key), rec.SystemName, rec.System)
	}
	return dir, key, nil
}

// namedSigner is the key of a recording that was carried by hand.
func namedSigner(c *cli.Context) (ssh.PublicKey, error) {
	path := c.String("signer")
	if path == "" {
		return nil, cmdline.Usagef("%q is no recording on the relay; for a folder, name the public key of its system with --signer", strings.TrimSpace(c.Args().First()))
	}
	line, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read signer: %w", err)
	}
	key, err := identity.ParseKey(string(line))
	if err != nil {
		return nil, fmt.Errorf("read signer %s: %w", path, err)
	}
	return key, nil
}

func playList(c *cli.Context) error {
	cl, _, err := relayClient(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	list, err := cl.Recordings(c.Context, c.String("system"))
	if err != nil {
		return err
	}
	return cmdline.Print(c, api.RecordingList{Recordings: list}, func(w io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(c.App.ErrWriter, "there are no recordings")
			return err
		}
		rows := [][]string{{"ID", "SYSTEM", "ENGINEER", "BEGUN", "LAST", "SIZE"}}
		for _, r := range list {
			rows = append(rows, []string{printable(r.Connection), printable(r.SystemName), printable(r.Engineer), date(r.Begun), date(r.Last), cmdline.Size(r.Size)})
		}
		return cmdline.Table(w, rows)
	})
}
