package main

import (
	"errors"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
)

// saw records that somebody sees a recording of this system, before he does; if
// that cannot be written, he does not. No agent is needed for it. A copy that
// is opened elsewhere with a key that was named is not this system's to record.
func saw(c *cli.Context, root paths.Root, dir, id, what string) (err error) {
	if c.String("identity") != "" && !c.Bool("from-relay") && filepath.Dir(real(dir)) != real(root.Recordings()) {
		return nil
	}
	system, err := identity.Open(root.Identity())
	if err != nil {
		return err
	}
	log, err := audit.Open(root.Audit(), audit.WithSigner(system))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	detail := map[string]string{"what": what}
	if c.Bool("from-relay") {
		detail["copy"] = "relay"
	}
	_, err = log.Append(audit.Event{Type: audit.RecordingOpened, Actor: control.Self().Actor(), Subject: id, Detail: detail})
	return err
}

// real is a path without symbolic links, as far as it can be told.
func real(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		path = p
	}
	if p, err := filepath.Abs(path); err == nil {
		path = p
	}
	return path
}
