package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Bounds of a plugin directory.
const (
	maxSmall = 1 << 20   // manifest and signature
	maxFile  = 512 << 20 // any other file
	maxFiles = 1000
)

// tree is a plugin directory whose owners and modes were checked.
type tree struct {
	root  *os.Root
	files []string // regular files, slash-separated, without manifest and signature
}

// readTree lists dir and checks each directory and file in it. Everything is
// opened below the directory, never by a path that could lead out of it. The
// caller closes the tree.
func readTree(dir string) (*tree, error) {
	if err := owned(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	t := &tree{root: root}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if err := safe(name, info); err != nil {
			return err
		}
		if d.IsDir() || name == ManifestFile || name == SignatureFile {
			return nil
		}
		if t.files = append(t.files, name); len(t.files) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		root.Close()
		return nil, err
	}
	return t, nil
}

func (t *tree) close() { t.root.Close() }

// owned checks a file or directory by its path: of root or of this user,
// writable by nobody else, no symbolic link.
func owned(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return safe(path, info)
}

func safe(name string, info fs.FileInfo) error {
	mode := info.Mode()
	if !mode.IsDir() && !mode.IsRegular() {
		return fmt.Errorf("%s is neither a file nor a directory", name)
	}
	if mode.Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written by others than its owner (mode %04o)", name, mode.Perm())
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner cannot be told", name)
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, not to root or to the user of this program", name, st.Uid)
	}
	return nil
}

// open opens a regular file of the tree.
func (t *tree) open(name string) (*os.File, error) {
	f, err := t.root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// small reads a file that must be short.
func (t *tree) small(name string) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(data) > maxSmall {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxSmall)
	}
	return data, err
}

// check compares the tree with the list of the manifest, both ways.
func (t *tree) check(want map[string]string) error {
	for _, name := range t.files {
		sum, ok := want[name]
		if !ok {
			return fmt.Errorf("%s is not in the manifest", filepath.ToSlash(name))
		}
		got, err := t.sum(name)
		if err != nil {
			return err
		}
		if got != sum {
			return fmt.Errorf("%s was changed after the manifest was written", name)
		}
	}
	for name := range want {
		if !slices.Contains(t.files, name) {
			return fmt.Errorf("%s of the manifest is missing", name)
		}
	}
	return nil
}

func (t *tree) sum(name string) (string, error) {
	f, err := t.open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if n > maxFile {
		return "", errors.New(name + " is too long")
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
