package natsstore

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// ErrInUse is returned by Embed while another process has the store open.
var ErrInUse = errors.New("the store is in use by another process")

// The configuration goes through the server's own parser: options that are set
// as fields miss part of its setup (nats-server issue 6890).
const embedded = `
server_name: rss
max_payload: 1MB
jetstream {
  max_memory_store: 64MB
  max_file_store: 1TB
  sync_interval: always
}
`

// startTimeout is generous: a store with many records is read at start.
const startTimeout = time.Minute

// Embed opens the store in dir, which is made where it does not exist.
func Embed(dir string, log *slog.Logger) (*Engine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("open store %s: %w", dir, ErrInUse)
		}
		return nil, fmt.Errorf("lock store %s: %w", dir, err)
	}
	e, err := embed(dir, log)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	e.lock = lock
	return e, nil
}

func embed(dir string, log *slog.Logger) (*Engine, error) {
	opts := &server.Options{}
	if err := opts.ProcessConfigString(embedded); err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	opts.StoreDir = dir    // not through the text: it may hold any character
	opts.DontListen = true // has no name in the text
	opts.NoSigs = true
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	ns.SetLoggerV2(logger{log}, false, false, false)
	ns.Start()
	stop := func() { ns.Shutdown(); ns.WaitForShutdown() }
	if !ns.ReadyForConnections(startTimeout) {
		stop()
		return nil, fmt.Errorf("the embedded server did not start within %s", startTimeout)
	}
	if !ns.JetStreamEnabled() {
		stop()
		return nil, errors.New("the embedded server could not open its files; its messages are in the log")
	}
	nc, err := nats.Connect("", nats.InProcessServer(ns), nats.Name("rss"), nats.MaxReconnects(-1))
	if err != nil {
		stop()
		return nil, fmt.Errorf("connect in process: %w", err)
	}
	e, err := newEngine(nc)
	if err != nil {
		nc.Close()
		stop()
		return nil, err
	}
	e.stop = stop
	return e, nil
}

// logger passes the server's warnings on; what it says about itself besides is
// of no interest to the operator of a relay.
type logger struct{ log *slog.Logger }

func (l logger) Noticef(string, ...any) {}
func (l logger) Debugf(string, ...any)  {}
func (l logger) Tracef(string, ...any)  {}
func (l logger) Warnf(format string, args ...any) {
	l.log.Warn("store", "message", fmt.Sprintf(format, args...))
}
func (l logger) Errorf(format string, args ...any) {
	l.log.Error("store", "message", fmt.Sprintf(format, args...))
}
func (l logger) Fatalf(format string, args ...any) {
	l.log.Error("store", "message", fmt.Sprintf(format, args...))
}
