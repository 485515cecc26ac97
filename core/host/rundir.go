package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// runDir is the private directory of one host below the run directory, where
// its plugins have theirs. It is locked as long as the host lives, so that the
// next host can tell what a dead one left behind.
type runDir struct {
	path string
	lock *os.File
	once sync.Once
}

const (
	hostPrefix = "host-"
	lockName   = "lock"
)

// newRunDir makes the directory below base and removes those of dead hosts.
func newRunDir(base string) (*runDir, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("make the plugins' run directory: %w", err)
	}
	// One host at a time makes and cleans: a new directory is unlocked for a
	// moment.
	gate, err := lockFile(filepath.Join(base, "."+lockName), true)
	if err != nil {
		return nil, fmt.Errorf("lock the plugins' run directory: %w", err)
	}
	defer gate.Close()
	removeStale(base)
	dir, err := os.MkdirTemp(base, hostPrefix)
	if err != nil {
		return nil, fmt.Errorf("make the host's run directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName), true)
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("lock the host's run directory: %w", err)
	}
	return &runDir{path: dir, lock: lock}, nil
}

// removeStale removes what no living host has locked. What it cannot remove
// stays for the next time.
func removeStale(base string) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), hostPrefix) {
			continue
		}
		dir := filepath.Join(base, e.Name())
		lock, err := lockFile(filepath.Join(dir, lockName), false)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue // alive
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			os.RemoveAll(dir)
		}
		if err == nil {
			lock.Close()
		}
	}
}

// lockFile opens and locks a file, which is made when make is set. A lock that
// another has is waited for then, and EWOULDBLOCK otherwise.
func lockFile(path string, make bool) (*os.File, error) {
	flags, how := os.O_RDWR|unix.O_NOFOLLOW, unix.LOCK_EX|unix.LOCK_NB
	if make {
		flags, how = flags|os.O_CREATE, unix.LOCK_EX
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// remove removes the directory with all that is in it.
func (r *runDir) remove() {
	r.once.Do(func() {
		os.RemoveAll(r.path)
		r.lock.Close()
	})
}
