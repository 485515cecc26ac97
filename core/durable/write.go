package durable

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path by data, atomically and durably, with
// mode 0600. The directory must exist. On an error the old file is untouched
// and nothing is left beside it.
func WriteFile(path string, data []byte) error {
	return WriteFileMode(path, data, 0o600)
}

// WriteFileMode is [WriteFile] with another mode, for what others must read.
func WriteFileMode(path string, data []byte, mode os.FileMode) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".new-*") // O_EXCL, 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if mode != 0o600 {
		if err = tmp.Chmod(mode); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return Commit(tmp, path)
}

// Commit syncs f, closes it, renames it to path and syncs the directory. It is
// the last step for callers that stream into a file which they created
// themselves in the same directory.
func Commit(f *os.File, path string) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("rename into place: %w", err)
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in dir survive a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}
