package main

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func confirmLogin(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("one name only, like: remote-support login confirm K7Q2MA")
	}
	return withLogins(c, func(l logins) error {
		if c.NArg() == 0 {
			return listWaiting(c, l)
		}
		w, err := l.ConfirmLogin(c.Context, control.Self(), control.Confirmation{ID: c.Args().First(), Yes: !c.Bool("no")})
		if err != nil {
			return err
		}
		return cmdline.Print(c, w, func(out io.Writer) error {
			what := "agreed to"
			if c.Bool("no") {
				what = "refused"
			}
			_, err := fmt.Fprintf(out, "%s the login of %s as %s\n", what, w.Caller, w.User)
			return err
		})
	})
}

func listWaiting(c *cli.Context, l logins) error {
	list, err := l.WaitingLogins(c.Context, control.Self())
	if err != nil {
		return err
	}
	return cmdline.Print(c, list, func(out io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(out, "no login waits for you to agree")
			return err
		}
		rows := [][]string{{"NAME", "WHO", "AS", "BY", "FOR ANOTHER"}}
		for _, w := range list {
			rows = append(rows, []string{w.ID, w.Caller, w.User, w.Method, (time.Duration(w.Seconds) * time.Second).String()})
		}
		return cmdline.Table(out, rows)
	})
}
