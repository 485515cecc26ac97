package filetree

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/latchstring/latchstring/sdk/needs"
)

// Opener opens a file or a directory for reading, by the host if need be. A
// collector's sink is one.
type Opener interface {
	Open(path string) (*os.File, error)
}

// Entry is something that was found.
type Entry struct {
	Path    string
	Mode    fs.FileMode
	Size    int64
	ModTime time.Time
	Target  string // of a symbolic link
	Root    bool   // only the host can open it
	Err     error  // it could not be looked at, or a folder not be listed
}

// Options say what to find.
type Options struct {
	Paths   []string // patterns as in [needs.List]: /etc/**, /var/log/*.log
	Exclude []string // the same; a pattern without a slash goes for names
	Max     int      // entries; 0 means 100,000
}

const defaultMax = 100_000

// ErrTooMany says that the search was ended early.
var ErrTooMany = errors.New("too many files; the rest was not looked at")

// Find lists all files and links that match, sorted by path. Folders are not
// listed, unless they cannot be read.
func Find(ctx context.Context, o Opener, opt Options) ([]Entry, error) {
	w := &walker{o: o, want: needs.List{Paths: opt.Paths}, exclude: opt.Exclude, max: cmp.Or(opt.Max, defaultMax), seen: map[string]bool{}}
	for _, p := range opt.Paths {
		if err := w.from(ctx, base(p)); err != nil {
			return w.sorted(), err
		}
	}
	return w.sorted(), nil
}

// base is the longest folder of a pattern that has no wildcard.
func base(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if p == "**" || strings.ContainsAny(p, `*?[\`) {
			return cmp.Or(strings.Join(parts[:i], "/"), "/")
		}
	}
	return pattern
}

type walker struct {
	o       Opener
	want    needs.List
	exclude []string
	max     int
	seen    map[string]bool
	found   []Entry
}

func (w *walker) sorted() []Entry {
	slices.SortFunc(w.found, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return w.found
}

// from looks at a folder, or at the one file that a pattern names.
func (w *walker) from(ctx context.Context, p string) error {
	st, err := os.Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // nothing there: not a fault
	case errors.Is(err, fs.ErrPermission):
		if st, err = w.stat(p); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			if !w.seen[p] {
				w.seen[p] = true
				w.found = append(w.found, Entry{Path: p, Root: true, Err: err})
			}
			return nil
		}
	}
	if err == nil && !st.IsDir() {
		return w.entry(p, st.Mode())
	}
	return w.dir(ctx, p)
}

func (w *walker) dir(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.seen[dir] {
		return nil
	}
	w.seen[dir] = true
	entries, err := w.list(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.found = append(w.found, Entry{Path: dir, Mode: fs.ModeDir, Err: err})
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		if w.excluded(p) {
			continue
		}
		if e.IsDir() {
			err = nil
			if w.leadsOn(p) {
				err = w.dir(ctx, p)
			}
		} else if w.want.Path(p) {
			err = w.entry(p, e.Type())
		} else {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leadsOn reports whether something below a folder can match.
func (w *walker) leadsOn(dir string) bool {
	have := strings.Split(dir, "/")
	for _, pattern := range w.want.Paths {
		want := strings.Split(pattern, "/")
		i := 0
		for i < len(have) && i < len(want) && want[i] != "**" {
			if ok, err := path.Match(want[i], have[i]); err != nil || !ok {
				break
			}
			i++
		}
		if i < len(want) && (i == len(have) || want[i] == "**") {
			return true
		}
	}
	return false
}

// list reads a folder, through the host where we may not.
func (w *walker) list(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return entries, err
	}
	f, herr := w.o.Open(dir)
	if herr != nil {
		return nil, herr
	}
	defer f.Close()
	return f.ReadDir(-1)
}

func (w *walker) entry(p string, mode fs.FileMode) error {
	if w.seen[p] || !w.want.Path(p) || w.excluded(p) {
		return nil
	}
	w.seen[p] = true
	if len(w.found) >= w.max {
		return ErrTooMany
	}
	e := Entry{Path: p, Mode: mode}
	st, err := os.Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // gone meanwhile
	case errors.Is(err, fs.ErrPermission):
		// In a folder that only the host can enter.
		e.Root = true
		if mode.IsRegular() {
			st, err = w.stat(p)
		} else {
			err = nil
		}
	}
	if err != nil {
		e.Err = err
	} else if st != nil {
		e.Mode, e.Size, e.ModTime = st.Mode(), st.Size(), st.ModTime()
		e.Root = e.Root || st.Mode().IsRegular() && !readable(p)
	}
	if e.Mode&fs.ModeSymlink != 0 {
		e.Target, _ = os.Readlink(p)
	}
	w.found = append(w.found, e)
	return nil
}

func (w *walker) stat(p string) (fs.FileInfo, error) {
	f, err := w.o.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

func (w *walker) excluded(p string) bool {
	for _, x := range w.exclude {
		if !strings.Contains(x, "/") {
			if ok, _ := path.Match(x, path.Base(p)); ok {
				return true
			}
			continue
		}
		if (needs.List{Paths: []string{x}}).Path(p) || strings.TrimSuffix(x, "/**") == p {
			return true
		}
	}
	return false
}

// Direct opens what this process itself may open.
type Direct struct{}

// Open is os.Open.
func (Direct) Open(path string) (*os.File, error) { return os.Open(path) }
