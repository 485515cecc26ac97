package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
)

func recordingsCommand() *cli.Command {
	system := &cli.StringFlag{Name: "system", Usage: "only of the system `NAME|ID`"}
	return &cli.Command{
		Name:        "recordings",
		Usage:       "list the recordings that systems sent, and get them out",
		Description: "A recording is sealed by the system that made it: the relay holds the bytes and\ncannot read them. Whoever has a key to it plays it with: support play",
		Flags:       append([]cli.Flag{system}, storeFlags()...),
		Action:      recordingsList,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list them, newest first", Flags: append([]cli.Flag{system}, storeFlags()...), Action: recordingsList},
			{
				Name: "export", Usage: "write the sealed segments of recordings to a directory", ArgsUsage: "CONNECTION...",
				Description: "Writes DIR/CONNECTION/00000000.seg and so on, the files that the system made.\nWhat is there already is kept when it is the same.\n\nWhoever has the key plays them with: support play --signer KEY DIR, where KEY is a\nfile with the key of the system that rss systems show prints.\n\nExample:\n   rss recordings export --out /media/usb con-7k3v9x2m",
				Flags: append([]cli.Flag{
					&cli.StringFlag{Name: "out", Usage: "below `DIR`", Value: "."}, system,
				}, storeFlags()...),
				Action: recordingsExport,
			},
		},
	}
}

func recordingsList(c *cli.Context) error {
	return withAdmin(c, func(a *relay.Admin) error {
		var list api.RecordingList
		if err := a.Call(c.Context, "GET", "/admin/recordings?"+url.Values{"system": {c.String("system")}}.Encode(), nil, &list); err != nil {
			return err
		}
		if len(list.Recordings) == 0 {
			return none(c, list, "no recording came in; systems send them only where their policy and local.cfg share them")
		}
		return cmdline.Print(c, list, func(w io.Writer) error {
			rows := [][]string{{"CONNECTION", "SYSTEM", "ENGINEER", "BEGUN", "LAST", "SEGMENTS", "SIZE"}}
			for _, r := range list.Recordings {
				rows = append(rows, []string{r.Connection, r.SystemName, r.Engineer, date(r.Begun), date(r.Last), fmt.Sprint(r.Segments), cmdline.Size(r.Size)})
			}
			return cmdline.Table(w, rows)
		})
	})
}

func recordingsExport(c *cli.Context) error {
	if c.NArg() == 0 {
		return cmdline.Usagef("name the connections whose recordings to export")
	}
	system := c.String("system")
	if system == "" {
		system = "-"
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var done api.RecordingList
		for _, connection := range c.Args().Slice() {
			path := "/admin/recordings/" + url.PathEscape(system) + "/" + url.PathEscape(connection)
			var rec api.Recording
			if err := a.Call(c.Context, "GET", path, nil, &rec); err != nil {
				return err
			}
			dir := filepath.Join(c.String("out"), rec.Connection)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("export: %w", err)
			}
			for _, s := range rec.List {
				if err := exportSegment(c, a, path, dir, s); err != nil {
					return fmt.Errorf("export segment %d of %s: %w", s.N, rec.Connection, err)
				}
			}
			done.Recordings = append(done.Recordings, rec)
		}
		return cmdline.Print(c, done, func(w io.Writer) error {
			for _, r := range done.Recordings {
				segments := fmt.Sprintf("%d segments", len(r.List))
				if len(r.List) == 1 {
					segments = "1 segment"
				}
				fmt.Fprintf(w, "%s  %s of %s, %s, in %s\n", r.Connection, segments, r.SystemName, cmdline.Size(r.Size), filepath.Join(c.String("out"), r.Connection))
			}
			return nil
		})
	})
}

func exportSegment(c *cli.Context, a *relay.Admin, path, dir string, s api.Segment) error {
	name := filepath.Join(dir, fmt.Sprintf("%08d.seg", s.N))
	if old, err := os.ReadFile(name); err == nil {
		if sum := sha256.Sum256(old); hex.EncodeToString(sum[:]) == s.SHA256 {
			return nil
		}
		return fmt.Errorf("%s exists and is something else; nothing was overwritten", name)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	body, err := a.Stream(c.Context, fmt.Sprintf("%s/%d", path, s.N))
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, s.Size+1))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != s.SHA256 {
		return errors.New("its bytes are not as they were received")
	}
	return durable.WriteFile(name, data)
}
