package files

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/access/account"
)

// A Tree is the file system as one user sees it. Its methods may be called from
// many goroutines; one at a time is served.
type Tree struct {
	judge Judge
	work  chan func()
	quit  chan struct{}
}

// A Judge allows or refuses by the path where a file really lies.
type Judge struct {
	Upload   func(path string) error // to make it, write it or change anything about it
	Download func(path string) error // to read it
}

// ErrClosed is what methods return after Close.
var ErrClosed = errors.New("the file access of this connection has ended")

// New starts the thread that acts as the user.
func New(a account.Account, j Judge) (*Tree, error) {
	if err := a.Reachable(); err != nil {
		return nil, err
	}
	t := &Tree{judge: j, work: make(chan func()), quit: make(chan struct{})}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := become(a)
		ready <- err
		if err != nil {
			return
		}
		for {
			select {
			case job := <-t.work:
				job()
			case <-t.quit:
				return
			}
		}
	}()
	if err := <-ready; err != nil {
		return nil, err
	}
	return t, nil
}

// Close ends the thread. Files that were opened stay open.
func (t *Tree) Close() { close(t.quit) }

// as runs f as the user.
func (t *Tree) as(f func() error) error {
	done := make(chan error, 1)
	select {
	case t.work <- func() { done <- f() }:
		return <-done
	case <-t.quit:
		return ErrClosed
	}
}

// become gives the calling thread the identity of a. The calls of package
// syscall would change all threads, so the kernel is called directly.
func become(a account.Account) error {
	if unix.Unshare(unix.CLONE_FS) == nil { // an own umask and working directory
		unix.Umask(0o022)
	}
	if os.Geteuid() != 0 || a.UID == 0 {
		return nil
	}
	groups := a.Groups
	if len(groups) == 0 {
		groups = []uint32{a.GID}
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0); e != 0 {
		return fmt.Errorf("taking the groups of %s: %w", a.Name, e)
	}
	unix.RawSyscall(unix.SYS_SETFSGID, uintptr(a.GID), 0, 0)
	unix.RawSyscall(unix.SYS_SETFSUID, uintptr(a.UID), 0, 0)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	none := [2]unix.CapUserData{}
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("giving up capabilities: %w", err)
	}
	// These two calls return what was before and no error: an id that cannot be
	// makes no change, so it tells what is.
	uid, _, _ := unix.RawSyscall(unix.SYS_SETFSUID, ^uintptr(0), 0, 0)
	gid, _, _ := unix.RawSyscall(unix.SYS_SETFSGID, ^uintptr(0), 0, 0)
	if uint32(uid) != a.UID || uint32(gid) != a.GID {
		return fmt.Errorf("cannot act on files as user %s (uid %d): the kernel has uid %d", a.Name, a.UID, uint32(uid))
	}
	return nil
}
