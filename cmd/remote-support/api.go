package main

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
)

// withAPI calls f with the running agent, or, when none runs, with the same
// state opened in this process.
func withAPI(c *cli.Context, f func(ctx context.Context, api control.API) error) (err error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	client, err := control.Dial(c.Context, root.ControlSocket())
	switch {
	case err == nil:
		return f(c.Context, client)
	case !errors.Is(err, control.ErrNotRunning):
		return err
	}
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	return f(c.Context, a)
}

func openAgent(c *cli.Context) (*agent.Agent, error) { return openAgentWith(c, agent.Options{}) }

func openAgentWith(c *cli.Context, o agent.Options) (*agent.Agent, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return nil, err
	}
	log, err := cmdline.Logger(c)
	if err != nil {
		return nil, err
	}
	o.Version, o.Log = c.App.Version, log
	return agent.Open(root, o)
}

// closing closes v and keeps its error if there is no other.
func closing(v io.Closer, err *error) {
	if e := v.Close(); *err == nil {
		*err = e
	}
}
