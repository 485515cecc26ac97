package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// spool is a private directory of sanitized files. It belongs to one run and
// is locked while the run lives, so that a later run can tell what a crash
// has left behind.
type spool struct {
	dir  string
	lock *os.File
	next int
}

const spoolPrefix = "run-"

// newSpool removes what dead runs left below parent and makes a new spool.
func newSpool(parent string) (*spool, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	// Two runs that start together must not take each other's new directory
	// for that of a dead run.
	door, err := os.Open(parent)
	if err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	defer door.Close()
	if err := unix.Flock(int(door.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", parent, err)
	}
	if err := cleanSpool(parent); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, spoolPrefix) // 0700
	if err != nil {
		return nil, asSpaceError(parent, fmt.Errorf("make spool: %w", err), 0)
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock spool %s: %w", dir, err)
	}
	return &spool{dir: dir, lock: lock}, nil
}

// cleanSpool removes what runs that no longer live left below parent.
func cleanSpool(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return fmt.Errorf("clean spool: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), spoolPrefix) {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		d, err := os.Open(dir)
		if err != nil {
			continue // gone meanwhile
		}
		err = unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			err = os.RemoveAll(dir)
		} else if errors.Is(err, syscall.EWOULDBLOCK) {
			err = nil // a run is at work there
		}
		d.Close()
		if err != nil {
			return fmt.Errorf("clean spool %s: %w", dir, err)
		}
	}
	return nil
}

// create makes the next file, exclusively and 0600. Its name says nothing.
func (s *spool) create() (*os.File, error) {
	s.next++
	f, err := os.OpenFile(filepath.Join(s.dir, fmt.Sprintf("%06d", s.next)), os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, asSpaceError(s.dir, fmt.Errorf("spool: %w", err), 0)
	}
	return f, nil
}

func (s *spool) remove() error {
	err := os.RemoveAll(s.dir)
	s.lock.Close()
	if err != nil {
		return fmt.Errorf("remove spool: %w", err)
	}
	return nil
}
