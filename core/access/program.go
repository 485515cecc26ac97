package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/record"
)

// pipeSize is what the kernel is asked to hold between a program and us.
const pipeSize = 1 << 20

// drainTime is how long a terminal is still read after its shell ended, for
// output that is on its way. A program in the background may keep it open.
const drainTime = 100 * time.Millisecond

// program runs a command line in the user's login shell, or that shell itself
// if there is none. It is allowed already.
func (x *session) program(line string) ending {
	if err := x.announce(line); err != nil {
		return x.failed(err)
	}
	tty := x.tty.Load()
	if tty != nil {
		cols, rows := sane(tty.Cols, tty.Rows)
		if err := x.ledger.resize(x.number, cols, rows); err != nil {
			return ending{status: statusFailed, text: err.Error()}
		}
	}
	switch {
	case x.Backend == OpenSSH:
		return x.viaSSHD(line)
	case tty != nil:
		return x.inTerminal(line, *tty)
	}
	return x.inPipes(x.shellCommand(line), nil)
}

// announce writes down what is about to run.
func (x *session) announce(line string) error {
	n, t, detail := record.Note{Channel: x.number, Kind: record.Shell}, audit.AccessShell, map[string]string{}
	if line != "" {
		n.Kind, n.Command, t = record.Command, line, audit.AccessCommand
		detail["command"] = line
	}
	return errors.Join(x.ledger.audit(t, detail), x.ledger.note(n))
}

// shellCommand is the login shell with a command line, or as a login shell.
func (x *session) shellCommand(line string) *exec.Cmd {
	shell := x.account.Shell
	cmd := &exec.Cmd{Path: shell, Args: []string{filepath.Base(shell), "-c", line}}
	if line == "" {
		cmd.Args = []string{"-" + filepath.Base(shell)}
	}
	return x.prepare(cmd)
}

// prepare gives cmd the user's identity, environment and home.
func (x *session) prepare(cmd *exec.Cmd) *exec.Cmd {
	a := &x.account
	cmd.Env = x.environment()
	cmd.Dir = "/"
	if t, err := x.files.own(); err == nil {
		if _, err := t.Stat(strings.TrimRight(a.Home, "/")+"/.", true); err == nil { // it is there and may be entered
			cmd.Dir = a.Home
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.UID, Gid: a.GID, Groups: a.Groups}
	}
	return cmd
}

// inTerminal runs line on a pseudo terminal.
func (x *session) inTerminal(line string, tty ptyRequest) ending {
	master, slave, err := x.openTerminal(tty)
	if err != nil {
		return x.failed(fmt.Errorf("no terminal: %w", err))
	}
	cmd := x.shellCommand(line)
	cmd.Env = append(cmd.Env, "SSH_TTY="+slave.Name())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr.Setctty = true
	err = x.family.Start(cmd)
	slave.Close()
	if err != nil {
		master.Close()
		return x.failed(err)
	}
	p := &running{pid: cmd.Process.Pid, master: master, session: x}
	x.under(p)

	go func() { _, _ = copyBytes(master, x.channel) }() // ends with the channel or the terminal
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		if _, err := copyBytes(recorder{x.server, x.number, x.channel}, master); err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, os.ErrDeadlineExceeded) {
			p.hangup() // nobody sees it any more
		}
	}()
	e := x.wait(cmd, p)
	_ = master.SetReadDeadline(time.Now().Add(drainTime))
	<-shown
	x.under(nil)
	master.Close()
	return e
}

