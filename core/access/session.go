package access

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/access/words"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// maxEnv is how many variables a client may set.
const maxEnv = 32

// A session is one channel of type "session": it is prepared, then started
// once as a shell, a command or a subsystem.
type session struct {
	*server
	number  uint32
	channel ssh.Channel

	env     []string
	tty     atomic.Pointer[ptyRequest]
	started bool
	done    chan struct{} // closed when what was started has ended

	mu      sync.Mutex
	control control // of what runs; nil before
	gone    bool    // the engineer closed the channel
}

// A control is how a running program is told things.
type control interface {
	resize(w windowChange)
	signal(name string) bool
	hangup()
}

// session serves one such channel until it is closed.
func (s *server) session(number uint32, n ssh.NewChannel) {
	channel, requests, err := n.Accept()
	if err != nil {
		return
	}
	x := &session{server: s, number: number, channel: channel, done: make(chan struct{})}
	defer channel.Close()
	s.screens.add(number, x)
	defer s.screens.remove(number)
	for r := range requests {
		ok := x.request(r)
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
	}
	// The engineer closed the channel. What still runs is told so, as by a
	// terminal that is unplugged.
	if !x.started {
		return
	}
	x.mu.Lock()
	x.gone = true
	x.mu.Unlock()
	x.tell(func(c control) { c.hangup() })
	<-x.done
}

func (x *session) request(r *ssh.Request) bool {
	switch r.Type {
	case "pty-req":
		p, ok := parsePTY(r.Payload)
		if !ok || x.started || x.tty.Load() != nil {
			return false
		}
		x.tty.Store(&p)
		return true
	case "env":
		return x.setenv(r.Payload)
	case "window-change":
		var w windowChange
		if ssh.Unmarshal(r.Payload, &w) == nil && x.tty.Load() != nil {
			x.tell(func(c control) { c.resize(w) })
		}
		return true
	case "signal":
		var m struct{ Name string }
		ok := false
		if ssh.Unmarshal(r.Payload, &m) == nil {
			x.tell(func(c control) { ok = c.signal(m.Name) })
		}
		return ok
	case "shell", "exec", "subsystem":
		var m struct{ Text string }
		if x.started || r.Type != "shell" && ssh.Unmarshal(r.Payload, &m) != nil {
			return false
		}
		x.started = true
		go func() {
			defer close(x.done)
			x.start(r.Type, m.Text)
		}()
		return true
	case "auth-agent-req@openssh.com":
		x.show(x.refused(x.number, "agent forwarding", nil, "does not exist here; this machine does not get to use your keys"))
	case "x11-req":
		x.show(x.refused(x.number, "X11 forwarding", nil, "does not exist here"))
	case "keepalive@openssh.com":
		return true
	}
	return false
}

// setenv takes the variables that sshd_config of Debian takes, and no other: a
// variable can be a program (LD_PRELOAD, BASH_ENV, GIT_SSH_COMMAND).
func (x *session) setenv(payload []byte) bool {
	var m struct{ Name, Value string }
	if ssh.Unmarshal(payload, &m) != nil || x.started || len(x.env) >= maxEnv || !plainWord(m.Value) {
		return false
	}
	category, isLC := strings.CutPrefix(m.Name, "LC_")
	if m.Name != "LANG" && m.Name != "TERM" && (!isLC || category == "" || strings.Trim(category, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "") {
		return false
	}
	x.env = append(x.env, m.Name+"="+m.Value)
	return true
}

func (x *session) tell(f func(control)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.control != nil {
		f(x.control)
	}
}

// start runs what was asked for and reports how it ended.
func (x *session) start(kind, text string) {
	e := x.run(kind, text)
	_ = x.ledger.note(record.Note{Channel: x.number, Kind: record.Exit, Status: e.status, Signal: e.signal, Text: e.text})
	_ = x.channel.CloseWrite()
	if e.signal != "" {
		_, _ = x.channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Name    string
			Core    bool
			Message string
			Lang    string
		}{e.signal, e.core, "", ""}))
	} else {
		_, _ = x.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(e.status)}))
	}
	_ = x.channel.Close()
}

