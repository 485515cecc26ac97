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
	"syscall"
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
	w := &walker{o: o, want: needs.List{Paths: opt.Paths}, exclude: opt.Exclude, max: cmp.Or(opt.Max, defaultMax), seen: map[string]bool{}, walked: map[string]bool{}}
	for _, p := range opt.Paths {
		if err := w.expand(ctx, "/", strings.Split(strings.Trim(p, "/"), "/")); err != nil {
			return w.sorted(), err
		}
	}
	return w.sorted(), nil
}

type walker struct {
	o       Opener
	want    needs.List
	exclude []string
	max     int
	seen    map[string]bool // entries
	walked  map[string]bool // folders
	found   []Entry
}

func (w *walker) sorted() []Entry {
	slices.SortFunc(w.found, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return w.found
}

// expand follows one pattern, element by element, from dir on. A folder is
// listed only where an element is a wildcard: a host grants no more.
func (w *walker) expand(ctx context.Context, dir string, elements []string) error {
	first, rest := elements[0], elements[1:]
	if first == "**" {
		return w.dir(ctx, dir)
	}
	if name, ok := literal(first); ok {
		p := path.Join(dir, name)
		if len(rest) > 0 {
			return w.expand(ctx, p, rest)
		}
		return w.one(p)
	}
	entries, err := w.list(dir)
	if err != nil {
		w.unreadable(dir, err)
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		if ok, err := path.Match(first, e.Name()); err != nil || !ok || w.excluded(p) {
			continue
		}
		switch {
		case len(rest) == 0 && !e.IsDir():
			err = w.entry(p, e.Type())
		case len(rest) > 0 && e.IsDir():
			err = w.expand(ctx, p, rest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// literal is the name that an element without wildcards stands for.
func literal(element string) (string, bool) {
	var name strings.Builder
	for i := 0; i < len(element); i++ {
		switch c := element[i]; {
		case c == '*' || c == '?' || c == '[':
			return "", false
		case c == '\\' && i+1 < len(element):
			i++
			name.WriteByte(element[i])
		default:
			name.WriteByte(c)
		}
	}
	return name.String(), true
}

// one looks at the file that a pattern names.
func (w *walker) one(p string) error {
	st, err := os.Lstat(p)
	if errors.Is(err, fs.ErrPermission) {
		st, err = w.stat(p)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // nothing there: not a fault
	case err != nil:
		w.unreadable(p, err)
		return nil
	case st.IsDir():
		return nil
	}
	return w.entry(p, st.Mode())
}

// unreadable notes a folder or file that cannot be looked at. What is not
// there, or no folder, is no fault.
func (w *walker) unreadable(p string, err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || w.seen[p] {
		return
	}
	w.seen[p] = true
	w.found = append(w.found, Entry{Path: p, Mode: fs.ModeDir, Root: true, Err: err})
}

// dir finds everything below a folder.
func (w *walker) dir(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.walked[dir] {
		return nil
	}
	w.walked[dir] = true
	entries, err := w.list(dir)
	if err != nil {
		w.unreadable(dir, err)
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		switch {
		case w.excluded(p):
			err = nil
		case e.IsDir():
			err = w.dir(ctx, p)
		default:
			err = w.entry(p, e.Type())
		}
		if err != nil {
			return err
		}
	}
	return nil
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
