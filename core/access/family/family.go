package family

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	spare   process   // the agent, in its guardian
}

// New prepares a family. It ends with [Family.End].
func New(session, connection string) (*Family, error) {
	f := &Family{session: session, connection: connection, work: make(chan func())}
	ready := make(chan error)
	onThread(func() { f.thread(ready) })
	if err := <-ready; err != nil {
		return nil, err
	}
	f.group = newGroup(groupName(session, connection))
	if err := guard(f); err != nil {
		close(f.work)
		f.group.close()
		return nil, err
	}
	born(f)
	return f, nil
}

// thread is the one that forks. It is marked, so its children are; and it
// lives as long as the family, for their death signal is about the thread, not
// the process.
func (f *Family) thread(ready chan<- error) {
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
	for _, p := range snapshot() {
		if p.pid == pid {
			f.adopted = append(f.adopted, p)
		}
	}
	f.mu.Unlock()
	f.group.add(pid)
	guardAdopted(f)
}

// Members lists the processes that are alive now.
func (f *Family) Members() []int { return numbers(f.members()) }

func (f *Family) members() []process {
	all, in := snapshot(), map[int]bool{}
	for _, pid := range f.group.members() {
		in[pid] = true
	}
	f.mu.Lock()
	adopted := slices.Clone(f.adopted)
	f.mu.Unlock()
	for _, p := range all {
		if p.pid == os.Getpid() || f.spare.same(p) {
			continue
		}
		session, connection, locale := p.variables()
		if f.mark.on(p) || session == f.session && connection == f.connection || locale == f.session+"/"+f.connection ||
			slices.ContainsFunc(adopted, p.same) {
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
		unguard(f)
	}()
	return end(f.members, f.group.kill, grace)
}

// end is the way to end whatever members lists.
func end(members func() []process, killAll func(), grace time.Duration) []int {
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
	stopped := map[process]bool{}
	for range 100 {
		fresh := 0
		for _, p := range members() {
			if !stopped[p] {
				stopped[p] = true
				fresh++
				signal(p, unix.SIGSTOP)
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
			return numbers(left)
		}
		signalAll(left, unix.SIGKILL)
	}
}

func signalAll(all []process, sig unix.Signal) {
	for _, p := range all {
		signal(p, sig)
	}
}

// signal goes through a descriptor, and only when the number still is that of
// the process which was seen: by then it may be somebody else's. What is no
// number of one process (0 is our own group, -1 is everybody) is never used.
func signal(p process, sig unix.Signal) {
	if p.pid <= 1 {
		return
	}
	fd, err := unix.PidfdOpen(p.pid, 0)
	switch {
	case err == nil:
		defer unix.Close(fd)
		if now, ok := look(p.pid); ok && now.same(p) {
			_ = unix.PidfdSendSignal(fd, sig, nil, 0)
		}
	case errors.Is(err, unix.ENOSYS): // before Linux 5.3
		if now, ok := look(p.pid); ok && now.same(p) {
			_ = unix.Kill(p.pid, sig)
		}
	}
}

func numbers(all []process) (pids []int) {
	for _, p := range all {
		pids = append(pids, p.pid)
	}
	return pids
}

// String names the family for errors.
func (f *Family) String() string { return fmt.Sprintf("processes of %s", f.connection) }
