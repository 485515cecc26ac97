package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/internal/playback"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/record"
)

func recordingsCommand() *cli.Command {
	return &cli.Command{
		Name:  "recordings",
		Usage: "see and verify what support engineers did here",
		Description: `Every connection is recorded: what was on the screen, which commands ran, which
files were moved. The recordings are encrypted to the key in
var/identity/recording.key; keep a copy of it elsewhere. The commands need that
file and no running agent. An ID is that of a connection; its first letters do.

Examples:
   remote-support recordings list
   remote-support recordings play con-7k3m --idle-limit 2s
   remote-support recordings verify
   remote-support recordings export con-7k3m -o /tmp/con-7k3m --format asciicast`,
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the recordings, oldest first",
				Flags:  []cli.Flag{&cli.BoolFlag{Name: "verify", Usage: "check each one as well"}},
				Action: recordingsList,
			},
			{
				Name: "show", Usage: "say what happened on a connection: commands, files, forwards, refusals", ArgsUsage: "ID|DIR",
				Flags:  fromFlags(),
				Action: recordingsShow,
			},
			{
				Name: "play", Usage: "play a recording on this terminal", ArgsUsage: "ID|DIR",
				Description: `The bytes are shown as the engineer saw them. ^C ends. The recording is verified
first; one that does not hold is only played with --unverified (exit code 4).`,
				Flags: append(fromFlags(),
					&cli.Float64Flag{Name: "speed", Value: 1, Usage: "play `N` times as fast"},
					&cli.DurationFlag{Name: "idle-limit", Usage: "wait at most `DURATION` where nothing happened, as 2s"},
					&cli.IntFlag{Name: "channel", Value: -1, DefaultText: "all", Usage: "only channel `N`"},
					&cli.BoolFlag{Name: "notes", Usage: "also tell commands, files and refusals, on standard error"},
					&cli.BoolFlag{Name: "unverified", Usage: "play what can be read of a recording that does not hold"},
				),
				Action: recordingsPlay,
			},
			{
				Name: "export", Usage: "write a recording for other players: ttyplay, asciinema", ArgsUsage: "ID|DIR",
				Description: `Each channel of the connection becomes a file; what happened beside the output
is written as JSON. Exported files are not encrypted.`,
				Flags: append(fromFlags(),
					&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write below the folder `DIR`; default: the recording's id"},
					&cli.StringFlag{Name: "format", Value: string(record.Ttyrec), Usage: "`FORMAT`: ttyrec or asciicast"},
					&cli.BoolFlag{Name: "unverified", Usage: "export what can be read of a recording that does not hold"},
				),
				Action: recordingsExport,
			},
			{
				Name: "verify", Usage: "check that recordings hold: signatures, chain, counter-signatures, completeness", ArgsUsage: "[ID|DIR...]",
				Description: `Without an ID all recordings are checked, and those that a session passport
names must be there. A DIR is a copy of a recording. With --key only public keys
are used: anybody can check. Exit code 4 when something does not hold.

A recording is counter-signed by the engineer's client to its end, up to a
segment, or not at all; it says which. What is not counter-signed to the end could
have been cut off there by somebody with the key of this system.`,
				Flags: append(fromFlags(),
					&cli.BoolFlag{Name: "to-the-end", Usage: "one that the engineer's client did not counter-sign to its end does not hold"},
					&cli.StringFlag{Name: "key", Usage: "public key `FILE` of the system that made it; default: this system's"},
					&cli.StringSliceFlag{Name: "anchor", Usage: "`FILE` with a head that was kept elsewhere: the output of an earlier verify --json"},
				),
				Action: recordingsVerify,
			},
			{
				Name: "passport", Usage: "print the signed summary of a session and check it", ArgsUsage: "SESSION|FILE",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "key", Usage: "public key `FILE` of the system that signed it; default: this system's"}},
				Action: recordingsPassport,
			},
			recordingsRecoverCommand(),
			recordingsPruneCommand(),
		},
	}
}

// fromFlags let a command work on the copy that the relay has.
func fromFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.BoolFlag{Name: "from-relay", Usage: "fetch the copy that the relay holds, and use that"},
		&cli.StringFlag{Name: "identity", Usage: "`FILE` with the age key that opens it; default: this system's"},
	}, cmdline.RouteFlags()...)
}

// recordingKeys are the keys that open recordings: none when this machine has
// not recorded anything yet and nothing was named.
func recordingKeys(c *cli.Context, root paths.Root) ([]age.Identity, error) {
	path := c.String("identity")
	if path == "" {
		path = root.Var("identity", "recording.key")
		if _, err := os.Stat(path); os.IsNotExist(err) {
			return nil, nil
		}
		id, err := record.LoadKey(path)
		if err != nil {
			return nil, err
		}
		return []age.Identity{id}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, err)
	}
	return ids, nil
}

