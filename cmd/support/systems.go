package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay/api"
)

func systemsCommand() *cli.Command {
	return &cli.Command{
		Name:        "systems",
		Usage:       "list the enrolled systems",
		ArgsUsage:   "[SEARCH]",
		Description: "SEARCH is part of a name, a host name or an id.\n\nExample:\n   support systems array",
		Flags:       []cli.Flag{passphraseFlag()},
		Action:      systems,
	}
}

func systems(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("one word to search for is enough")
	}
	cl, _, err := relayClient(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	list, err := cl.Systems(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	return cmdline.Print(c, api.SystemList{Systems: list}, func(w io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(c.App.ErrWriter, "no system was found")
			return err
		}
		rows := [][]string{{"NAME", "ID", "HOST", "LAST SEEN"}}
		for _, s := range list {
			rows = append(rows, []string{printable(s.Name), printable(s.ID), printable(s.Hostname), date(s.LastSeen)})
		}
		return cmdline.Table(w, rows)
	})
}

func date(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// printable keeps what relays, systems and bundles say from steering the
// terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
