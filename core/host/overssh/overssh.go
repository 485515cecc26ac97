// Package overssh runs a command on another machine over stock ssh: with the
// user's configuration, keys, agent and known hosts, as if he had typed it.
//
// It lies below core/host because it starts a process. What is run there is
// told to ssh in one argument that holds no secret; secrets go over stdin.
// The far command may take the end of its stdin for the end of its caller:
// stdin stays open until the output was read, or the context is done.
package overssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Target is a command on another machine.
type Target struct {
	Destination string // [user@]host, an alias of ssh_config, or ssh://user@host:port
	Command     string // for the shell there
	Ask         bool   // ssh may ask the user on his terminal; without, it must not need to
}

// Error says how ssh, or the command there, ended.
type Error struct {
	Destination string
	ExitCode    int    // 255: ssh itself failed
	Stderr      string // the end of it, in one line
}

func (e *Error) Error() string {
	why := e.Stderr
	if why == "" {
		why = fmt.Sprintf("exit code %d", e.ExitCode)
	}
	if e.ExitCode == 255 {
		return "ssh " + e.Destination + ": " + why
	}
	return "on " + e.Destination + ": " + why
}

// Unreached tells whether ssh did not get there at all.
func (e *Error) Unreached() bool { return e.ExitCode == 255 }

const patience = 5 * time.Second

// passed are the variables of the environment that ssh works with.
var passed = []string{"HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY",
	"XAUTHORITY", "TERM", "LANG", "LC_ALL", "LC_CTYPE", "KRB5CCNAME", "XDG_RUNTIME_DIR", "GSSAPI_CCACHE", "SSH_SK_PROVIDER", "TZ"}

// Check refuses what ssh, or a shell that it starts for its ProxyCommand,
// could take for something else than a destination.
func Check(destination string) error {
	host := Host(destination)
	switch {
	case host == "", strings.HasPrefix(destination, "-"), strings.HasPrefix(host, "-"), len(destination) > 300:
		return fmt.Errorf("%.100q is no [user@]host", destination)
	}
	for _, r := range destination {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune("'\"`\\$&|;<>(){}*?!#,", r) {
			return fmt.Errorf("%.100q is no [user@]host", destination)
		}
	}
	return nil
}

// Host is the name of the machine in a destination.
func Host(destination string) string {
	d, isURL := strings.CutPrefix(destination, "ssh://")
	if i := strings.LastIndexByte(d, '@'); i >= 0 {
		d = d[i+1:]
	}
	if isURL {
		d, _, _ = strings.Cut(d, "/")
		if rest, ok := strings.CutPrefix(d, "["); ok {
			d, _, _ = strings.Cut(rest, "]")
		} else if i := strings.LastIndexByte(d, ':'); i >= 0 {
			d = d[:i]
		}
	}
	return d
}

// Run runs the command, writes input to its stdin, and lets read have its
// stdout. An error of read comes before those of ssh when ssh was content.
func Run(ctx context.Context, t Target, input []byte, read func(io.Reader) error) error {
	if err := Check(t.Destination); err != nil {
		return err
	}
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		return fmt.Errorf("ssh is not installed: %w", err)
	}
	args := []string{"-T", "-a", "-x", "-o", "ClearAllForwardings=yes", "-o", "ServerAliveInterval=15"}
	if !t.Ask {
		args = append(args, "-o", "BatchMode=yes")
	}
	cmd := exec.CommandContext(ctx, ssh, append(args, "--", t.Destination, t.Command)...)
	cmd.Env = environment()
	cmd.WaitDelay = patience
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	var stderr tail
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("ssh: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("ssh: %w", err)
	}
	// The kernel ends ssh with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("ssh: %w", err)
	}
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		stdin.Write(input) // its failure shows in how ssh ends
	}()
	rerr := read(stdout)
	if rerr != nil {
		// It has a moment to end by itself, and to say why.
		timer := time.AfterFunc(patience, func() { cmd.Process.Signal(syscall.SIGTERM) })
		defer timer.Stop()
	}
	select {
	case <-wrote:
	case <-ctx.Done():
	}
	stdin.Close()
	io.Copy(io.Discard, stdout)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit) && (rerr == nil || exit.ExitCode() > 0):
		return &Error{t.Destination, exit.ExitCode(), stderr.line()}
	case rerr != nil:
		return rerr
	case err != nil:
		return fmt.Errorf("ssh: %w", err)
	}
	return nil
}

func environment() []string {
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	for _, k := range passed {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b = append(t.b, p...); len(t.b) > maxTail {
		t.b = append(t.b[:0], t.b[len(t.b)-maxTail:]...)
	}
	return len(p), nil
}

// line is the last line that says something, without what steers terminals.
func (t *tail) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.b), []byte("\n"))
	if len(lines) > 2 {
		lines = lines[len(lines)-2:]
	}
	s := strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(bytes.Join(lines, []byte(" "))), "?"))
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[len(s)-500:], "")
	}
	return strings.TrimSpace(s)
}
