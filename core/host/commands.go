package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/internal/handoff"
)

// How commands are run for collectors.
const (
	maxRuns      = 16      // at once
	maxEnded     = 64      // ended, and not waited for
	maxRunOutput = 1 << 30 // bytes
	maxStderr    = 4 << 10
	outputGrace  = 2 * time.Second // for what a child of the command still writes
	exitUnknown  = -1
)

// searchPath is where a command without a directory is looked for.
var searchPath = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// commandEnv is the whole environment of a command.
var commandEnv = []string{
	"PATH=" + strings.Join(searchPath, ":"), "LC_ALL=C", "LANG=C", "HOME=/", "TERM=dumb",
	"PAGER=cat", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0",
}

// running is a command that was started.
type running struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu       sync.Mutex
	reaped   bool
	timedOut bool
	cut      bool
	stderr   tail
}

// Run starts a command.
func (b *broker) Run(ctx context.Context, req handoff.RunRequest) (*os.File, handoff.RunReply, error) {
	var rep handoff.RunReply
	line := strings.Join(req.Argv, " ")
	if len(req.Argv) == 0 || !b.needs.Command(req.Argv) {
		return nil, rep, b.refuse("run", line, "the plugin has not declared that it needs it")
	}
	program, err := lookCommand(req.Argv[0])
	if err != nil {
		return nil, rep, err
	}
	d := b.host.opt.Policy.Decide(policy.HostRun, policy.Facts{
		policy.Plugin: b.id, policy.Command: strings.Join(append([]string{program}, req.Argv[1:]...), " "),
	})
	if err := d.Err(); err != nil {
		b.note("run", line, err.Error())
		return nil, rep, &handoff.RemoteError{Code: handoff.CodeDenied, Message: err.Error()}
	}
	if err := safeProgram(program); err != nil {
		return nil, rep, b.refuse("run", line, err.Error())
	}
	timeout := b.host.opt.Timeouts.Command
	if req.Timeout > 0 {
		timeout = min(timeout, req.Timeout)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, rep, ErrClosed
	}
	if b.countRuns() >= maxRuns {
		return nil, rep, fmt.Errorf("run %s: %d commands run already; wait for one", clip(line), maxRuns)
	}
	r, out, err := startCommand(program, req.Argv, timeout)
	if err != nil {
		return nil, rep, err
	}
	b.last++
	b.runs[b.last] = r
	rep.Run = b.last
	return out, rep, nil
}

// countRuns counts the commands that run, and forgets ended ones for which the
// plugin does not seem to ask any more; b.mu is held.
func (b *broker) countRuns() int {
	n := 0
	for id, r := range b.runs {
		select {
		case <-r.done:
			if len(b.runs) > maxEnded {
				delete(b.runs, id)
			}
		default:
			n++
		}
	}
	return n
}

// Wait waits for the end of a command and forgets it.
func (b *broker) Wait(ctx context.Context, req handoff.WaitRequest) (handoff.WaitReply, error) {
	r, err := b.find(req.Run)
	if err != nil {
		return handoff.WaitReply{}, err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return handoff.WaitReply{}, context.Cause(ctx)
	}
	b.mu.Lock()
	delete(b.runs, req.Run)
	b.mu.Unlock()
	return r.reply(), nil
}

// Stop kills a command.
func (b *broker) Stop(ctx context.Context, req handoff.StopRequest) error {
	r, err := b.find(req.Run)
	if err != nil {
		return nil // it has ended
	}
	r.kill(false)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.runs, req.Run)
	return nil
}

func (b *broker) find(run uint64) (*running, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.runs[run]
	if !ok {
		return nil, fmt.Errorf("no command %d is running", run)
	}
	return r, nil
}

// close ends every command, with the plugin that asked for it.
func (b *broker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, r := range b.runs {
		r.kill(false)
	}
}

