package handoff

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// MaxBacklog is how many descriptors may wait unclaimed.
	MaxBacklog = 64

	// MaxPassed is how many descriptors a sender has under way at most.
	// Pass waits while there are as many.
	MaxPassed = MaxBacklog / 2

	// MaxCalls is how many calls may be under way at once, in each direction.
	MaxCalls = 32

	// sendPatience bounds a send to a peer that does not read.
	sendPatience = 10 * time.Second

	// maxForgotten bounds the memory of ids that nobody waits for any more.
	maxForgotten = 1024
)

// ErrClosed is returned by every operation on a channel that has ended, in
// front of the reason.
var ErrClosed = errors.New("handoff channel closed")

// Channel is one end of the descriptor channel. It is safe for concurrent use.
type Channel struct {
	conn   *net.UnixConn
	plugin bool // ids and calls of the two ends must not collide

	sendMu sync.Mutex

	mu        sync.Mutex
	err       error // why the channel ended
	lastID    uint64
	waiting   map[uint64]chan *os.File // Take calls
	backlog   map[uint64]*os.File      // passed, not taken yet
	forgotten map[uint64]struct{}      // taken too late: close on arrival
	forgetLog []uint64                 // the same in order, to bound it
	calls     map[uint64]chan reply    // our calls under way
	serving   map[uint64]context.CancelFunc
	handler   Handler

	slots  chan struct{} // bounds our calls under way
	credit chan struct{} // bounds our descriptors in the peer's backlog
	done   chan struct{}
}

// Pair makes a channel. The caller keeps host, gives child to the process it
// starts (as ExtraFiles[0], which makes it descriptor 3) and closes child
// when that process runs.
func Pair() (host *Channel, child *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make handoff channel: %w", os.NewSyscallError("socketpair", err))
	}
	child = os.NewFile(uintptr(fds[1]), "handoff-child")
	host, err = open(os.NewFile(uintptr(fds[0]), "handoff-host"), false)
	if err != nil {
		child.Close()
		return nil, nil, err
	}
	return host, child, nil
}

// New opens the plugin's end of a channel on the descriptor that its host left
// it. It takes over f: f is closed, also on error.
func New(f *os.File) (*Channel, error) {
	return open(f, true)
}

// open takes over f and starts to read.
func open(f *os.File, plugin bool) (*Channel, error) {
	defer f.Close()
	if err := checkSocket(f); err != nil {
		return nil, err
	}
	nc, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("open handoff channel: %w", err)
	}
	conn, ok := nc.(*net.UnixConn)
	if !ok {
		nc.Close()
		return nil, fmt.Errorf("open handoff channel: descriptor is a %T, not a unix socket", nc)
	}
	return start(conn, plugin), nil
}

func start(conn *net.UnixConn, plugin bool) *Channel {
	c := &Channel{
		conn:      conn,
		plugin:    plugin,
		waiting:   make(map[uint64]chan *os.File),
		backlog:   make(map[uint64]*os.File),
		forgotten: make(map[uint64]struct{}),
		calls:     make(map[uint64]chan reply),
		serving:   make(map[uint64]context.CancelFunc),
		slots:     make(chan struct{}, MaxCalls),
		credit:    make(chan struct{}, MaxPassed),
		done:      make(chan struct{}),
	}
	go c.read()
	return c
}

// checkSocket refuses a descriptor that is not a handoff socket, which is what
// a plugin finds at descriptor 3 when a person started it.
func checkSocket(f *os.File) error {
	var domain, typ int
	var optErr error
	rc, err := f.SyscallConn()
	if err != nil {
		return fmt.Errorf("open handoff channel: %w", err)
	}
	err = rc.Control(func(fd uintptr) {
		if domain, optErr = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN); optErr == nil {
			typ, optErr = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE)
		}
	})
	if err = errors.Join(err, optErr); err != nil {
		return fmt.Errorf("open handoff channel: %s is no socket: %w", f.Name(), err)
	}
	if domain != unix.AF_UNIX || typ != unix.SOCK_SEQPACKET {
		return fmt.Errorf("open handoff channel: %s is not a unix socket of type seqpacket", f.Name())
	}
	return nil
}

// NewID returns an id for a descriptor that no other call of NewID, on either
// end of this channel, returns.
func (c *Channel) NewID() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	if c.plugin {
		return c.lastID | 1<<63
	}
	return c.lastID
}

