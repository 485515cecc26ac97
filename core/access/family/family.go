package family

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Variables that every member has in its environment.
const (
	SessionVar    = "LATCHSTRING_SESSION"
	ConnectionVar = "LATCHSTRING_CONNECTION"
	LocaleVar     = "LC_LATCHSTRING" // session/connection, under a name that sshd lets in
)

// ErrEnded is what Start returns once End was called.
var ErrEnded = errors.New("the connection is ending: no process is started")

// Family is the processes of one connection. Its methods may be called from
// many goroutines.
type Family struct {
	session, connection string
	mark                mark
	group               *group // nil without cgroup v2
	work                chan func()

	mu      sync.Mutex
	ended   bool
	adopted []process // that somebody else started for us
}

// New prepares a family. It ends with [Family.End].
func New(session, connection string) (*Family, error) {
	f := &Family{session: session, connection: connection, work: make(chan func())}
	ready := make(chan error)
	go f.thread(ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	f.group = newGroup(groupName(session, connection))
	born(f)
	return f, nil
}

// thread is the one that forks. It is marked, so its children are; and it
// lives as long as the family, for their death signal is about the thread, not
// the process. It ends with the goroutine, which stays locked to it.
func (f *Family) thread(ready chan<- error) {
	runtime.LockOSThread()
	// An own umask: the agent's is for its own files.
	if unix.Unshare(unix.CLONE_FS) == nil {
		unix.Umask(0o022)
	}
	f.mark = newMark(f.session, f.connection)
	ready <- nil
	for job := range f.work {
		job()
	}
	f.mark.close()
}

// Start starts cmd as a member, in a session and process group of its own.
// The caller waits for it as usual.
func (f *Family) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	a := cmd.SysProcAttr
	a.Setsid = true
	a.Pdeathsig = syscall.SIGKILL
	cmd.Env = append(cmd.Env, SessionVar+"="+f.session, ConnectionVar+"="+f.connection)

	f.mu.Lock()
	defer f.mu.Unlock() // End sees every process that was started
	if f.ended {
		return ErrEnded
	}
	done := make(chan error)
	f.work <- func() { done <- f.fork(cmd) }
	return <-done
}

func (f *Family) fork(cmd *exec.Cmd) error {
	if f.mark.token != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, f.mark.token)
	}
	if f.group == nil {
		return cmd.Start()
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(f.group.dir.Fd())
	return cmd.Start()
}

// Adopt takes in a process that a service of the machine started for this
// connection, with all that it will start.
func (f *Family) Adopt(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range snapshot() {
		if p.pid == pid {
			f.adopted = append(f.adopted, p)
		}
	}
	if f.group != nil {
		f.group.add(pid)
	}
}

// Members lists the processes that are alive now.
func (f *Family) Members() []int { return f.members(snapshot()) }

func (f *Family) members(all []process) []int {
	in := map[int]bool{}
	for _, pid := range f.group.members() {
		in[pid] = true
	}
	f.mu.Lock()
	adopted := slices.Clone(f.adopted)
	f.mu.Unlock()
	for _, p := range all {
		if p.pid == os.Getpid() {
			continue
		}
		session, connection, locale := p.variables()
		if f.mark.on(p) || session == f.session && connection == f.connection || locale == f.session+"/"+f.connection ||
			slices.ContainsFunc(adopted, func(a process) bool { return a.pid == p.pid && a.started == p.started }) {
			in[p.pid] = true
		}
	}
	return withDescendants(in, all)
}

// End ends every member: SIGHUP, then after the grace SIGKILL, and at the
// latest a second later it returns those that are still there: none, unless
// the kernel does not let go of a process (a hanging disk).
func (f *Family) End(grace time.Duration) (left []int) {
	f.mu.Lock()
	if f.ended {
		f.mu.Unlock()
		return nil
	}
	f.ended = true
	f.mu.Unlock()
	defer func() {
		died(f)
		close(f.work)
		f.group.close()
	}()
	return end(f.Members, f.group.kill, grace)
}

// end is the way to end whatever members lists.
func end(members func() []int, killAll func(), grace time.Duration) []int {
	signalAll(members(), unix.SIGHUP)
	signalAll(members(), unix.SIGCONT) // a stopped process takes its SIGHUP when it goes on
	// A process that is just executing a program has for a moment no environment
	// to read: none is left when none is seen for a while.
	const quiet = 3
	none := 0
	for until := time.Now().Add(grace); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if none++; len(members()) > 0 {
			none = 0
		}
		if none == quiet {
			return nil
		}
	}
	killAll()
	// Without a cgroup a fork bomb could outrun the killing; stopped, it cannot.
	stopped := map[int]bool{}
	for range 100 {
		fresh := 0
		for _, pid := range members() {
			if !stopped[pid] {
				stopped[pid] = true
				fresh++
				signal(pid, unix.SIGSTOP)
			}
		}
		if fresh == 0 {
			break
		}
	}
	none = 0
	for until := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) {
		left := members()
		if none++; len(left) > 0 {
			none = 0
		}
		if none == quiet || time.Now().After(until) {
			return left
		}
		signalAll(left, unix.SIGKILL)
	}
}

func signalAll(pids []int, sig unix.Signal) {
	for _, pid := range pids {
		signal(pid, sig)
	}
}

// signal goes through a descriptor, so that a number that was given to another
// process in between is at least not held for long.
func signal(pid int, sig unix.Signal) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		if !errors.Is(err, unix.ESRCH) {
			_ = unix.Kill(pid, sig)
		}
		return
	}
	defer unix.Close(fd)
	_ = unix.PidfdSendSignal(fd, sig, nil, 0)
}

// String names the family for errors.
func (f *Family) String() string { return fmt.Sprintf("processes of %s", f.connection) }
