package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay/api"
)

func systemsCommand() *cli.Command {
	return &cli.Command{
		Name:      "systems",
		Usage:     "list the systems that you may reach, open ones first",
		ArgsUsage: "[SEARCH]",
		Description: `SEARCH is part of a name, a serial number, a host name or an id. Open means that the customer has
let support in; SECRET says whether you have given the secret of that session
already. What a system says of itself is not verified here.

Examples:
   support systems array
   support systems --open --json`,
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "open", Usage: "only those with an open session"}, passphraseFlag()},
		Action: systems,
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
	if c.Bool("open") {
		list = slices.DeleteFunc(list, func(s api.System) bool { return s.Session == nil })
	}
	sortSystems(list)
	return cmdline.Print(c, api.SystemList{Systems: list}, func(w io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(c.App.ErrWriter, "no system was found")
			return err
		}
		given := func(api.System) bool { return false }
		if cache, err := openCache(c); err == nil {
			given = func(s api.System) bool { return enrolled(cache, s.ID, s.Session.ID) }
		}
		return cmdline.Table(w, systemRows(list, given, time.Now()))
	})
}

// sortSystems puts open ones first, those that end soonest before others, and
// the rest by name.
func sortSystems(list []api.System) {
	slices.SortStableFunc(list, func(a, b api.System) int {
		if (a.Session == nil) != (b.Session == nil) {
			if a.Session != nil {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
}

func systemRows(list []api.System, given func(api.System) bool, now time.Time) [][]string {
	rows := [][]string{{"NAME", "SERIAL", "STATE", "SINCE", "UNTIL", "SECRET", "IN", "CASE", "ID", "HOST", "LAST SEEN"}}
	for _, s := range list {
		state, since, until, secret, in, text := "closed", "-", "-", "-", "-", "-"
		switch {
		case s.Sealed != nil:
			state = "disabled"
		case s.Retired:
			state = "retired"
		case s.Session != nil:
			state, since, until = "open", clock(s.Session.Since, now), clock(s.Session.Expires, now)
			secret = "needed"
			if given(s) {
				secret = "given"
			}
			if s.Session.Case != "" {
				text = printable(s.Session.Case)
			}
			in = whoIsIn(s.Session.Engineers)
		}
		rows = append(rows, []string{printable(s.Name), printable(cmp.Or(s.Serial, "-")), state, since, until, secret, in, text, printable(s.ID), printable(s.Hostname), date(s.LastSeen)})
	}
	return rows
}

func whoIsIn(list []api.Connected) string {
	var names []string
	for _, e := range list {
		if n := printable(e.Engineer); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ",")
}

// clock is a time of today without its date.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.IsZero() || t.Year() <= 1:
		return "-"
	case t.Year() == now.Year() && t.YearDay() == now.YearDay():
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
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
