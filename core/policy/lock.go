package policy

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/paths"
)

// lock keeps two processes from loading and remembering at the same time: the
// slower one would write down versions that are older than those it did not
// see. Where the lock cannot be had (a file system that is full or read-only)
// nothing can be remembered either.
func lock(root paths.Root) (unlock func()) {
	none := func() {}
	path := root.Var("policy", "lock")
	if _, err := os.Stat(root.Policies()); err != nil && !exists(memoryPlaces(root)) {
		return none // nothing to remember on a system without policy
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return none
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return none
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return none
	}
	return func() { f.Close() }
}

func exists(paths []string) bool {
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			return true
		}
	}
	return false
}
