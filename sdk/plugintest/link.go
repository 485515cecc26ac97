package plugintest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/internal/server"
)

// link is a host's connection to one running plugin: what core/host has, less
// the trust, the sandbox and the supervision.
type link struct {
	role      pluginv1.RoleClient
	transport pluginv1.TransportClient
	collect   pluginv1.CollectClient
	auth      pluginv1.AuthClient
	sink      pluginv1.EventSinkClient
	channel   *handoff.Channel

	pid    int // of the plugin's process; ours when it runs here
	stderr *buffer
	kill   func()       // the process, with SIGKILL; nil when it runs here
	active func() int64 // calls that the plugin works on; nil when that cannot be seen
	close  func()
}

func newLink(conn *grpc.ClientConn, ch *handoff.Channel) *link {
	return &link{
		role: pluginv1.NewRoleClient(conn), transport: pluginv1.NewTransportClient(conn),
		collect: pluginv1.NewCollectClient(conn), auth: pluginv1.NewAuthClient(conn),
		sink: pluginv1.NewEventSinkClient(conn), channel: ch, stderr: new(buffer),
	}
}

func dial(target string, d func(context.Context, string) (net.Conn, error)) (*grpc.ClientConn, error) {
	return grpc.NewClient(target, append(wire.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(d))...)
}

// inProcess serves an implementation in this process.
func inProcess(role string, newImpl func() any) (*link, error) {
	d, err := server.Describe(role, "test", newImpl())
	if err != nil {
		return nil, err
	}
	host, child, err := handoff.Pair()
	if err != nil {
		return nil, err
	}
	plugin, err := handoff.New(child)
	if err != nil {
		host.Close()
		return nil, err
	}
	stderr := new(buffer)
	srv, err := server.New(server.Options{
		Stderr: stderr,
		Plugin: wire.Description{Name: "test", Version: "0", Protocols: wire.Versions, Roles: []wire.RoleDescription{d}},
		Role:   role, Name: "test", Make: newImpl, Channel: func() *handoff.Channel { return plugin },
	})
	if err != nil {
		host.Close()
		plugin.Close()
		return nil, err
	}
	ln := bufconn.Listen(64 << 10)
	var active atomic.Int64
	g := grpc.NewServer(append(wire.ServerOptions(),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			active.Add(1)
			defer active.Add(-1)
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			active.Add(1)
			defer active.Add(-1)
			return next(srv, stream)
		}))...)
	srv.Services().Register(g)
	go g.Serve(ln)
	conn, err := dial("passthrough:///plugin", func(ctx context.Context, _ string) (net.Conn, error) { return ln.DialContext(ctx) })
	if err != nil {
		return nil, err
	}
	l := newLink(conn, host)
	l.pid, l.active, l.stderr = os.Getpid(), active.Load, stderr
	l.close = func() {
		conn.Close()
		g.Stop()
		ln.Close()
		host.Close()
		plugin.Close()
	}
	return l, nil
}

// Process is a plugin process that a [Starter] started.
type Process struct {
	Pid    int
	Stdout io.ReadCloser
	Stderr io.ReadCloser
	Kill   func() // with SIGKILL; again is harmless
}

// Starter starts the plugin's program with these arguments (without its name)
// and variables, with dir as its working directory, and with handoff as
// descriptor 3 if it is not nil.
type Starter func(ctx context.Context, args, env []string, dir string, handoff *os.File) (*Process, error)

const (
	startPatience = 10 * time.Second
	maxHandshake  = 4 << 10
)

// startProcess starts a plugin process and connects to it.
func startProcess(start Starter, full string) (l *link, err error) {
	dir, err := os.MkdirTemp("", "plugincheck-")
	if err != nil {
		return nil, err
	}
	host, child, err := handoff.Pair()
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	defer child.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	p, err := start(ctx, []string{"serve", full}, environment(dir), dir, child)
	if err != nil {
		host.Close()
		os.RemoveAll(dir)
		return nil, err
	}
	stderr := new(buffer)
	go io.Copy(stderr, p.Stderr)
	end := func() {
		host.Close() // the lifeline
		p.Kill()
		p.Stdout.Close()
		os.RemoveAll(dir)
	}
	address, err := readHandshake(ctx, p.Stdout)
	if err != nil {
		end()
		return nil, fmt.Errorf("start %s: %w\nits stderr: %s", full, err, stderr)
	}
	go io.Copy(io.Discard, p.Stdout)
	if !filepath.IsAbs(address) {
		address = filepath.Join(dir, address)
	}
	conn, err := dial("passthrough:///plugin", func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", address)
	})
	if err != nil {
		end()
		return nil, err
	}
	l = newLink(conn, host)
	l.pid, l.stderr, l.kill = p.Pid, stderr, p.Kill
	l.close = func() { conn.Close(); end() }
	return l, nil
}

func environment(dir string) []string {
	return []string{
		wire.EnvCookie + "=" + wire.CookieValue,
		"PLUGIN_PROTOCOL_VERSIONS=1",
		"PLUGIN_UNIX_SOCKET_DIR=" + dir,
	}
}

// readHandshake reads the line that says where the plugin listens.
func readHandshake(ctx context.Context, stdout io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	ch := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(io.LimitReader(stdout, maxHandshake)).ReadString('\n')
		ch <- result{line, err}
	}()
	var r result
	select {
	case r = <-ch:
	case <-ctx.Done():
		return "", fmt.Errorf("no handshake within %v", startPatience)
	}
	parts := strings.Split(strings.TrimSpace(r.line), "|")
	switch {
	case len(r.line) == 0 && r.err != nil:
		return "", errors.New("it ended without a handshake")
	case len(parts) < 5 || parts[0] != "1" || parts[2] != "unix" || parts[4] != "grpc":
		return "", fmt.Errorf("the first line on stdout is no handshake: %.100q; does something print before sdk.Serve?", r.line)
	case parts[1] != "1":
		return "", fmt.Errorf("it chose protocol version %s, 1 was offered", parts[1])
	}
	return parts[3], nil
}

// attachTo connects to a plugin that runs under a debugger.
func attachTo(at wire.Reattach) (*link, error) {
	ch, err := handoff.Dial(at.Handoff)
	if err != nil {
		return nil, err
	}
	conn, err := dial("passthrough:///plugin", func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", at.Address)
	})
	if err != nil {
		ch.Close()
		return nil, err
	}
	l := newLink(conn, ch)
	l.pid = at.Pid
	l.close = func() { conn.Close(); ch.Close() }
	return l, nil
}

// idle waits until the plugin works on nothing any more, at most a little
// over a second, and returns how long that took.
func (l *link) idle() time.Duration {
	began := time.Now()
	for l.active != nil && l.active() > 0 && time.Since(began) < 1200*time.Millisecond {
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

// descriptors counts the open descriptors of the plugin's process; false where
// that cannot be seen.
func (l *link) descriptors() (int, bool) {
	ents, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.pid))
	return len(ents), err == nil
}

// openFiles says what the descriptors of the plugin's process are.
func (l *link) openFiles() string {
	dir := fmt.Sprintf("/proc/%d/fd/", l.pid)
	ents, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	kinds := make(map[string]int)
	for _, e := range ents {
		to, _ := os.Readlink(dir + e.Name())
		kind, _, _ := strings.Cut(to, ":[") // socket:[4711]
		kinds[kind]++
	}
	return fmt.Sprint(kinds)
}

// buffer keeps the last part of what was written to it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const maxKept = 1 << 20

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len()+len(p) > maxKept {
		b.b.Next(b.b.Len() / 2)
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
