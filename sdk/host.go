package sdk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk/internal/server"
)

// serve serves one role to the host that started this process.
func serve(p Plugin, full string, stderr io.Writer) int {
	ch, err := handoff.New(os.NewFile(wire.HandoffFD, "handoff"))
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", full, err)
		return exitFailed
	}
	protect(full)
	srv, err := newServer(p, full, func() *handoff.Channel { return ch }, false)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	slog.SetDefault(logger(srv.Log(os.Stderr), os.Getenv(wire.EnvLogLevel)))
	socket, err := relayHandshake()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	go func() {
		<-ch.Done()
		if cause := ch.Err(); !errors.Is(cause, io.EOF) {
			fmt.Fprintf(stderr, "%s: %v\n", full, cause)
		}
		// The host is gone. Nobody else removes the socket.
		socket.remove()
		os.Exit(exitDone)
	}()
	plugin.Serve(serveConfig(srv))
	if !socket.remove() {
		return exitFailed // it never came to serve; it has said why
	}
	return exitDone
}

// newServer makes the implementation and what stands before it.
func newServer(p Plugin, full string, ch func() *handoff.Channel, debug bool) (*server.Server, error) {
	d, err := p.describe()
	if err != nil {
		return nil, err
	}
	role, name, err := wire.ParseName(full)
	if err != nil {
		return nil, err
	}
	return server.New(server.Options{
		Plugin: d, Role: role, Name: name, Make: p.makers()[full], Channel: ch, Debug: debug,
	})
}

func serveConfig(srv *server.Server) *plugin.ServeConfig {
	return &plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(srv.Services()),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			restore := restoreOutput(os.Stderr)
			return grpc.NewServer(append(append(opts, wire.ServerOptions()...),
				grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
					restore()
					return next(ctx, req)
				}),
				grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
					restore()
					return next(srv, stream)
				}))...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Name: "sdk", Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	}
}

// restoreOutput undoes what go-plugin does to os.Stdout and os.Stderr after the
// handshake: it sends both through gRPC. The first call comes after it has done
// so. What the plugin writes to stderr goes to descriptor 2 then, where the
// host's filter reads it, also when the process dies.
func restoreOutput(stderr *os.File) func() {
	return sync.OnceFunc(func() { os.Stdout, os.Stderr = firstStdout, stderr })
}

// protect does to this process what keeps secrets in and orphans out.
func protect(full string) {
	// The lifeline ends us when the host dies; if this process is stuck
	// then, the kernel does.
	unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// No core dump and no look into the memory for others. Not for
	// collectors: they have no secrets, and read /proc/self.
	if !strings.HasPrefix(full, wire.RoleCollect+"/") {
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	}
}

// handshakeSocket is the path of the socket in the handshake.
type handshakeSocket struct {
	mu   sync.Mutex
	path string
}

// remove removes the socket and reports whether there ever was one.
func (s *handshakeSocket) remove() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path != "" {
		os.Remove(s.path)
	}
	return s.path != ""
}

// relayHandshake gives go-plugin a pipe as stdout and passes the one line that
// it prints on to the host. It reads the socket's path in passing.
func relayHandshake() (*handshakeSocket, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	os.Stdout = w
	socket := new(handshakeSocket)
	go func() {
		defer r.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			return
		}
		// core version | protocol version | network | address | ...
		if parts := strings.Split(line, "|"); len(parts) > 3 && parts[2] == "unix" {
			socket.mu.Lock()
			socket.path = parts[3]
			socket.mu.Unlock()
		}
		io.WriteString(realStdout, line)
		realStdout.Close()
	}()
	return socket, nil
}
