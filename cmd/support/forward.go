package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect/forward"
)

func forwardCommand() *cli.Command {
	return &cli.Command{
		Name:      "forward",
		Usage:     "reach ports behind a system from this workstation",
		ArgsUsage: "SYSTEM PORT:HOST:PORT...",
		Description: `Listens on this workstation's loopback, and only there unless an address is
named. What may be reached is in the customer's policy. Ends with Ctrl-C.

Examples:
   support forward array-7 8443:192.0.2.10:443
   support forward array-7 8443:localhost:443 5432:localhost:5432
   support forward array-7 0:localhost:443          (any free port)`,
		Flags:  accessFlags(),
		Action: forwardAction,
	}
}

type forwardJSON struct {
	Listen string `json:"listen"`
	Target string `json:"target"`
}

func forwardAction(c *cli.Context) error {
	name, args, err := named(c)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return cmdline.Usagef("say what to reach: PORT:HOST:PORT, as 8443:localhost:443")
	}
	var all []forward.Forward
	for _, a := range args {
		f, err := forward.Parse(a)
		if err != nil {
			return cmdline.Usagef("%v", err)
		}
		all = append(all, f)
	}
	// The ports first: one that is taken costs no connection.
	var listeners []net.Listener
	for i, f := range all {
		ln, err := net.Listen("tcp", f.Listen)
		if err != nil {
			return fmt.Errorf("listen for %s: %w", f, err)
		}
		defer ln.Close()
		all[i].Listen = ln.Addr().String()
		listeners = append(listeners, ln)
	}
	w, err := findWay(c, name)
	if err != nil {
		return err
	}
	defer w.close()
	cl, err := w.dial(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	for _, f := range all {
		if cmdline.JSON(c) {
			if err := cmdline.Print(c, forwardJSON(f), nil); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(c.App.Writer, "%s -> %s on %s\n", f.Listen, f.Target, w.system.Name)
	}
	g, ctx := errgroup.WithContext(c.Context)
	for i, ln := range listeners {
		g.Go(func() error {
			return forward.Serve(ctx, cl, ln, all[i], func(_ net.Addr, err error) { w.tell.say(printable(err.Error())) })
		})
	}
	err = g.Wait()
	var lost *forward.LostError
	switch {
	case errors.Is(err, context.Canceled) && c.Context.Err() != nil:
		return nil // Ctrl-C is how it ends
	case errors.As(err, &lost):
		return w.lost(err)
	}
	return err
}