// lookCommand finds a program: a name in the fixed search path, or an absolute
// path as it is.
func lookCommand(name string) (string, error) {
	missing := &fs.PathError{Op: "run", Path: name, Err: fs.ErrNotExist}
	if filepath.IsAbs(name) {
		if filepath.Clean(name) != name || !executable(name) {
			return "", missing
		}
		return name, nil
	}
	if name == "" || strings.ContainsRune(name, '/') {
		return "", missing
	}
	for _, dir := range searchPath {
		if p := filepath.Join(dir, name); executable(p) {
			return p, nil
		}
	}
	return "", missing
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// safeProgram checks that nobody but root and the user of this host can have
// written what is about to be run with its rights.
func safeProgram(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, p := range []string{real, filepath.Dir(real)} {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid() {
			return fmt.Errorf("%s does not belong to root", p)
		}
		// Directories of a group, such as Debian's /usr/local/bin, are its
		// administrator's choice; files are not.
		if mode := info.Mode().Perm(); mode&0o002 != 0 || mode&0o020 != 0 && !info.IsDir() {
			return fmt.Errorf("%s can be written by others (mode %04o)", p, mode)
		}
	}
	return nil
}

// startCommand starts a program in a process group of its own and returns the
// pipe from its stdout.
func startCommand(program string, argv []string, timeout time.Duration) (*running, *os.File, error) {
	fail := func(err error) (*running, *os.File, error) {
		return nil, nil, fmt.Errorf("run %s: %w", program, err)
	}
	outR, outW, err := os.Pipe() // the command's
	if err != nil {
		return fail(err)
	}
	defer outW.Close()
	planR, planW, err := os.Pipe() // the plugin's
	if err != nil {
		outR.Close()
		return fail(err)
	}
	r := &running{done: make(chan struct{})}
	r.cmd = &exec.Cmd{
		Path: program, Args: argv, Env: commandEnv, Dir: "/", Stdout: outW, Stderr: &r.stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		WaitDelay:   outputGrace, // for a child that keeps stderr open
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig is about the thread, not the process
		defer runtime.UnlockOSThread()
		err := r.cmd.Start()
		started <- err
		if err == nil {
			r.reap(timeout)
		}
	}()
	if err := <-started; err != nil {
		outR.Close()
		planR.Close()
		planW.Close()
		return fail(err)
	}
	go r.pump(outR, planW)
	return r, planR, nil
}

// reap waits for the command, ends it when its time is over, and ends what it
// left in its group.
func (r *running) reap(timeout time.Duration) {
	timer := time.AfterFunc(timeout, func() { r.kill(true) })
	pid := r.cmd.Process.Pid
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	timer.Stop()
	unix.Kill(-pid, unix.SIGKILL)
	r.mu.Lock()
	r.reaped = true
	r.mu.Unlock()
	r.cmd.Wait()
	close(r.done)
}

// kill ends the command and its group.
func (r *running) kill(timedOut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reaped {
		return
	}
	r.timedOut = r.timedOut || timedOut
	unix.Kill(-r.cmd.Process.Pid, unix.SIGKILL)
}

// pump copies the command's output to the plugin's pipe, up to the limit, and
// for a moment longer than the command lives: a child may hold the other end.
func (r *running) pump(from, to *os.File) {
	defer to.Close()
	defer from.Close()
	go func() {
		<-r.done
		from.SetReadDeadline(time.Now().Add(outputGrace)) // wakes a read that waits
	}()
	buf := make([]byte, 64<<10)
	for total := 0; ; {
		over := false
		select {
		case <-r.done: // the deadline of the goroutine may have passed while the reader was slow
			over = true
			from.SetReadDeadline(time.Now().Add(outputGrace))
		default:
		}
		n, err := from.Read(buf[:min(len(buf), maxRunOutput-total)])
		if total += n; n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil { // nobody reads
				r.kill(false)
				return
			}
		}
		switch {
		case total == maxRunOutput:
			r.mu.Lock()
			r.cut = true
			r.mu.Unlock()
			r.kill(false)
			return
		case errors.Is(err, os.ErrDeadlineExceeded) && !over:
		case err != nil:
			return
		}
	}
}

// reply says how the command ended.
func (r *running) reply() handoff.WaitReply {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := handoff.WaitReply{TimedOut: r.timedOut, Stderr: r.stderr.String(), ExitCode: exitUnknown}
	if ws, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		rep.ExitCode = ws.ExitStatus()
		if ws.Signaled() {
			rep.ExitCode = 128 + int(ws.Signal())
		}
	}
	if r.cut {
		rep.Stderr += fmt.Sprintf(" (its output was cut at %d bytes)", int64(maxRunOutput))
	}
	return rep
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if over := len(t.data) - maxStderr; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(p), nil
}

// String is the end, cleaned.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return launch.Clean(string(t.data))
}