// inPipes runs cmd without a terminal. With logs it is a program that moves
// files: its output is their bytes, which are not recorded. logs is the program's
// end of a pipe, which is closed once it has it.
func (x *session) inPipes(cmd *exec.Cmd, logs *os.File) ending {
	if logs != nil {
		defer logs.Close()
	}
	in, err := x.pipe()
	if err != nil {
		return x.failed(err)
	}
	out, err := x.pipe()
	if err != nil {
		return x.failed(errors.Join(err, in.close()))
	}
	errs, err := x.pipe()
	if err != nil {
		return x.failed(errors.Join(err, in.close(), out.close()))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in.r, out.w, errs.w
	err = x.family.Start(cmd)
	in.r.Close()
	out.w.Close()
	errs.w.Close()
	var to io.Writer = recorder{x.server, x.number, x.channel}
	if logs != nil {
		logs.Close()
		to = x.channel
	}
	if err != nil {
		in.w.Close()
		out.r.Close()
		errs.r.Close()
		return x.failed(err)
	}
	p := &running{pid: cmd.Process.Pid, session: x, closers: []io.Closer{in.w, out.r, errs.r}}
	x.under(p)
	input := &measure{hash: sha256.New()}
	go func() {
		_, _ = copyBytes(io.MultiWriter(in.w, input), x.channel)
		in.w.Close()
	}()
	var shown sync.WaitGroup
	shown.Go(func() { x.pump(to, out.r) })
	shown.Go(func() { x.pump(recorder{x.server, x.number, x.channel.Stderr()}, errs.r) })
	e := x.wait(cmd, p)
	shown.Wait() // a program in the background that keeps the pipe is waited for, as sshd does
	x.under(nil)
	in.w.Close()
	e.text = input.String()
	return e
}

// pump shows what a program writes. A program whose output nobody takes any
// more gets SIGPIPE.
func (x *session) pump(to io.Writer, from *os.File) {
	_, _ = copyBytes(to, from)
	from.Close()
}

func (x *session) wait(cmd *exec.Cmd, p *running) ending {
	// The number of the process is its own until it is waited for: no signal
	// must be sent to it after that.
	for unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	_ = cmd.Wait()
	st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && st.Signaled():
		return ending{signal: signalName(st.Signal()), core: st.CoreDump()}
	case ok:
		return ending{status: st.ExitStatus()}
	}
	return ending{status: statusFailed}
}

// under makes p what resizes, signals and hang-ups go to.
func (x *session) under(p control) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.control = p
	if p != nil && x.gone {
		p.hangup()
	}
}

// A pipe whose ends the user may open again by name, as in `echo > /dev/stderr`.
type pipe struct{ r, w *os.File }

func (x *session) pipe() (p pipe, err error) {
	if p.r, p.w, err = os.Pipe(); err != nil {
		return p, fmt.Errorf("no pipe: %w", err)
	}
	if os.Geteuid() == 0 {
		_ = p.r.Chown(int(x.account.UID), int(x.account.GID))
	}
	if c, err := p.w.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
	return p, nil
}

func (p pipe) close() error { return errors.Join(p.r.Close(), p.w.Close()) }

// running is a program that can be told things.
type running struct {
	pid     int
	master  *os.File // nil without a terminal
	session *session
	closers []io.Closer

	mu   sync.Mutex
	over bool // waited for: its number may be somebody else's
}

func (p *running) resize(w windowChange) {
	if p.master == nil {
		return
	}
	cols, rows := sane(w.Cols, w.Rows)
	if p.session.ledger.resize(p.session.number, cols, rows) == nil {
		setSize(p.master, cols, rows, w.Width, w.Height)
	}
}

func (p *running) signal(name string) bool {
	sig, ok := signals[strings.TrimPrefix(name, "SIG")]
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ok || p.over {
		return false
	}
	return unix.Kill(-p.pid, sig) == nil // the group: the shell and what it waits for
}

// hangup is what a terminal does that is unplugged.
func (p *running) hangup() {
	p.signal("HUP")
	if p.master != nil {
		_ = p.master.SetDeadline(time.Now())
	}
	for _, c := range p.closers {
		_ = c.Close()
	}
}

// measure takes the size and hash of input. The hash of short input is not
// told: it may be a password, and could be found by trying.
type measure struct {
	mu   sync.Mutex
	n    int64
	hash hash.Hash
}

const tellHashFrom = 4 << 10

func (m *measure) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n += int64(len(p))
	return m.hash.Write(p)
}

func (m *measure) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.n == 0:
		return ""
	case m.n < tellHashFrom:
		return fmt.Sprintf("input: %d bytes", m.n)
	}
	return fmt.Sprintf("input: %d bytes, sha256 %s", m.n, hex.EncodeToString(m.hash.Sum(nil)))
}
