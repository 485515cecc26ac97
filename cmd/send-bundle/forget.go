package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/disable"
	"github.com/latchstring/latchstring/core/identity"
)

// forgetCommand is what the package of remote access runs when it is purged and
// bundles stay: its own program is gone by then.
func forgetCommand() *cli.Command {
	return &cli.Command{
		Name:   "forget-remote-access",
		Usage:  "destroy what remote access rested on; run when its package is purged",
		Hidden: true,
		Action: forgetRemoteAccess,
	}
}

func forgetRemoteAccess(c *cli.Context) (err error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	if conn, err := net.DialTimeout("unix", root.ControlSocket(), time.Second); err == nil {
		conn.Close()
		return fmt.Errorf("nothing was changed: the agent answers on %s; stop it first", root.ControlSocket())
	}
	if _, err := os.Stat(root.Identity()); errors.Is(err, os.ErrNotExist) {
		return nil // it was never used
	}
	o := disable.Options{Root: root, Actor: fmt.Sprintf("uid:%d", os.Getuid())}
	if o.System, err = identity.Open(root.Identity()); err != nil {
		return err
	}
	log, err := audit.Open(root.Audit(), audit.WithSigner(o.System))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	o.Audit = log
	gone, err := disable.Purge(o)
	for _, what := range gone {
		fmt.Fprintf(c.App.Writer, "destroyed %s\n", what)
	}
	return err
}