// An ending is how something ended.
type ending struct {
	status int
	signal string
	core   bool
	text   string
}

// Exit codes of our own, as shells and sysexits have them.
const (
	statusRefused = 126
	statusFailed  = 255
)

func (x *session) run(kind, text string) ending {
	switch {
	case kind == "shell":
		d := x.decide(policy.AccessShell, policy.Facts{})
		if !d.Allowed {
			return x.no("shell", nil, d)
		}
		return x.program("")
	case kind == "exec":
		if text == "" || strings.ContainsRune(text, 0) {
			return x.failed(fmt.Errorf("the command is empty or has a zero byte"))
		}
		return x.command(text)
	case text == "sftp":
		return x.sftp()
	default:
		x.show(x.refused(x.number, "subsystem "+plain(text), nil, "does not exist here"))
		return ending{status: statusRefused, text: "refused"}
	}
}

// command runs a command line. What moves files is run without a shell, so
// that it is all that is run; what only looks like it is not run at all.
func (x *session) command(line string) ending {
	d := x.decide(policy.AccessCommand, policy.Facts{policy.Command: line})
	if !d.Allowed {
		return x.no("command", map[string]string{"command": line}, d)
	}
	if args, ok := words.Split(line); ok {
		if s, sink, paths, ok := parseSCP(args); ok {
			if err := x.announce(line); err != nil {
				return x.failed(err)
			}
			return x.scp(s, sink, paths)
		}
		if c, ok := parseRsync(args); ok {
			if err := x.announce(line); err != nil {
				return x.failed(err)
			}
			return x.rsync(c)
		}
	}
	if words.Transfer(line) {
		x.show(x.refused(x.number, "command", map[string]string{"command": line}, "a transfer of files must be all of the command, in the form in which scp and rsync send it"))
		return ending{status: statusRefused, text: "refused"}
	}
	return x.program(line)
}

// no tells a refusal of policy, to all who should know.
func (x *session) no(what string, facts map[string]string, d policy.Decision) ending {
	x.show(x.deny(x.number, what, facts, d))
	return ending{status: statusRefused, text: "refused"}
}

func (x *session) failed(err error) ending {
	x.show(err.Error())
	return ending{status: statusFailed, text: err.Error()}
}

// terminal reports whether a person looks at the channel.
func (x *session) terminal() bool { return x.tty.Load() != nil }

// show says a line of our own. It is recorded like any output.
func (x *session) show(line string) {
	var to io.Writer = x.channel.Stderr()
	before, after := "", "\n"
	if x.terminal() {
		to, before, after = x.channel, "\r\n", "\r\n"
	}
	_, _ = recorder{x.server, x.number, to}.Write([]byte(before + "latchstring: " + plain(line) + after))
}

// environment is what programs get: nothing of the agent's.
func (x *session) environment() []string {
	a := &x.account
	path := "/usr/local/bin:/usr/bin:/bin"
	if a.UID == 0 {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	env := []string{"USER=" + a.Name, "LOGNAME=" + a.Name, "HOME=" + a.Home, "SHELL=" + a.Shell, "PATH=" + path}
	if tz := os.Getenv("TZ"); tz != "" {
		env = append(env, "TZ="+tz)
	}
	env = append(env, x.env...)
	if tty := x.tty.Load(); tty != nil && tty.Term != "" {
		env = append(env, "TERM="+tty.Term)
	}
	return append(env, x.Env...)
}

// signals that a client may send, by the names of RFC 4254, 6.10.
var signals = map[string]unix.Signal{
	"ABRT": unix.SIGABRT, "ALRM": unix.SIGALRM, "FPE": unix.SIGFPE, "HUP": unix.SIGHUP, "ILL": unix.SIGILL, "INT": unix.SIGINT,
	"KILL": unix.SIGKILL, "PIPE": unix.SIGPIPE, "QUIT": unix.SIGQUIT, "SEGV": unix.SIGSEGV, "TERM": unix.SIGTERM,
	"USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2,
}

func signalName(s unix.Signal) string {
	for name, sig := range signals {
		if sig == s {
			return name
		}
	}
	return strings.TrimPrefix(unix.SignalName(s), "SIG")
}
