package family

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guardianName is argv[0] of a guardian.
const guardianName = "latchstring-guardian"

// again is how long a guardian that somebody killed stays away.
const again = 50 * time.Millisecond

// guardable says that Main was called, so that this program may be executed
// again as a guardian.
var guardable atomic.Bool

// Main turns the process into a guardian when it was started as one, and returns
// at once when it was not. A program that serves connections calls it first thing
// in main; where it is not called there is no guardian.
func Main() {
	if len(os.Args) != 1 || os.Args[0] != guardianName {
		guardable.Store(true)
		return
	}
	os.Exit(guardian())
}

// A word is what the agent tells the guardian, one message each.
type word struct {
	Session, Connection string
	Token, Group        string
	Adopted             []adopted `json:",omitempty"`
	Ended               bool      `json:",omitempty"` // it needs no guarding any more
}

type adopted struct {
	PID     int
	Started string
}

// A watch is the guardian of this process as its agent sees it. It lives as long
// as there are families.
type watch struct {
	socket *os.File
	cmd    *exec.Cmd
}

var watching struct {
	sync.Mutex
	now      *watch
	families []*Family
}

// guard tells the guardian of f, before f has a process. It starts one if there
// is none.
func guard(f *Family) error {
	if !guardable.Load() {
		return nil
	}
	watching.Lock()
	defer watching.Unlock()
	watching.families = append(watching.families, f)
	err := tell(f.word(false), f.mark.namespace)
	if err != nil {
		watching.families = watching.families[:len(watching.families)-1]
		return fmt.Errorf("the guardian that ends what an engineer started when this process is killed: %w", err)
	}
	return nil
}

// guardAdopted tells the guardian whom f has taken in.
func guardAdopted(f *Family) {
	watching.Lock()
	defer watching.Unlock()
	if slices.Contains(watching.families, f) {
		_ = tell(f.word(false), nil)
	}
}

// unguard is called when no process of f is left.
func unguard(f *Family) {
	watching.Lock()
	defer watching.Unlock()
	if !slices.Contains(watching.families, f) {
		return
	}
	watching.families = slices.DeleteFunc(watching.families, func(x *Family) bool { return x == f })
	if w := watching.now; w != nil {
		_ = w.send(f.word(true), nil, 0)
		if len(watching.families) == 0 {
			w.socket.Close() // it has nobody left, and goes
			watching.now = nil
		}
	}
}

func (f *Family) word(ended bool) word {
	w := word{Session: f.session, Connection: f.connection, Token: f.mark.name, Ended: ended}
	if f.group != nil {
		w.Group = f.group.path
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.adopted {
		w.Adopted = append(w.Adopted, adopted{p.pid, p.started})
	}
	return w
}

// tell is called under the lock.
func tell(w word, namespace *os.File) error {
	if watching.now != nil && watching.now.send(w, namespace, 0) == nil {
		return nil
	}
	return renew()
}

// renew starts a guardian and tells it of every family. It is called under the
// lock.
func renew() error {
	if old := watching.now; old != nil { // dead, or it does not listen
		watching.now = nil
		old.socket.Close()
		_ = old.cmd.Process.Kill()
	}
	w, err := startGuardian(watching.families)
	if err != nil {
		return err
	}
	watching.now = w
	go w.wait()
	return nil
}

// startGuardian executes this program once more. The guardian gets a socket, in
// which it finds all families, and a descriptor of this process by which it sees
// it end.
func startGuardian(families []*Family) (*watch, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, its := os.NewFile(uintptr(fds[0]), "guardian"), os.NewFile(uintptr(fds[1]), "guardian")
	defer its.Close()
	// One that does not read, because somebody stopped it, is replaced.
	_ = unix.SetsockoptTimeval(fds[0], unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 1})
	self := its // on a kernel without such descriptors the socket says it alone
	if fd, err := unix.PidfdOpen(os.Getpid(), 0); err == nil {
		self = os.NewFile(uintptr(fd), "agent")
		defer self.Close()
	}
	w := &watch{socket: ours, cmd: &exec.Cmd{
		Path:        "/proc/self/exe", // also when the file has been replaced by an upgrade
		Args:        []string{guardianName},
		Env:         []string{"GOMAXPROCS=1"},
		Dir:         "/",
		Stdin:       its,
		ExtraFiles:  []*os.File{self},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // a signal to our group or from our terminal is not for it
	}}
	// What fits is said before it is there, so that it knows from its first moment.
	for len(families) > 0 && w.send(families[0].word(false), families[0].mark.namespace, unix.MSG_DONTWAIT) == nil {
		families = families[1:]
	}
	if err := w.cmd.Start(); err != nil {
		ours.Close()
		return nil, err
	}
	for _, f := range families {
		if err := w.send(f.word(false), f.mark.namespace, 0); err != nil {
			ours.Close()
			_ = w.cmd.Process.Kill()
			_ = w.cmd.Wait()
			return nil, err
		}
	}
	return w, nil
}

// wait replaces a guardian that somebody killed.
func (w *watch) wait() {
	_ = w.cmd.Wait()
	watching.Lock()
	current := watching.now == w
	watching.Unlock()
	if !current {
		return
	}
	time.Sleep(again)
	watching.Lock()
	defer watching.Unlock()
	if watching.now == w {
		_ = renew() // else with the next family
	}
}

// send passes one message, and a descriptor that keeps the number of the
// namespace from being given to another.
func (w *watch) send(m word, namespace *os.File, flags int) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var rights []byte
	if namespace != nil {
		rights = unix.UnixRights(int(namespace.Fd()))
	}
	for {
		err := unix.Sendmsg(int(w.socket.Fd()), b, rights, nil, unix.MSG_NOSIGNAL|flags)
		if err != unix.EINTR {
			return err
		}
	}
}