// Pass sends the descriptor of f (an *os.File, or a connection that has one)
// under id. The other side gets a duplicate: f stays open and the caller's.
// Pass waits while MaxPassed descriptors are not taken yet.
func (c *Channel) Pass(id uint64, f syscall.Conn) error {
	return c.PassContext(context.Background(), id, f)
}

// PassContext is Pass that waits no longer than ctx lives.
func (c *Channel) PassContext(ctx context.Context, id uint64, f syscall.Conn) error {
	select {
	case c.credit <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("pass descriptor %d: %w", id, context.Cause(ctx))
	case <-c.done:
		return c.Err()
	}
	err := c.send(header{kind: kindPass, id: id}, nil, f)
	if err != nil {
		<-c.credit
	}
	return err
}

// Take waits for the descriptor that the other side passes under id. When ctx
// ends first, the descriptor is closed on arrival. One that was passed before
// the other side went away can still be taken afterwards.
func (c *Channel) Take(ctx context.Context, id uint64) (*os.File, error) {
	f, err := c.take(ctx, id)
	if f != nil {
		c.taken(id)
	}
	return f, err
}

func (c *Channel) take(ctx context.Context, id uint64) (*os.File, error) {
	c.mu.Lock()
	if f, ok := c.backlog[id]; ok {
		delete(c.backlog, id)
		c.mu.Unlock()
		return f, nil
	}
	if c.err != nil {
		defer c.mu.Unlock()
		return nil, c.err
	}
	if _, ok := c.waiting[id]; ok {
		c.mu.Unlock()
		return nil, fmt.Errorf("take descriptor %d: somebody waits for it already", id)
	}
	ch := make(chan *os.File, 1)
	c.waiting[id] = ch
	delete(c.forgotten, id)
	c.mu.Unlock()

	select {
	case f := <-ch:
		return f, nil
	case <-ctx.Done():
	case <-c.done:
	}
	// A descriptor that came meanwhile is already in ch.
	c.mu.Lock()
	delete(c.waiting, id)
	c.mu.Unlock()
	select {
	case f := <-ch:
		return f, nil
	default:
	}
	if ctx.Err() != nil {
		c.Forget(id)
		return nil, fmt.Errorf("take descriptor %d: %w", id, context.Cause(ctx))
	}
	return nil, c.Err()
}

// taken tells the sender that its descriptor left the backlog.
func (c *Channel) taken(id uint64) { c.send(header{kind: kindTaken, id: id}, nil, nil) }

// Forget closes the descriptor under id, whether it has come or is to come.
// Call it for an id that will not be taken, for instance because the dial
// that announced it failed.
func (c *Channel) Forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.backlog[id]; ok {
		delete(c.backlog, id)
		f.Close()
		go c.taken(id)
		return
	}
	if _, ok := c.forgotten[id]; ok || c.err != nil {
		return
	}
	if len(c.forgetLog) == maxForgotten {
		delete(c.forgotten, c.forgetLog[0])
		c.forgetLog = c.forgetLog[1:]
	}
	c.forgotten[id] = struct{}{}
	c.forgetLog = append(c.forgetLog, id)
}

// Done is closed when the channel has ended: the other side is gone, broke
// the rules, or this side called Close.
func (c *Channel) Done() <-chan struct{} { return c.done }

// Err says why the channel ended; nil while it lives. It wraps ErrClosed, and
// io.EOF when the other side just went away, or ErrProtocol.
func (c *Channel) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the channel and closes every descriptor that nobody took.
func (c *Channel) Close() error {
	c.fail(net.ErrClosed)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
	return nil
}

// drop closes the backlog; c.mu is held.
func (c *Channel) drop() {
	for id, f := range c.backlog {
		delete(c.backlog, id)
		f.Close()
	}
}

// fail ends the channel for the given reason; only the first reason counts.
// What an honest peer passed before it died may still be taken.
func (c *Channel) fail(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	if reason == io.EOF {
		c.err = fmt.Errorf("%w: the other side is gone: %w", ErrClosed, reason)
	} else {
		c.err = fmt.Errorf("%w: %w", ErrClosed, reason)
		c.drop()
	}
	for _, cancel := range c.serving {
		cancel()
	}
	c.conn.Close()
	close(c.done)
}
