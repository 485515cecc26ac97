package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the relay",
		Description: `Runs until it is told to stop. Then it tells the systems to come back a little
later, gives engineers' connections time to end (remote.drain_seconds in rss.json,
30 unless set) and lets running requests finish; a second signal ends it at once.
Uploads that are cut resume when it is back. It prints one line when it is ready.

Examples:
   rss serve
   rss serve --listen :8443 --log-level info
   rss serve --blobs 's3://bundles/rss?endpoint=https://s3.example.com&credentials=/etc/latchstring/s3'
   rss serve --nats nats://nats1:4222,nats://nats2:4222 --blobs s3://...

The file of S3 credentials has the form of ~/.aws/credentials and mode 0600;
credentials=instance uses the machine's role, credentials=chain also looks at the
environment.

Several nodes: give each the same --nats and --blobs, and the same etc/rss.json and
var/rss/ca.crt, ca.key and receipt_key, but not var/rss/node. An engineer may come to
any of them; they reach each other on the port on which they listen. See: rss nodes`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "listen on `ADDR` instead of what rss.json says"},
			&cli.StringFlag{Name: "node-address", Usage: "other nodes reach this one at `HOST:PORT`; default: its address towards NATS, and the port that it listens on"},
		}, storeFlags()...),
		Action: serve,
	}
}

func serve(c *cli.Context) (err error) {
	r, err := load(c)
	if err != nil {
		return err
	}
	log, err := cmdline.Logger(c)
	if err != nil {
		return err
	}
	if _, err := relay.Dial(r.Places.Socket); err == nil {
		return fmt.Errorf("a relay is running already, with the socket %s", r.Places.Socket)
	}
	if c.IsSet("node-address") {
		r.Config.NodeAddress = c.String("node-address")
		if err := api.CheckAddress(r.Config.NodeAddress); err != nil {
			return cmdline.Usagef("--node-address: %v", err)
		}
	}
	if err := checkBlobs(c.Context, r.Config.Blobs); err != nil {
		return err
	}
	listen := r.Config.Listen
	if c.IsSet("listen") {
		listen = c.String("listen")
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", listen, err)
	}
	srv, closer, err := open(c.Context, r, log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() { err = errors.Join(err, closer()) }()
	if err := srv.Join(c.Context, ln.Addr().String()); err != nil {
		return errors.Join(err, ln.Close())
	}
	for _, f := range r.HandOut() {
		log.Warn("a private key that belongs to the engineers is still on this relay; move it away", "file", f)
	}
	if os.Getenv("GOGC") == "" {
		// What a relay holds is little and lives long: collecting sooner costs
		// next to nothing and saves a quarter of its memory.
		debug.SetGCPercent(50)
	}
	fmt.Fprintf(c.App.Writer, "relay %s is ready on %s, authority %s\n", r.Config.Address, ln.Addr(), r.Pin())
	return both(c.Context,
		func(ctx context.Context) error { return srv.Serve(ctx, ln) },
		func(ctx context.Context) error {
			defer os.Remove(r.Places.Socket)
			return srv.ServeAdmin(ctx, r.Places.Socket)
		})
}

// both runs functions until all have returned; the first error ends the rest.
func both(ctx context.Context, fs ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(fs))
	for i, f := range fs {
		wg.Go(func() {
			if errs[i] = f(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
