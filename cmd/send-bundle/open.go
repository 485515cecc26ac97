package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
)

// withBundler calls f with everything open.
func withBundler(c *cli.Context, f func(*bundler.Bundler) error) (err error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	log, err := cmdline.Logger(c)
	if err != nil {
		return err
	}
	b, err := bundler.Open(root, bundler.OpenOptions{Version: cmdline.Version, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return f(b)
}
