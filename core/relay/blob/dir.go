package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/latchstring/latchstring/core/durable"
)

// Store keeps blobs by id.
type Store interface {
	// Adopt takes the file at path, which is complete, into the store under
	// id. When it returns, the file is gone from path and the blob survives a
	// power cut. Adopting the same again is no error. Callers never adopt two
	// different files under one id; a store that several nodes share refuses
	// the second, with fs.ErrExist.
	Adopt(ctx context.Context, id, path string) error
	// Open returns fs.ErrNotExist where there is no such blob.
	Open(ctx context.Context, id string) (io.ReadSeekCloser, int64, error)
	// Delete does nothing where there is no such blob.
	Delete(ctx context.Context, id string) error
	// Free is how many bytes can be stored at the moment.
	Free() (int64, error)
}

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{3,80}$`)

// CheckID refuses ids that could name something outside, whatever callers check.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("blob id %.80q: %w", id, fs.ErrInvalid)
	}
	return nil
}

// Dir is a Store in a directory.
type Dir struct{ path string }

// NewDir opens the directory, which is made where it does not exist.
func NewDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("open blob directory: %w", err)
	}
	return &Dir{path}, nil
}

func (d *Dir) file(id string) (string, error) {
	if err := CheckID(id); err != nil {
		return "", err
	}
	return filepath.Join(d.path, id), nil
}

// Adopt moves the file by renaming, and copies where that is not possible
// because it lies on another file system.
func (d *Dir) Adopt(_ context.Context, id, path string) error {
	to, err := d.file(id)
	if err != nil {
		return err
	}
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(to); err == nil {
			return nil // adopted already, by a process that died afterwards
		}
	}
	if err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	defer from.Close()
	if err := from.Sync(); err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	err = os.Rename(path, to)
	if errors.Is(err, syscall.EXDEV) {
		return d.copy(id, to, from)
	}
	if err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	return durable.SyncDir(d.path)
}

func (d *Dir) copy(id, to string, from *os.File) error {
	tmp, err := os.CreateTemp(d.path, ".adopt-*")
	if err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if _, err := io.Copy(tmp, from); err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	if err := durable.Commit(tmp, to); err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	if err := os.Remove(from.Name()); err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	return nil
}

// Open opens a blob for reading.
func (d *Dir) Open(_ context.Context, id string) (io.ReadSeekCloser, int64, error) {
	path, err := d.file(id)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open blob: %w", err)
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open blob: %w", err)
	}
	return f, fi.Size(), nil
}

// Delete removes a blob.
func (d *Dir) Delete(_ context.Context, id string) error {
	path, err := d.file(id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete blob: %w", err)
	}
	return durable.SyncDir(d.path)
}

// Free asks the file system.
func (d *Dir) Free() (int64, error) { return Free(d.path) }

// Free is how many bytes an unprivileged process can write below dir.
func Free(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask for free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}
