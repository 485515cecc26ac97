package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/sanitize"
)

// scrubber sanitizes files to files.
type scrubber struct {
	engine         sanitize.Engine
	out            string
	stdout, stderr io.Writer
}

// stream sanitizes a reader to the output, or to standard output.
func (s *scrubber) stream(ctx context.Context, in io.Reader, name string) error {
	if s.out != "" {
		return s.write(ctx, in, name, s.out)
	}
	res, err := s.engine.Copy(ctx, s.stdout, in, sanitize.File{Name: name, Learn: true})
	if err == nil && res.Omitted != "" {
		err = fmt.Errorf("%s: nothing was let through: %s", name, res.Omitted)
	}
	return err
}

func (s *scrubber) file(ctx context.Context, path string) error {
	if err := s.learn(ctx, path, path); err != nil {
		return fmt.Errorf("sanitize: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sanitize: %w", err)
	}
	defer f.Close()
	return s.stream(ctx, f, path)
}

// learn reads a file for the secrets in it before anything is written: the one
// that is named in its last line may be used in its first, or in another file.
// What cannot be read twice is only swept for what came before.
func (s *scrubber) learn(ctx context.Context, path, name string) error {
	engine, ok := s.engine.(interface {
		Learn(ctx context.Context, src io.Reader, f sanitize.File) error
	})
	if !ok {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return err
	}
	return engine.Learn(ctx, f, sanitize.File{Name: name})
}

// write sanitizes into a new file, puts it through the final gate, and only
// then gives it its name. What the gate finds is cleaned again, as in bundles; if
// something is left even then, nothing is written.
func (s *scrubber) write(ctx context.Context, in io.Reader, name, out string) (err error) {
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s exists already; name another or remove it", out)
	}
	tmp, hits, err := s.pass(ctx, in, out, sanitize.File{Name: name, Learn: true})
	if err != nil {
		return err
	}
	defer func() {
		tmp.Close()
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	for round := 0; len(hits) > 0 && round < sanitize.Rewrites; round++ {
		if _, err = tmp.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("write %s: %w", out, err)
		}
		again, left, err := s.pass(ctx, tmp, out, sanitize.File{Name: name, Learn: true, Again: true})
		if err != nil {
			return err
		}
		tmp.Close()
		os.Remove(tmp.Name())
		tmp = again
		hits = left
	}
	if len(hits) > 0 {
		err = &leakFound{name, hits[0].Rule}
		return err
	}
	if err = tmp.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	if err = os.Link(tmp.Name(), out); err != nil { // never over another file
		return fmt.Errorf("write %s: %w", out, err)
	}
	return os.Remove(tmp.Name())
}

// pass sanitizes into a file without its final name and says what the gate
// finds in it. On an error the file is gone.
func (s *scrubber) pass(ctx context.Context, in io.Reader, out string, f sanitize.File) (_ *os.File, hits []sanitize.Hit, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(out), ".sanitized-*") // O_EXCL, 0600
	if err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", out, err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	res, err := s.engine.Copy(ctx, tmp, in, f)
	if err != nil {
		return nil, nil, err
	}
	if res.Omitted != "" {
		return nil, nil, &omitted{f.Name, res.Omitted}
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", out, err)
	}
	hits, err = s.engine.Check(ctx, tmp, sanitize.File{Name: f.Name})
	if err != nil {
		return nil, nil, err
	}
	return tmp, hits, nil
}

type omitted struct{ name, why string }

func (e *omitted) Error() string {
	return fmt.Sprintf("%s: nothing was let through: %s", e.name, e.why)
}

// folder keeps the tree. All files are read for secrets before the first is
// written. Files that look like configuration go first. What is left out is
// told.
func (s *scrubber) folder(ctx context.Context, dir string) error {
	if s.out == "" {
		return cmdline.Usagef("%s is a folder; name a new one for the result with -o", dir)
	}
	if err := os.Mkdir(s.out, 0o700); err != nil {
		return fmt.Errorf("sanitize: %w; the result goes into a new folder", err)
	}
	self, err := os.Stat(s.out)
	if err != nil {
		return fmt.Errorf("sanitize: %w", err)
	}
	var files []string
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			s.left(p, err)
			return nil
		case d.IsDir():
			if st, err := d.Info(); err == nil && os.SameFile(st, self) {
				return fs.SkipDir // the result lies within the source
			}
		case d.Type().IsRegular():
			files = append(files, p)
		default:
			s.left(p, errors.New("no regular file"))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sanitize: %w", err)
	}
	sort.SliceStable(files, func(i, j int) bool { return rank(files[i]) < rank(files[j]) })
	for _, p := range files {
		rel, err := filepath.Rel(dir, p)
		if err == nil {
			err = s.learn(ctx, p, rel)
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			continue // it will be left out, and told
		}
		if err != nil {
			return fmt.Errorf("sanitize: %w", err)
		}
	}
	for _, p := range files {
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return fmt.Errorf("sanitize: %w", err)
		}
		if err := s.one(ctx, p, rel); err != nil {
			return err
		}
	}
	return nil
}

func (s *scrubber) one(ctx context.Context, p, rel string) error {
	f, err := os.Open(p)
	if err != nil {
		s.left(p, err)
		return nil
	}
	defer f.Close()
	out := filepath.Join(s.out, filepath.Clean("/"+s.engine.Name(rel)))
	if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
		return fmt.Errorf("sanitize: %w", err)
	}
	err = s.write(ctx, f, rel, out)
	var no *omitted
	if errors.As(err, &no) {
		s.left(p, errors.New(no.why))
		return nil
	}
	return err
}

func (s *scrubber) left(path string, err error) {
	fmt.Fprintf(s.stderr, "left out: %s: %v\n", printable(path), err)
}

// rank puts logs last.
func rank(path string) int {
	switch filepath.Ext(path) {
	case ".log", ".gz", ".xz", ".zst", ".bz2", ".1", ".2", ".old":
		return 1
	}
	return 0
}
