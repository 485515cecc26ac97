package bundle

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Limits bound a run. Zero means no bound, except for Reserve.
type Limits struct {
	Item          int64         // bytes read of one item
	Collector     int64         // bytes written to the spool for one collector
	Total         int64         // bytes written to the spool
	Deadline      time.Duration // for collecting, all collectors together
	CollectorTime time.Duration // for one collector
	Files         int           // number of files
	Reserve       int64         // bytes that must stay free in the spool's filesystem
}

// DefaultLimits are the bounds when nobody asks for others.
var DefaultLimits = Limits{
	Item:          256 << 20,
	Collector:     1 << 30,
	Total:         2 << 30,
	Deadline:      10 * time.Minute,
	CollectorTime: 5 * time.Minute,
	Files:         50_000,
	Reserve:       64 << 20,
}

// SpaceError says that the disk is too full to go on.
type SpaceError struct {
	Dir        string
	Free, Need int64 // bytes
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s has %d MB free, and %d MB must stay free: nothing was collected further", e.Dir, e.Free>>20, e.Need>>20)
}

// Hint says what to do.
func (e *SpaceError) Hint() string {
	return "free some space, or ask for less with --max-size, --only or --since"
}

// ExitCode is 1, the code of a failed run.
func (e *SpaceError) ExitCode() int { return 1 }

// free returns the bytes that an unprivileged writer may still use in dir.
func free(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// asSpaceError turns a full disk into one clear error.
func asSpaceError(dir string, err error, reserve int64) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		n, _ := free(dir)
		return &SpaceError{Dir: dir, Free: n, Need: max(reserve, 1<<20)}
	}
	return err
}
