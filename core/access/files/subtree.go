package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Bounds of a directory that is moved as a whole. What is larger is not judged
// in a reasonable time, and then it is not moved.
const (
	maxSubtree      = 20_000
	maxSubtreeDepth = 100
)

var (
	errLarge  = fmt.Errorf("it holds more than %d files and directories, which are too many to be judged; move them in parts", maxSubtree)
	errDeep   = fmt.Errorf("it is deeper than %d directories, which is too deep to be judged", maxSubtreeDepth)
	errUnseen = errors.New("it holds a directory whose content cannot be seen, so that it cannot be judged")
)

// moved judges everything in a directory that is about to have another path, by
// both its paths: a rule about a file is a rule about it, not about its
// directory. Links in it are names like others and are not followed.
func (t *Tree) moved(dir *place, to string) error {
	w := subtree{tree: t, left: maxSubtree}
	return w.walk(dir.fd, dir.real, to, maxSubtreeDepth)
}

type subtree struct {
	tree *Tree
	left int
}

func (w *subtree) walk(dir int, from, to string, depth int) error {
	if depth == 0 {
		return errDeep
	}
	fd, err := open(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errUnseen, from, err)
	}
	d := os.NewFile(uintptr(fd), from)
	defer d.Close()
	for {
		names, err := d.Readdirnames(256)
		for _, name := range names {
			if w.left--; w.left < 0 {
				return errLarge
			}
			if err := w.judge(path.Join(from, name), path.Join(to, name)); err != nil {
				return err
			}
			if err := w.below(int(d.Fd()), name, from, to, depth); err != nil {
				return err
			}
		}
		if len(names) == 0 {
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("%w: %s: %w", errUnseen, from, err)
			}
			return nil
		}
	}
}

// below goes on with a name that is a directory.
func (w *subtree) below(dir int, name, from, to string, depth int) error {
	fd, err := open(dir, name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil // removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errUnseen, path.Join(from, name), err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	return w.walk(fd, path.Join(from, name), path.Join(to, name), depth-1)
}

func (w *subtree) judge(from, to string) error {
	for _, p := range []string{from, to} {
		if err := w.tree.judge.Upload(p); err != nil {
			return err
		}
	}
	return w.tree.disclosed(from, to)
}
