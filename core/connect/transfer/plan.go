package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// maxDepth ends the search in directories whose links lead back to themselves.
const maxDepth = 100

// item is one file or directory to be made.
type item struct {
	from, to string
	size     int64
	mode     fs.FileMode
	modified time.Time
	dir      bool
}

// Plan is what a copy will do.
type Plan struct {
	Files   int
	Bytes   int64
	Skipped []string // what is neither file nor directory

	upload   bool
	from, to side
	items    []item
}

// DirectoryError says that a directory was named without -r.
type DirectoryError struct{ Path string }

func (e *DirectoryError) Error() string {
	return fmt.Sprintf("%s is a directory; copy it with -r", e.Path)
}

// ExitCode is that of a wrong flag.
func (e *DirectoryError) ExitCode() int { return 2 }

// plan finds everything below the sources and where it goes.
func plan(ctx context.Context, from, to side, sources []string, target string, recursive bool) (*Plan, error) {
	p := &Plan{from: from, to: to}
	fi, err := to.Stat(target)
	into := err == nil && fi.IsDir()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("look at %s: %w", target, plain(err))
	case !into && len(sources) > 1:
		return nil, fmt.Errorf("%s is no directory; several files need one to go to", target)
	case !into && strings.HasSuffix(target, "/"):
		return nil, fmt.Errorf("%s is no directory", target)
	}
	for _, s := range sources {
		fi, err := from.Stat(s)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", s, plain(err))
		}
		if fi.IsDir() && !recursive {
			return nil, &DirectoryError{s}
		}
		name := target
		if into {
			base := from.Base(s)
			if !safeName(base) {
				return nil, fmt.Errorf("copy %s: name the file or directory itself", s)
			}
			name = to.Join(target, base)
		}
		if err := p.add(ctx, s, name, fi, 0); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Plan) add(ctx context.Context, from, to string, fi fs.FileInfo, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	it := item{from: from, to: to, size: fi.Size(), mode: fi.Mode().Perm(), modified: fi.ModTime(), dir: fi.IsDir()}
	switch {
	case fi.Mode().IsRegular():
		p.Files++
		p.Bytes += it.size
		p.items = append(p.items, it)
		return nil
	case !fi.IsDir():
		p.Skipped = append(p.Skipped, from)
		return nil
	case depth == maxDepth:
		return fmt.Errorf("copy %.200s: more than %d directories deep; a link may lead back to itself", from, maxDepth)
	}
	p.items = append(p.items, it)
	list, err := p.from.List(from)
	if err != nil {
		return fmt.Errorf("list %s: %w", from, plain(err))
	}
	for _, fi := range list {
		if !safeName(fi.Name()) {
			return fmt.Errorf("list %s: it has the name %.100q, which would lead elsewhere", from, fi.Name())
		}
		if err := p.add(ctx, p.from.Join(from, fi.Name()), p.to.Join(to, fi.Name()), fi, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// plain strips the path that is said already.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file or directory")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission denied, by the system or by its policy")
	}
	return err
}
