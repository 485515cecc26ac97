package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// Unpack writes all files and the manifest below dir, which must be new or
// empty. Files are 0600, folders 0700, and nothing is written outside, whatever
// the bundle says. When a file is not what the manifest says, what was written
// is removed again.
func (b *Bundle) Unpack(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if entries, err := os.ReadDir(dir); err != nil {
		return fmt.Errorf("unpack: %w", err)
	} else if len(entries) > 0 {
		return fmt.Errorf("unpack: %s is not empty; name a new folder", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer root.Close()
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(root))
		}
	}()
	if err := b.Walk(ctx, func(f File, r io.Reader) error { return unpackOne(root, f.Path, r) }); err != nil {
		return err
	}
	return b.unpackHead(ctx, root)
}

// unpackHead writes the manifest, its signature and the redaction report, so
// that the folder can be checked by other programs.
func (b *Bundle) unpackHead(ctx context.Context, root *os.Root) error {
	n := 0
	err := b.walk(ctx, func(m Member, r io.Reader) error {
		if n++; n > len(head) {
			return fs.SkipAll
		}
		return unpackOne(root, m.Path, r)
	})
	if err != nil {
		return b.foreign(err)
	}
	return nil
}

func unpackOne(root *os.Root, name string, r io.Reader) error {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	return nil
}

// empty removes everything below root.
func empty(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	for _, n := range names {
		err = errors.Join(err, root.RemoveAll(n))
	}
	return err
}
