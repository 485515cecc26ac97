package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/gentle"
)

// run is send-bundle without a command.
func run(c *cli.Context) error {
	req, err := request(c, time.Now())
	if err != nil {
		return err
	}
	if c.Bool("yes") && !c.Bool("preview") && !c.Bool("pick") && !c.IsSet("request") {
		return cmdline.Usagef("--yes answers the questions of --preview, --pick and --request; name one of them too")
	}
	if c.IsSet("grant") && !c.IsSet("request") {
		return cmdline.Usagef("--grant answers --request; name that too")
	}
	if !c.Bool("full-speed") {
		if err := gentle.Yield(); err != nil {
			fmt.Fprintln(c.App.ErrWriter, "note:", err)
		}
	}
	return withBundler(c, func(b *bundler.Bundler) error {
		if err := sinceDelivered(c, b, &req); err != nil {
			return err
		}
		if c.IsSet("request") {
			g, err := granted(c, b)
			if err != nil {
				return err
			}
			if err := g.Apply(&req); err != nil {
				return err
			}
		}
		if c.Bool("plan") {
			return plan(c, b, req)
		}
		return makeBundle(c, b, req)
	})
}

// makeBundle collects, shows, seals and sends.
func makeBundle(c *cli.Context, b *bundler.Bundler, req bundler.Request) error {
	show := newProgress(os.Stderr)
	// Before anything is collected: a wrong proxy is a wrong command line.
	to, err := delivery(c, show)
	if err != nil {
		return err
	}
	if c.Bool("pick") {
		if err := pick(c, b, &req); err != nil {
			return err
		}
	}
	req.Progress = show.bundle
	req.KeepRaw = c.Bool("preview") && !c.Bool("yes") && cmdline.Interactive()
	req.OnFailed = func(machine string, reason error) {
		show.clear()
		fmt.Fprintf(c.App.ErrWriter, "send-bundle: nothing of %s is in the bundle: %s\n", printable(machine), printable(reason.Error()))
	}
	r, err := b.Collect(c.Context, req)
	show.clear()
	if err != nil {
		return err
	}
	defer r.Close()
	seal := func() (*bundler.Made, error) {
		m, err := r.Seal(c.Context)
		show.clear()
		return m, err
	}
	var made *bundler.Made
	if c.Bool("preview") {
		made, err = preview(c, r, seal)
	} else {
		made, err = seal()
	}
	if err == nil {
		err = r.Release(made)
	}
	if err != nil {
		return err
	}
	out := outcome{Made: made}
	if made.Queued != "" {
		if !cmdline.JSON(c) {
			summary(c.App.ErrWriter, made)
		}
		out.Delivered, err = b.Deliver(c.Context, made.Queued, to)
		show.clear()
		if err != nil {
			return err
		}
	}
	return cmdline.Print(c, out, func(w io.Writer) error {
		if out.Delivered != nil {
			return receipt(w, out.Delivered)
		}
		summary(w, made)
		return nil
	})
}

// outcome is what --json prints.
type outcome struct {
	*bundler.Made
	Delivered *bundler.Delivered `json:"delivered,omitempty"`
}

// delivery reads the flags of deliveryFlags; it may ask for a proxy password.
func delivery(c *cli.Context, show *progress) (bundler.Delivery, error) {
	way, err := cmdline.Route(c)
	if err != nil {
		return bundler.Delivery{}, err
	}
	d := bundler.Delivery{RSS: c.String("rss"), Route: way, Patience: c.Duration("patience"), Progress: show.sent}
	if s := c.String("limit-rate"); s != "" {
		if d.Rate, err = size(s); err != nil {
			return d, cmdline.Usagef("--limit-rate %s: %v", s, err)
		}
	}
	return d, nil
}
