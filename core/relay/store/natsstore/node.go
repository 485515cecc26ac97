package natsstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/latchstring/latchstring/core/relay/store"
)

// enough is how many free bytes a store needs before it is tried again.
const enough = 16 << 20

// node is the server in this process. A stream whose file could not be written
// takes no more messages, and does not answer, until the server is started
// anew: node notices, makes calls fail at once meanwhile, and starts it anew
// when there is space. Once it was stopped it stays so.
type node struct {
	dir string
	log *slog.Logger

	mu      sync.Mutex
	ns      *server.Server
	stopped bool
	healthy context.Context // ended by the first write that fails, or by stop
	fail    context.CancelCauseFunc
}

// start starts a server; the caller holds mu or is alone.
func (n *node) start() error {
	opts := &server.Options{}
	if err := opts.ProcessConfigString(embedded); err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	opts.StoreDir = n.dir  // not through the text: it may hold any character
	opts.DontListen = true // has no name in the text
	opts.NoSigs = true
	ns, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	healthy, fail := context.WithCancelCause(context.Background())
	ns.SetLoggerV2(logger{n.log, n.dir, fail, new(sync.Once)}, false, false, false)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		err = fmt.Errorf("the embedded server did not start within %s", startTimeout)
	} else if !ns.JetStreamEnabled() {
		err = errors.New("the embedded server could not open its files; its messages are in the log")
	}
	if err != nil {
		fail(err)
		ns.Shutdown()
		ns.WaitForShutdown()
		return err
	}
	n.ns, n.healthy, n.fail = ns, healthy, fail
	return nil
}

func (n *node) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = true
	n.fail(store.ErrClosed)
	n.ns.Shutdown()
	n.ns.WaitForShutdown()
}

// InProcessConn connects to the server of the moment.
func (n *node) InProcessConn() (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return nil, store.ErrClosed
	}
	return n.ns.InProcessConn()
}

// ready returns what calls are to be ended by. A server that failed is started
// anew first, if its disk has space again. Calls that come when it was stopped
// are refused: whoever makes them is late, and the directory may be gone.
func (n *node) ready() (context.Context, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.stopped:
		return nil, store.ErrClosed
	case n.healthy.Err() == nil:
		return n.healthy, nil
	}
	free, err := freeOf(n.dir)
	if err != nil {
		return nil, err
	}
	if free < enough {
		return nil, fmt.Errorf("%w: %d bytes are free in %s, and %d are needed", store.ErrFull, free, n.dir, enough)
	}
	n.log.Warn("start the store anew, which could not write its files before", "dir", n.dir, "free", free, "error", context.Cause(n.healthy))
	n.ns.Shutdown()
	n.ns.WaitForShutdown()
	if err := n.start(); err != nil {
		return nil, fmt.Errorf("start the store anew: %w", err)
	}
	return n.healthy, nil
}

func freeOf(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask for free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// logger passes the server's warnings on; what it says about itself besides is
// of no interest to the operator of a relay. It is also the only place where
// the server says that a file could not be written.
type logger struct {
	log  *slog.Logger
	dir  string
	fail context.CancelCauseFunc

	rebuilt *sync.Once
}

func (l logger) Noticef(string, ...any) {}
func (l logger) Debugf(string, ...any)  {}
func (l logger) Tracef(string, ...any)  {}

func (l logger) Warnf(format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	for _, sign := range []string{"Stream state outdated", "Recovering stream state", "TTL state is outdated"} {
		if strings.Contains(msg, sign) { // once for each file of a store that was not closed
			l.log.Debug("store", "message", msg)
			l.rebuilt.Do(func() {
				l.log.Warn("the store was not closed when the relay ended; its files are read again", "dir", l.dir)
			})
			return
		}
	}
	l.log.Warn("store", "message", msg)
}

func (l logger) Errorf(format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	l.log.Error("store", "message", msg)
	if err := l.failure(strings.ToLower(msg)); err != nil {
		l.fail(err)
	}
}

// failure is the error that a message is about, if it says that a file could
// not be written: for want of space, or for another reason.
func (l logger) failure(msg string) error {
	has := func(sign string) bool { return strings.Contains(msg, sign) }
	switch {
	case has("no space left"), has("disk quota exceeded"):
		return store.ErrFull
	case has("critical write error"), has("jetstream out of "):
		if free, err := freeOf(l.dir); err == nil && free < enough {
			return store.ErrFull
		}
		return fmt.Errorf("%w: %s", store.ErrFailed, msg)
	}
	return nil
}

func (l logger) Fatalf(format string, args ...any) { l.Errorf(format, args...) }
