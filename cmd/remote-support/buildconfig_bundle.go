package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/buildconfig"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/gentle"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/route"
)

// bundleSent is what became of the bundle that build-config sends while remote
// support is on (REQ H4, H5).
type bundleSent struct {
	Because   string   `json:"because"`          // why remote support counts as on
	Queued    string   `json:"queued,omitempty"` // the id of this bundle in the queue, while it is not delivered
	Delivered []string `json:"delivered"`        // bundles that the relay has now: this one, and what had waited
	Error     string   `json:"error,omitempty"`  // why there is none, or why it is not delivered
}

func (b *bundleSent) print(w, stderr io.Writer) error {
	for _, name := range b.Delivered {
		fmt.Fprintf(w, "bundle sent: %s\n", name)
	}
	switch {
	case b.Error == "":
	case b.Queued != "":
		fmt.Fprintf(stderr, "note: the bundle is not delivered yet and waits as %s; it goes with the next one, or with: send-bundle queue retry\n      %s\n", b.Queued, b.Error)
	default:
		fmt.Fprintf(stderr, "note: no bundle was sent: %s\n", b.Error)
	}
	return nil
}

// whyOn says by what remote support is on, or nothing while it is off: by a
// session, or by the global switch where policy does not refuse it.
func whyOn(ctx context.Context, root paths.Root, e buildconfig.Effective) (string, error) {
	p, err := policy.Open(root, policy.ReadOnly())
	if err != nil {
		return "", err
	}
	if word, _ := p.RemoteAccess(); word != "allowed" && word != "locked_on" {
		return "", nil // a session is being cut
	}
	if e.Switch.On {
		return localcfg.Enable, nil
	}
	client, err := control.Dial(ctx, root.ControlSocket())
	if errors.Is(err, control.ErrNotRunning) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s, err := client.Session(ctx, control.Self())
	if err != nil || s.Standing { // that one ends with the switch
		return "", err
	}
	switch s.State {
	case "opening", "open", "connected":
		return "session " + s.ID, nil
	}
	return "", nil
}

// bundleWhileOn sends a bundle if remote support is on. What goes wrong with it is
// told, and is no failure: the configuration is in force.
func bundleWhileOn(c *cli.Context, root paths.Root, e buildconfig.Effective) (*bundleSent, error) {
	why, err := whyOn(c.Context, root, e)
	if why == "" {
		if err != nil {
			err = fmt.Errorf("the configuration is in force, but whether remote support is on could not be found out, so no bundle was sent: %w", err)
		}
		return nil, err
	}
	fmt.Fprintf(c.App.ErrWriter, "remote support is on (%s): a support bundle is made and sent, too\n", why)
	out := &bundleSent{Because: why, Delivered: []string{}}
	if err := out.send(c, root, e); err != nil {
		out.Error = err.Error()
	}
	return out, nil
}

// bundlePatience is how long nothing need move before a bundle is left queued.
const bundlePatience = 30 * time.Second

func (b *bundleSent) send(c *cli.Context, root paths.Root, e buildconfig.Effective) (err error) {
	log, err := cmdline.Logger(c)
	if err != nil {
		return err
	}
	to := bundler.Delivery{RSS: e.Local[localcfg.RSS].Value, Patience: bundlePatience}
	proxy := e.Local[localcfg.Proxy].Value
	if proxy == "none" {
		proxy = ""
	}
	if to.Route, err = route.Parse(route.Options{Proxy: proxy}); err != nil {
		return err
	}
	_ = gentle.Yield()
	made, err := bundler.Open(root, bundler.OpenOptions{Version: cmdline.Version, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	run, err := made.Collect(c.Context, bundler.Request{RSS: to.RSS})
	if err != nil {
		return err
	}
	defer run.Close()
	sealed, err := run.Finish(c.Context)
	if err != nil {
		return err
	}
	b.Queued = sealed.Queued
	if _, err := made.Deliver(c.Context, sealed.Queued, to); err != nil {
		return err
	}
	b.Queued, b.Delivered = "", append(b.Delivered, sealed.Name)
	return b.others(c.Context, made, to)
}

// others delivers what had waited, now that the relay is reached.
func (b *bundleSent) others(ctx context.Context, made *bundler.Bundler, to bundler.Delivery) error {
	q, err := made.Queue()
	if err != nil {
		return err
	}
	items, err := q.List()
	if err != nil {
		return err
	}
	for _, it := range items {
		if _, err := made.Deliver(ctx, it.ID, to); err != nil {
			return err
		}
		b.Delivered = append(b.Delivered, it.Filename)
	}
	return nil
}
