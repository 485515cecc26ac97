package natsstore

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

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
	n := &node{dir: dir, log: log}
	if err := n.start(); err != nil {
		return nil, err
	}
	nc, err := nats.Connect("", nats.InProcessServer(n), nats.Name("rss"), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		n.stop()
		return nil, fmt.Errorf("connect in process: %w", err)
	}
	e, err := newEngine(nc)
	if err != nil {
		nc.Close()
		n.stop()
		return nil, err
	}
	e.node = n
	return e, nil
}
