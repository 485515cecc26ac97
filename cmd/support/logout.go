package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect"
)

var errOneSystem = cmdline.Usagef("name one system")

func logoutCommand() *cli.Command {
	return &cli.Command{
		Name:      "logout",
		Aliases:   []string{"cut"},
		Usage:     "forget that the secret of a session was given",
		ArgsUsage: "[SYSTEM]",
		Description: `Without a system: of all. The next connection asks for the secret again. Open
connections go on; close them yourself. The login at the relay stays.

Example:
   support logout array-7`,
		Action: logout,
	}
}

type logoutJSON struct {
	Forgotten []string `json:"forgotten"` // names of systems
}

func logout(c *cli.Context) error {
	if c.NArg() > 1 {
		return errOneSystem
	}
	cache, err := openCache(c)
	if err != nil {
		return err
	}
	list, err := cache.List(time.Now())
	if err != nil {
		return err
	}
	name, out := c.Args().First(), logoutJSON{Forgotten: []string{}}
	var errs []error
	for _, e := range list {
		if name == "" || e.Name == name || e.System == name {
			errs = append(errs, cache.Remove(e.System))
			out.Forgotten = append(out.Forgotten, e.Name)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return cmdline.Print(c, out, func(w io.Writer) error {
		if len(out.Forgotten) == 0 {
			_, err := fmt.Fprintln(c.App.ErrWriter, "support: no secret was given that could be forgotten")
			return err
		}
		for _, n := range out.Forgotten {
			fmt.Fprintf(w, "the session of %s needs its secret again\n", printable(n))
		}
		return nil
	})
}

// enrolled tells whether a session needs no secret any more.
func enrolled(cache *connect.Cache, system, session string) bool {
	e, err := cache.Get(system, time.Now())
	return err == nil && e != nil && e.Session == session
}