// systemKey is the key that must have signed: the one in --key, or our own.
func systemKey(c *cli.Context, root paths.Root) (ssh.PublicKey, error) {
	if path := c.String("key"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
		key, err := identity.ParseKey(string(b))
		if err != nil {
			return nil, fmt.Errorf("read key %s: %w", path, err)
		}
		return key, nil
	}
	system, err := identity.Open(root.Identity())
	if err != nil {
		return nil, err
	}
	return system.PublicKey(), nil
}

func recordingsList(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	list, err := record.List(root.Recordings())
	if err != nil {
		return err
	}
	type entry struct {
		record.Info
		Verified *bool  `json:"verified,omitempty"`
		Problem  string `json:"problem,omitempty"`
	}
	entries := make([]entry, len(list))
	var broken error
	for i, info := range list {
		entries[i].Info = info
		if !c.Bool("verify") {
			continue
		}
		_, err := verifyOne(c, root, info.Dir, nil)
		ok := err == nil
		entries[i].Verified = &ok
		if err != nil {
			broken, entries[i].Problem = err, err.Error()
		}
	}
	if err := cmdline.Print(c, map[string]any{"recordings": entries}, func(w io.Writer) error {
		if len(entries) == 0 {
			_, err := fmt.Fprintln(c.App.ErrWriter, "nothing has been recorded yet")
			return err
		}
		rows := [][]string{{"ID", "ENGINEER", "CASE", "START", "DURATION", "SIZE", "STATE", "AT THE RELAY"}}
		for _, e := range entries {
			state := string(e.State)
			switch {
			case e.Verified == nil:
			case *e.Verified:
				state += ", verified"
			default:
				state = "DOES NOT HOLD"
			}
			if e.Failed != "" {
				state += ", incomplete"
			}
			relay := "no"
			switch {
			case e.Segments > 0 && e.Shipped >= e.Segments:
				relay = "yes"
			case e.Shipped > 0:
				relay = fmt.Sprintf("%d of %d", e.Shipped, e.Segments)
			}
			rows = append(rows, []string{e.ID, playback.Printable(e.Engineer), playback.Printable(e.Case), e.Started.Local().Format(time.DateTime),
				e.Last.Sub(e.Started).Round(time.Second).String(), cmdline.Size(e.Size), state, relay})
		}
		return cmdline.Table(w, rows)
	}); err != nil {
		return err
	}
	if broken != nil {
		return cmdline.Silent(cmdline.ExitCheckFailed)
	}
	return nil
}

func recordingsPassport(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one session")
	}
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	path := c.Args().First()
	if record.ValidID(path) {
		path = filepath.Join(root.Passports(), path+".json")
	}
	key, err := systemKey(c, root)
	if err != nil {
		return err
	}
	p, err := record.ReadPassport(path, key)
	if err != nil {
		return err
	}
	return cmdline.Print(c, p, func(w io.Writer) error { return printPassport(w, p) })
}

func printPassport(w io.Writer, p record.Passport) error {
	show := playback.Printable
	rows := [][]string{
		{"session", p.Session + " on " + show(p.Host) + " (" + show(p.System) + ")"},
		{"case", show(p.Case)},
		{"opened", p.Opened.Local().Format(time.DateTime) + " by " + show(p.Opener) + " (" + show(p.Method) + ")"},
		{"ended", p.Ended.Local().Format(time.DateTime) + ", " + show(p.Reason)},
		{"policy", show(p.Policy)},
		{"signature", "holds"},
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	for _, v := range p.Connections {
		fmt.Fprintf(w, "\n%s  %s  %s to %s, %s\n", show(v.Recording), show(v.Engineer), v.Started.Local().Format(time.DateTime), v.Ended.Local().Format(time.TimeOnly), show(v.Reason))
		fmt.Fprintf(w, "  shells %d, commands %d, files %d (%s), forwards %d, refused %d\n", v.Shells, v.Commands, v.FileCount, cmdline.Size(v.FileBytes), v.Forwards, v.Refused)
		if v.Approver != "" {
			fmt.Fprintf(w, "  let in by %s\n", show(v.Approver))
		}
		if v.Failed != "" {
			fmt.Fprintf(w, "  the recording is incomplete: %s\n", show(v.Failed))
		}
		for _, f := range v.Files {
			fmt.Fprintf(w, "  %-8s  %9s  %s  %s\n", show(f.Direction), cmdline.Size(f.Size), show(f.SHA256), show(f.Path))
		}
		fmt.Fprintf(w, "  head %d %s, %s\n", v.Head.Segment, show(v.Head.Hash), show(v.Witnessing.Text()))
	}
	return nil
}
