package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// Confine gives up everything that spec does not grant and returns the level
// that was reached. It is meant for the trampoline: the caller has locked its
// goroutine to its thread, and executes the plugin from that thread next. exe is
// the descriptor that it will execute; the filter lets no other one be.
//
// After an error the process is partly confined and must exit.
func Confine(spec Spec, exe int) (Level, error) {
	able := abilities{}
	if spec.Dir != "" {
		if err := os.Chdir(spec.Dir); err != nil {
			return Bare, fmt.Errorf("enter the plugin's directory: %w", err)
		}
	}
	own, err := becomeUser(spec.UID, spec.GID)
	if err != nil {
		return Bare, err
	}
	able.ownUser = own

	// The kernel forgets it when the user changes, so not before.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return Bare, fmt.Errorf("ask to die with the host: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return Bare, fmt.Errorf("set no_new_privs: %w", err)
	}
	if able.landlock = landlockABI(); able.landlock > 0 {
		if err := guardFiles(spec, exe); err != nil {
			return Bare, fmt.Errorf("restrict by Landlock: %w", err)
		}
	}
	able.seccomp = haveSeccomp()
	if level := able.level(); level < spec.Require {
		return level, fmt.Errorf("the sandbox reaches level %s, %s is required", level, spec.Require)
	}
	// Late, because the trampoline itself, under the race detector, would not
	// live long within these limits.
	if err := limit(spec.Limits.orDefault(), own); err != nil {
		return Bare, err
	}
	if able.seccomp {
		if err := filterCalls(spec, exe); err != nil {
			return Bare, fmt.Errorf("filter system calls: %w", err)
		}
	}
	return able.level(), nil
}

// limit sets the resource limits. A hard limit below ours stays: it cannot be
// raised, and need not be.
func limit(l Limits, ownUser bool) error {
	type limit struct {
		name string
		what int
		max  uint64
	}
	limits := []limit{
		// A byte is less than any core, and unlike 0 it also holds where the
		// kernel pipes cores to a program (core(5)).
		{"core size", unix.RLIMIT_CORE, 1},
		{"open files", unix.RLIMIT_NOFILE, l.Files},
		{"data size", unix.RLIMIT_DATA, l.Memory},
		{"address space", unix.RLIMIT_AS, l.Space},
		{"file size", unix.RLIMIT_FSIZE, l.FileSize},
		{"locked memory", unix.RLIMIT_MEMLOCK, 0},
		{"message queues", unix.RLIMIT_MSGQUEUE, 0},
	}
	if ownUser { // otherwise it would count, and limit, what the host's user runs
		limits = append(limits, limit{"processes", unix.RLIMIT_NPROC, 1024})
	}
	for _, r := range limits {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(r.what, &now); err != nil {
			return fmt.Errorf("read the limit of %s: %w", r.name, err)
		}
		// package syscall, not unix: Go restores the soft limit of open files
		// that it raised at start unless it was set through syscall.
		want := syscall.Rlimit{Cur: min(r.max, now.Max), Max: min(r.max, now.Max)}
		if err := syscall.Setrlimit(r.what, &want); err != nil {
			return fmt.Errorf("limit %s: %w", r.name, err)
		}
	}
	return nil
}

// becomeUser gives up root for uid and gid and reports whether it did.
func becomeUser(uid, gid int) (bool, error) {
	if os.Geteuid() != 0 || uid <= 0 {
		return false, nil
	}
	if gid <= 0 {
		return false, errors.New("a user without a group was asked for")
	}
	if err := syscall.Setgroups(nil); err != nil {
		return false, fmt.Errorf("drop the supplementary groups: %w", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return false, fmt.Errorf("become group %d: %w", gid, err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return false, fmt.Errorf("become user %d: %w", uid, err)
	}
	return true, nil
}

// guardFiles restricts the file system, TCP ports and what may be signalled.
func guardFiles(spec Spec, exe int) error {
	// go-landlock downgrades by itself, but never below what a rule asks for:
	// only rights of the first version are named here.
	rules := []landlock.Rule{
		// When the executable is a sealed memfd Landlock lets it be: it is on no
		// mounted file system. A private copy on disk needs a rule.
		landlock.ROFiles(fmt.Sprintf("/proc/self/fd/%d", exe)).IgnoreIfMissing(),
	}
	if onMemory(exe) {
		rules = nil
	}
	if spec.Dir != "" {
		// By ".", because the plugin's user cannot walk to it by its path.
		rules = append(rules, landlock.PathAccess(dirRights, "."))
	}
	rules = append(rules, landlock.PathAccess(readFile|writeFile, os.DevNull).IgnoreIfMissing())
	files, dirs := split(spec.Read)
	if len(files) > 0 {
		rules = append(rules, landlock.PathAccess(readFile, files...).IgnoreIfMissing())
	}
	if len(dirs) > 0 {
		rules = append(rules, landlock.PathAccess(readFile|readDir, dirs...).IgnoreIfMissing())
	}
	config := landlock.V11
	if spec.Network && spec.AnyPort {
		config.HandledAccessNet &^= connectTCP | sendUDP
	} else if spec.Network {
		for _, p := range spec.Ports {
			rules = append(rules, landlock.ConnectTCP(p), landlock.ConnectSendUDP(p))
		}
	}
	if spec.Network {
		rules = append(rules, landlock.BindUDP(0))
	}
	return config.BestEffort().Restrict(rules...)
}

// Rights to the network that are let go (linux/landlock.h).
const (
	connectTCP landlock.AccessNetSet = 1 << 1
	sendUDP    landlock.AccessNetSet = 1 << 3
)

// The access rights of Landlock's first version that are given out
// (linux/landlock.h).
const (
	writeFile  landlock.AccessFSSet = 1 << 1
	readFile   landlock.AccessFSSet = 1 << 2
	readDir    landlock.AccessFSSet = 1 << 3
	removeFile landlock.AccessFSSet = 1 << 5
	makeReg    landlock.AccessFSSet = 1 << 8
	makeSock   landlock.AccessFSSet = 1 << 9

	// dirRights are what go-plugin needs to make its socket: a temporary file
	// for the name, removed, then a socket. No links, no directories.
	dirRights = writeFile | readFile | readDir | removeFile | makeReg | makeSock
)

// onMemory reports whether fd is a memfd.
func onMemory(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	return err == nil && st.Type == unix.TMPFS_MAGIC
}

// split tells files from directories and leaves out what is missing.
func split(paths []string) (files, dirs []string) {
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
		case info.IsDir():
			dirs = append(dirs, p)
		default:
			files = append(files, p)
		}
	}
	return files, dirs
}
