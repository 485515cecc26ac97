package natsstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/latchstring/latchstring/core/relay/store"
)

// opTimeout bounds each call whose context has no deadline. A cluster that
// elects a leader pauses for some five seconds.
const opTimeout = 10 * time.Second

// replicas is what a cluster of three or more nodes keeps of each record.
const replicas = 3

// Engine is a store.Engine.
type Engine struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	node *node    // the embedded server, or nil
	lock *os.File // of its directory
}

var (
	_ store.Engine = (*Engine)(nil)
	_ store.Shared = (*Engine)(nil)
)

// Connect uses the cluster at url ("nats://host:4222", several separated by
// commas). Credentials come from a file, which may be empty.
func Connect(url, credentials string) (*Engine, error) {
	opts := []nats.Option{nats.Name("rss"), nats.MaxReconnects(-1), nats.Timeout(opTimeout)}
	if credentials != "" {
		opts = append(opts, nats.UserCredentials(credentials))
	}
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", redact(url), err)
	}
	e, err := newEngine(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("use NATS at %s: %w", redact(url), err)
	}
	return e, nil
}

func newEngine(nc *nats.Conn) (*Engine, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), opTimeout)
	defer cancel()
	if _, err := js.AccountInfo(ctx); err != nil {
		return nil, fmt.Errorf("JetStream: %w", err)
	}
	return &Engine{nc: nc, js: js}, nil
}

// Shared reports whether other nodes may use the same store.
func (e *Engine) Shared() (local string, shared bool) { return e.nc.LocalAddr(), e.node == nil }

// Close ends the connection and, where it runs in this process, the server.
func (e *Engine) Close() error {
	e.nc.Close() // every call has waited for its answer already
	var err error
	if e.node != nil {
		e.node.stop()
	}
	if e.lock != nil {
		// A child that was just forked still has the file, until it runs its
		// program: to close it here alone would leave the lock.
		err = errors.Join(syscall.Flock(int(e.lock.Fd()), syscall.LOCK_UN), e.lock.Close())
	}
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// Table opens the bucket of that name.
func (e *Engine) Table(ctx context.Context, name string, ttl time.Duration) (store.Table, error) {
	ctx, done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	cfg := jetstream.KeyValueConfig{Bucket: "rss-" + name, History: 1, Storage: jetstream.FileStorage, TTL: ttl, Replicas: replicas, MaxValueSize: 256 << 10}
	if ttl > 0 {
		cfg.LimitMarkerTTL = time.Minute
	}
	kv, err := e.js.CreateOrUpdateKeyValue(ctx, cfg)
	if alone(err) {
		cfg.Replicas = 1
		kv, err = e.js.CreateOrUpdateKeyValue(ctx, cfg)
	}
	if err != nil {
		return nil, translate(ctx, "open", name, err)
	}
	return &table{e: e, kv: kv, name: name}, nil
}

// alone recognizes a server that is no cluster.
func alone(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == 10074
}

// begin starts a call: it gives ctx a limit, and ends it when the embedded
// server fails, which would not answer any more.
func (e *Engine) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	var stop func() bool
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	if e.node != nil {
		healthy, err := e.node.ready()
		if err != nil {
			cancel()
			return nil, nil, err
		}
		inner, end := context.WithCancelCause(ctx)
		ctx, stop = inner, context.AfterFunc(healthy, func() { end(context.Cause(healthy)) })
		return ctx, func() { stop(); end(nil); cancel() }, nil
	}
	return ctx, cancel, nil
}

// translate turns the library's errors into those of package store.
func translate(ctx context.Context, op, what string, err error) error {
	var api *jetstream.APIError
	errors.As(err, &api)
	switch {
	case err == nil:
		return nil
	case ended(context.Cause(ctx)):
		return fmt.Errorf("%s %s: %w", op, what, context.Cause(ctx))
	case errors.Is(err, nats.ErrConnectionClosed):
		return fmt.Errorf("%s %s: %w", op, what, store.ErrClosed)
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrKeyDeleted):
		return fmt.Errorf("%s %s: %w", op, what, store.ErrNotFound)
	case api != nil && full(api):
		return fmt.Errorf("%s %s: %w (%w)", op, what, store.ErrFull, err)
	}
	return fmt.Errorf("%s %s: %w", op, what, err)
}

// over tells why a watcher's entries have ended, which the library ends without
// a word: most often because the store was closed meanwhile.
func (e *Engine) over(ctx context.Context, op, what string) error {
	err := errors.New("the store has ended it")
	if e.nc.IsClosed() {
		err = nats.ErrConnectionClosed
	}
	return translate(ctx, op, what, err)
}

// ended recognizes that a call was ended because the server failed or was
// stopped.
func ended(cause error) bool {
	return errors.Is(cause, store.ErrFull) || errors.Is(cause, store.ErrFailed) || errors.Is(cause, store.ErrClosed)
}

// full recognizes the answers of a server that cannot write its files.
func full(api *jetstream.APIError) bool {
	switch api.ErrorCode {
	case 10023, 10028, 10047, 10077: // insufficient resources, memory or storage exceeded, store failed
		return true
	}
	return false
}

// redact cuts a user and password out of an address.
func redact(url string) string {
	for i := len(url) - 1; i >= 0; i-- {
		if url[i] == '@' {
			return "…@" + url[i+1:]
		}
	}
	return url
}
