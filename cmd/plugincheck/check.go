package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

// exitNotHeld is the exit code of a check that did not hold.
const exitNotHeld = 4

// check is the default command.
func check(c *cli.Context) error {
	opts, err := readOptions(c.String("options"))
	if err != nil {
		return err
	}
	json := cmdline.JSON(c)
	out := &report{w: c.App.Writer, verbose: c.Bool("verbose")}
	b := plugintest.Binary{Options: func(full string) plugintest.Options {
		o := opts[full]
		o.Short = o.Short || c.Bool("short")
		return o
	}}
	if !json {
		b.Report = out.add
	}
	all, err := run(c.Context, c, b)
	if err != nil {
		return err
	}
	if json {
		err = cmdline.Print(c, all, nil)
	} else {
		out.sum(all)
	}
	if err == nil && plugintest.Verdict(all) != nil {
		err = cmdline.Silent(exitNotHeld)
	}
	return err
}

// run runs the suites that the arguments ask for.
func run(ctx context.Context, c *cli.Context, b plugintest.Binary) ([]plugintest.Result, error) {
	if attach := c.String("attach"); attach != "" {
		if c.NArg() > 0 {
			return nil, cmdline.Usagef("--attach takes no arguments")
		}
		return b.CheckAttached(ctx, attach)
	}
	if c.NArg() < 1 || c.NArg() > 2 {
		return nil, cmdline.Usagef("want BINARY [ROLE/NAME]")
	}
	p, err := loadProgram(c.Args().First())
	if err != nil {
		return nil, err
	}
	defer p.close()
	b.Start = p.start
	roles, err := b.Roles(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.learn(ctx, b); err != nil {
		return nil, err
	}
	if full := c.Args().Get(1); full != "" {
		roles = []string{full}
	}
	if len(roles) == 0 {
		return nil, errors.New("the plugin has no roles")
	}
	var all []plugintest.Result
	for _, full := range roles {
		results, err := b.Check(ctx, full)
		all = append(all, results...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
