package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/blob"
	"github.com/latchstring/latchstring/core/relay/blob/s3store"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
)

// storeFlags say where a relay keeps what it knows. They override rss.json;
// setting them there spares giving them to each command.
func storeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "nats", Usage: "keep records in the NATS cluster at `URL` instead of an embedded store"},
		&cli.StringFlag{Name: "nats-credentials", Usage: "`FILE` with the credentials for it"},
		&cli.StringFlag{Name: "blobs", Usage: "keep bundles and recordings in `DIR`, or in s3://BUCKET/PREFIX?endpoint=URL&credentials=FILE"},
	}
}

// load reads the configuration and applies the flags.
func load(c *cli.Context) (*setup.Relay, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return nil, err
	}
	r, err := setup.Load(root)
	if err != nil {
		return nil, err
	}
	for flag, field := range map[string]*string{"nats": &r.Config.NATS, "nats-credentials": &r.Config.NATSCredentials, "blobs": &r.Config.Blobs} {
		if c.IsSet(flag) {
			*field = c.String(flag)
		}
	}
	if r.Config.Blobs == "" {
		r.Config.Blobs = r.Places.Blobs
	}
	return r, root.Make()
}

// open opens the store and makes the server; close must be called after it.
func open(ctx context.Context, r *setup.Relay, log *slog.Logger) (srv *relay.Server, closer func() error, err error) {
	var engine store.Engine
	if r.Config.NATS != "" {
		engine, err = natsstore.Connect(r.Config.NATS, r.Config.NATSCredentials)
	} else {
		engine, err = natsstore.Embed(r.Places.Store, log)
	}
	if err != nil {
		return nil, nil, err
	}
	blobs, err := openBlobs(r.Config.Blobs)
	if err == nil {
		srv, err = relay.New(ctx, relay.Options{Relay: r, Engine: engine, Blobs: blobs, Log: log})
	}
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return srv, engine.Close, nil
}

// openBlobs opens a directory or a bucket.
func openBlobs(where string) (blob.Store, error) {
	if strings.HasPrefix(where, s3store.Scheme) {
		return s3store.Open(where)
	}
	return blob.NewDir(where)
}

// checkBlobs finds out before the relay serves whether a bucket can be used.
func checkBlobs(ctx context.Context, where string) error {
	if !strings.HasPrefix(where, s3store.Scheme) {
		return nil
	}
	s, err := s3store.Open(where)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return s.Check(ctx)
}

// withAdmin calls f with the running relay, or with one that is opened for it.
func withAdmin(c *cli.Context, f func(*relay.Admin) error) (err error) {
	r, err := load(c)
	if err != nil {
		return err
	}
	admin, err := relay.Dial(r.Places.Socket)
	if err == nil {
		return f(admin)
	}
	if !errors.Is(err, relay.ErrNotRunning) {
		return err
	}
	log, err := cmdline.Logger(c)
	if err != nil {
		return err
	}
	srv, closer, err := open(c.Context, r, log)
	if errors.Is(err, natsstore.ErrInUse) {
		if admin := starting(c.Context, r.Places.Socket); admin != nil {
			return f(admin)
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer()) }()
	return f(relay.Local(srv))
}

// starting waits a moment for a relay that has its store open and does not
// answer yet: it is coming up.
func starting(ctx context.Context, socket string) *relay.Admin {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		if admin, err := relay.Dial(socket); err == nil {
			return admin
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}
