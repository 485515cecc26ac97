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
// when there is space.
type node struct {
	dir string
	log *slog.Logger

	mu      sync.Mutex
	ns      *server.Server
	healthy context.Context // ended by the first write that fails
	fail    context.CancelFunc
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
	healthy, fail := context.WithCancel(context.Background())
	ns.SetLoggerV2(logger{n.log, fail}, false, false, false)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		err = fmt.Errorf("the embedded server did not start within %s", startTimeout)
	} else if !ns.JetStreamEnabled() {
		err = errors.New("the embedded server could not open its files; its messages are in the log")
	}
	if err != nil {
		fail()
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
	n.fail()
	n.ns.Shutdown()
	n.ns.WaitForShutdown()
}

// InProcessConn connects to the server of the moment.
func (n *node) InProcessConn() (net.Conn, error) {
	n.mu.Lock()
	ns := n.ns
	n.mu.Unlock()
	return ns.InProcessConn()
}

// ready returns what calls are to be ended by. A server that failed is started
// anew first, if its disk has space again.
func (n *node) ready() (context.Context, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healthy.Err() == nil {
		return n.healthy, nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(n.dir, &st); err != nil {
		return nil, fmt.Errorf("ask for free space of %s: %w", n.dir, err)
	}
	if free := int64(st.Bavail) * st.Bsize; free < enough {
		return nil, fmt.Errorf("%w: %d bytes are free in %s, and %d are needed", store.ErrFull, free, n.dir, enough)
	}
	n.log.Warn("start the store anew: its disk has space again", "dir", n.dir)
	n.ns.Shutdown()
	n.ns.WaitForShutdown()
	if err := n.start(); err != nil {
		return nil, fmt.Errorf("start the store anew: %w", err)
	}
	return n.healthy, nil
}

// logger passes the server's warnings on; what it says about itself besides is
// of no interest to the operator of a relay. It is also the only place where
// the server says that a file could not be written.
type logger struct {
	log  *slog.Logger
	fail context.CancelFunc
}

func (l logger) Noticef(string, ...any) {}
func (l logger) Debugf(string, ...any)  {}
func (l logger) Tracef(string, ...any)  {}

func (l logger) Warnf(format string, args ...any) {
	l.log.Warn("store", "message", fmt.Sprintf(format, args...))
}

func (l logger) Errorf(format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	l.log.Error("store", "message", msg)
	for _, sign := range []string{"critical write error", "no space left on device", "out of resources"} {
		if strings.Contains(strings.ToLower(msg), sign) {
			l.fail()
		}
	}
}

func (l logger) Fatalf(format string, args ...any) { l.Errorf(format, args...) }
