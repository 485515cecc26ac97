package seal

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/paths"
)

// Places returns the files of which each seals the system, the first to be
// written first. They lie in and beside the directories of state and of
// configuration, so that replacing one of these, or its contents, leaves some.
func Places(root paths.Root) []string {
	return []string{root.Var("sealed"), root.Etc("sealed"), root.Var() + ".sealed", root.Etc() + ".sealed"}
}

// marked returns the directories that carry the mark.
func marked(root paths.Root) []string {
	return []string{root.Var(), root.Etc()}
}

// marks are the names of the extended attribute. The first needs a capability
// that only the administrator has, the second works for everybody.
var marks = [2]string{"trusted.latchstring.sealed", "user.latchstring.sealed"}

// mark writes the extended attribute. Its value does not count.
func mark(dir string) error {
	var errs []error
	for _, name := range marks {
		if err := unix.Setxattr(dir, name, []byte("1"), 0); err == nil {
			return nil
		} else {
			errs = append(errs, &fs.PathError{Op: "mark", Path: dir, Err: err})
		}
	}
	return errors.Join(errs...)
}

func isMarked(dir string) bool {
	for _, name := range marks {
		if _, err := unix.Getxattr(dir, name, nil); err == nil {
			return true
		}
	}
	return false
}

// immutable is FS_IMMUTABLE_FL of linux/fs.h.
const immutable = 0x10

// freeze makes a file immutable where the file system can: then not even root
// removes or changes it without taking that back first.
func freeze(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return err
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags|immutable))
}
