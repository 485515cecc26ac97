package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/host/launch"
)

// maxHandshake bounds the one line that a plugin prints.
const maxHandshake = 1 << 10

// processRunner is go-plugin's view of a plugin process: it gets the line of
// the handshake, an empty log, and an address that was checked.
type processRunner struct {
	ctx  context.Context // bounds the start; go-plugin has a time of its own
	cmd  launch.Command
	dir  string       // the plugin's own directory, where its socket is
	line func(string) // takes the plugin's log

	proc   *launch.Process // set by Start, under mu
	dirFD  *os.File        // so that the socket's path is short, wherever dir is
	stdout io.ReadCloser
	stderr *idleReader

	address string // of the plugin's socket, once it was checked

	mu       sync.Mutex
	problem  string // what was wrong with the handshake
	lastLine string
	logged   chan struct{} // closed when the log has ended
}

var _ runner.Runner = (*processRunner)(nil)

// newRunner completes cmd with go-plugin's environment. The plugin's working
// directory is its socket directory, so it is told ".".
func newRunner(ctx context.Context, cmd launch.Command, spec *exec.Cmd, dir string, line func(string)) (*processRunner, error) {
	fd, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("open the plugin's directory: %w", err)
	}
	if uid := cmd.Sandbox.UID; uid > 0 {
		if err := os.Chown(dir, uid, cmd.Sandbox.GID); err != nil {
			fd.Close()
			return nil, fmt.Errorf("give the plugin its directory: %w", err)
		}
	}
	for _, v := range spec.Env {
		if !strings.HasPrefix(v, plugin.EnvUnixSocketDir+"=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, plugin.EnvUnixSocketDir+"=.")
	cmd.Sandbox.Dir = dir
	return &processRunner{ctx: ctx, cmd: cmd, dir: dir, line: line, dirFD: fd, logged: make(chan struct{})}, nil
}

// Start starts the process.
func (r *processRunner) Start(context.Context) error {
	proc, err := launch.Start(r.ctx, r.cmd)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.proc = proc
	r.mu.Unlock()
	out, in := io.Pipe()
	r.stdout, r.stderr = out, &idleReader{done: r.logged}
	go r.readLog()
	go r.readHandshake(in)
	return nil
}

func (r *processRunner) readLog() {
	defer close(r.logged)
	defer r.proc.Stderr.Close()
	launch.Lines(r.proc.Stderr, func(line string) {
		if _, message, routine := parseLine(line); !routine {
			r.mu.Lock()
			r.lastLine = message
			r.mu.Unlock()
		}
		r.line(line)
	})
}

// handshakeLine is core|protocol|unix|name|grpc, then an empty certificate and
// whatever a later go-plugin adds.
var handshakeLine = regexp.MustCompile(`^1\|[0-9]{1,4}\|unix\|(\./)?[A-Za-z0-9._-]{1,100}\|grpc(\|[A-Za-z0-9|]{0,100})?$`)

// readHandshake passes one good line on and drops the rest of the output.
func (r *processRunner) readHandshake(in *io.PipeWriter) {
	defer r.proc.Stdout.Close()
	out := bufio.NewReaderSize(r.proc.Stdout, maxHandshake)
	raw, err := out.ReadSlice('\n')
	line := strings.TrimRight(string(raw), "\r\n")
	if handshakeLine.MatchString(line) {
		io.WriteString(in, line+"\n")
	} else {
		switch {
		case line == "" && err != nil:
			r.fault("it ended without a handshake")
		default:
			r.fault(fmt.Sprintf("it printed %q instead of a handshake", launch.Clean(line[:min(len(line), 60)])))
		}
	}
	in.Close()
	io.Copy(io.Discard, r.proc.Stdout) // so that it never blocks on writing
}

func (r *processRunner) fault(problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problem = problem
}

// handshakeProblem says what was wrong with the handshake, and the last line of
// the log.
func (r *processRunner) handshakeProblem() (problem, lastLine string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problem, r.lastLine
}

// PluginToHost checks the address that a plugin wants to be dialled at: a
// socket, no link, in its own directory.
func (r *processRunner) PluginToHost(network, address string) (string, string, error) {
	name := strings.TrimPrefix(address, "./")
	if network != "unix" || name != filepath.Base(name) || name == "." || name == ".." {
		return "", "", fmt.Errorf("the plugin wants to be dialled at %s %q", network, address)
	}
	var st unix.Stat_t
	if err := unix.Fstatat(int(r.dirFD.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return "", "", fmt.Errorf("the plugin's socket is not there: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return "", "", errors.New("the plugin's socket is no socket")
	}
	r.address = filepath.Join("/proc/self/fd", strconv.Itoa(int(r.dirFD.Fd())), name)
	return "unix", r.address, nil
}

// dial connects to the plugin's socket and checks who listens.
func (r *processRunner) dial(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", r.address)
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) {
			cred, cerr := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
			if err = cerr; err == nil && int(cred.Pid) != r.proc.PID() {
				err = errors.New("another process listens on the plugin's socket")
			}
		})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// HostToPlugin translates nothing.
func (r *processRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// Wait waits for the end of the process.
func (r *processRunner) Wait(context.Context) error {
	<-r.proc.Done()
	return nil
}

// Kill ends the process.
func (r *processRunner) Kill(context.Context) error {
	if p := r.process(); p != nil {
		p.Kill()
	}
	return nil
}

// process is the process, nil before it was started. Where it is known to be
// started the field is read as it is.
func (r *processRunner) process() *launch.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// Diagnose is go-plugin's hook for explanations; ours come from
// handshakeProblem.
func (r *processRunner) Diagnose(context.Context) string { return "" }

// Stdout gives the line of the handshake, then ends.
func (r *processRunner) Stdout() io.ReadCloser { return r.stdout }

// Stderr gives nothing, and ends with the log.
func (r *processRunner) Stderr() io.ReadCloser { return r.stderr }

// Name names the process in go-plugin's errors.
func (r *processRunner) Name() string { return r.cmd.Argv[0] }

// ID is the process id.
func (r *processRunner) ID() string {
	p := r.process()
	if p == nil {
		return ""
	}
	return strconv.Itoa(p.PID())
}

// idleReader is a stream on which nothing comes until it ends.
type idleReader struct{ done <-chan struct{} }

func (i *idleReader) Read([]byte) (int, error) { <-i.done; return 0, io.EOF }

func (i *idleReader) Close() error { return nil }

// quiet is go-plugin's logger: what it would log is in our errors.
func quiet() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
}
