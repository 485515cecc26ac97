package launch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/host/sandbox"
)

// Command is a plugin process to start.
type Command struct {
	Image   *Image
	Argv    []string // Argv[0] is only a name: what runs is Image
	Env     []string // all of it
	Handoff *os.File // becomes descriptor 3; nil for none. The caller closes it.
	Sandbox sandbox.Spec
}

// Process is a running plugin process.
type Process struct {
	// Stdout and Stderr are the host's ends of the pipes. The process ends up
	// blocked when they are not read. The caller closes them.
	Stdout, Stderr *os.File

	pid   int
	level sandbox.Level

	mu     sync.Mutex
	reaped bool
	killed bool

	done  chan struct{}
	state *os.ProcessState
}

// Start starts cmd and returns when it has become the plugin, or failed to.
// When ctx ends first the process is killed.
func Start(ctx context.Context, cmd Command) (*Process, error) {
	raw, err := json.Marshal(order{Host: os.Getpid(), Argv: cmd.Argv, Env: cmd.Env, Sandbox: cmd.Sandbox})
	if err != nil {
		return nil, fmt.Errorf("start plugin process: %w", err)
	}
	var fds pipes
	defer fds.closeChild()
	if err := fds.open(); err != nil {
		fds.closeHost()
		return nil, fmt.Errorf("start plugin process: %w", err)
	}
	handoff := cmd.Handoff
	if handoff == nil {
		if handoff, err = os.Open(os.DevNull); err != nil {
			fds.closeHost()
			return nil, fmt.Errorf("start plugin process: %w", err)
		}
		defer handoff.Close()
	}
	c := &exec.Cmd{
		Path:       "/proc/self/exe", // also when the file has been replaced by an upgrade
		Args:       []string{argv0},
		Env:        []string{}, // of the trampoline; the plugin's is in the order
		Dir:        "/",
		Stdout:     fds.stdout[1],
		Stderr:     fds.stderr[1],
		ExtraFiles: []*os.File{handoff, cmd.Image.file, fds.order[0], fds.report[1]},
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid:   true,
			Pdeathsig: syscall.SIGKILL, // until the trampoline asks again
		},
	}
	p := &Process{Stdout: fds.stdout[0], Stderr: fds.stderr[0], done: make(chan struct{})}
	if err := p.run(c); err != nil {
		fds.closeHost()
		return nil, fmt.Errorf("start plugin process: %w", err)
	}
	fds.closeChild()
	stop := context.AfterFunc(ctx, p.Kill)
	defer stop()
	// The order is shorter than a pipe's buffer in practice; if not, the
	// trampoline reads it or dies.
	fds.order[1].Write(raw)
	fds.order[1].Close()
	p.level, err = readReport(fds.report[0])
	fds.report[0].Close()
	if ctx.Err() != nil {
		err = fmt.Errorf("it was not started in time: %w", context.Cause(ctx))
	}
	if err != nil {
		p.Kill()
		<-p.done
		p.Stdout.Close()
		p.Stderr.Close()
		return nil, fmt.Errorf("start plugin process: %w", err)
	}
	return p, nil
}

// run starts c on a thread that lives as long as the process: the kernel sends
// the parent-death signal when the *thread* that started it ends (golang issue
// 27505).
func (p *Process) run(c *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		if err == nil {
			p.pid = c.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		p.reap(c)
	}()
	return <-started
}

// reap waits for the end of the process and ends what is left of its group.
func (p *Process) reap(c *exec.Cmd) {
	for {
		// Without reaping it: as long as it is a zombie, its group id is its own.
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	unix.Kill(-p.pid, unix.SIGKILL)
	p.mu.Lock()
	c.Wait()
	p.reaped = true
	p.state = c.ProcessState
	p.mu.Unlock()
	close(p.done)
}

// PID is the process id.
func (p *Process) PID() int { return p.pid }

// Level is how well the process is confined.
func (p *Process) Level() sandbox.Level { return p.level }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process and its group at once. It may be called at any time.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return
	}
	p.killed = true
	unix.Kill(-p.pid, unix.SIGKILL)
	unix.Kill(p.pid, unix.SIGKILL)
}

// End says how the process ended, in words; it waits for it.
func (p *Process) End() string {
	<-p.done
	if p.state == nil {
		return "unknown"
	}
	return p.state.String()
}

// Killed reports whether Kill ended the process, rather than its own doing.
func (p *Process) Killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// readReport reads what the trampoline says until it has become the plugin,
// which closes the pipe.
func readReport(r *os.File) (sandbox.Level, error) {
	raw, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err != nil {
		return sandbox.Bare, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	var last report
	count := 0
	for ; ; count++ {
		var rep report
		if err := dec.Decode(&rep); err == io.EOF {
			break
		} else if err != nil {
			return sandbox.Bare, fmt.Errorf("the trampoline reported nonsense: %w", err)
		}
		if rep.Error != "" {
			return sandbox.Bare, errors.New(rep.Error)
		}
		last = rep
	}
	if count == 0 {
		return sandbox.Bare, errors.New("the trampoline ended without a report; does this program call launch.Main first thing?")
	}
	return last.Level, nil
}

// pipes are those of one start, read end first.
type pipes struct{ stdout, stderr, order, report [2]*os.File }

func (p *pipes) open() (err error) {
	for _, pair := range []*[2]*os.File{&p.stdout, &p.stderr, &p.order, &p.report} {
		if pair[0], pair[1], err = os.Pipe(); err != nil {
			return err
		}
	}
	return nil
}

// closeChild closes the ends that the process has; a second time does nothing.
func (p *pipes) closeChild() {
	closeAll(p.stdout[1], p.stderr[1], p.order[0], p.report[1])
}

func (p *pipes) closeHost() {
	closeAll(p.stdout[0], p.stderr[0], p.order[1], p.report[0])
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close() // nil and closed files answer with an error, which is of no interest
	}
}

// Output runs cmd to its end and returns what it wrote to stdout, at most limit
// bytes. What it wrote to stderr goes to lines. It is killed after timeout.
func Output(ctx context.Context, cmd Command, timeout time.Duration, limit int64, lines func(string)) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	p, err := Start(ctx, cmd)
	if err != nil {
		return nil, err
	}
	defer p.Stderr.Close()
	defer p.Stdout.Close()
	defer p.Kill()
	stop := context.AfterFunc(ctx, p.Kill)
	defer stop()
	go Lines(p.Stderr, lines)
	out, err := io.ReadAll(io.LimitReader(p.Stdout, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the plugin's output: %w", err)
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("the plugin printed more than %d bytes", limit)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		<-p.done
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the plugin did not end: %w", context.Cause(ctx))
	}
	if !p.state.Success() {
		return nil, fmt.Errorf("the plugin ended with %s", p.End())
	}
	return out, nil
}
