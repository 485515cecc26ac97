package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
)

// preview shows what would leave, seals it, shows the hash and asks. On a
// terminal the files can be looked at and changed before; elsewhere there is a
// list. What it returns is sealed and agreed to.
func preview(c *cli.Context, r *bundler.Run, seal func() (*bundler.Made, error)) (*bundler.Made, error) {
	w := c.App.ErrWriter
	look := reviewable(c)
	for {
		if look {
			again, err := review(c, r)
			if err != nil {
				return nil, err
			}
			if !again {
				return nil, nothingLeft(c)
			}
		}
		if err := files(w, r); err != nil {
			return nil, err
		}
		if !c.Bool("yes") && !cmdline.Interactive() {
			return nil, fmt.Errorf("%w; answer beforehand with --yes", cmdline.ErrNoTerminal)
		}
		m, err := seal()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(w, "\nsealed   %s, %s\nsha256   %s\n", printable(m.Name), cmdline.Size(m.Size), m.SHA256)
		if changed := r.Rewritten(); len(changed) > 0 {
			fmt.Fprintf(w, "note: the final check had more hidden in %s; look at it again\n", printable(strings.Join(changed[:min(len(changed), 5)], ", ")))
		}
		if c.Bool("yes") {
			return m, nil
		}
		ok, err := cmdline.Confirm("Let exactly this leave?")
		if err == nil && ok {
			return m, nil
		}
		err = errors.Join(err, r.Discard(m))
		if err != nil {
			return nil, err
		}
		if !look {
			return nil, nothingLeft(c)
		}
		if ok, err := cmdline.Confirm("Look at it again?"); err != nil || !ok {
			return nil, errors.Join(err, nothingLeft(c))
		}
	}
}

func nothingLeft(c *cli.Context) error {
	fmt.Fprintln(c.App.ErrWriter, "nothing left this machine")
	return cmdline.Silent(cmdline.ExitFailed)
}
