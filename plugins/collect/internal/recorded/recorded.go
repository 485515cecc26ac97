// Package recorded lets the tests of collectors run on machines that are not
// there: commands answer what a txtar file has recorded under their command
// lines, and files are those below a folder.
package recorded

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Commands reads a txtar file whose files are named like command lines.
func Commands(t testing.TB, file string) map[string]string {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, f := range a.Files {
		out[f.Name] = string(f.Data)
	}
	return out
}

// Sink is a sink with a machine behind it. What is asked for without being
// declared fails the test.
type Sink struct {
	*sinktest.Sink
	Commands map[string]string // others are not there
	Root     string            // where absolute paths begin; empty means no files at all
	Needs    needs.List
}

// New makes a sink.
func New(t testing.TB, commands map[string]string, root string, n needs.List) *Sink {
	return &Sink{Sink: sinktest.New(t), Commands: commands, Root: root, Needs: n}
}

// Collector is a collector that declares what it needs.
type Collector interface {
	collect.Collector
	collect.Needer
}

// Server collects on a machine with these files, whose commands answer what
// testdata/commands.txtar of the package says.
func Server(t testing.TB, c Collector, files map[string]string) *Sink {
	t.Helper()
	s := New(t, Commands(t, "testdata/commands.txtar"), Lay(t, files), c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Bare collects on a machine that has nothing of what is asked for: all items
// must be absent, none failed.
func Bare(t testing.TB, c Collector) {
	t.Helper()
	s := New(t, nil, "", c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	for name, g := range s.Items {
		if g.Absent == "" {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

// Lay makes a folder with files for [Sink.Root]. A text that begins with "->"
// makes a symbolic link.
func Lay(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "->"); ok {
			err = os.Symlink(target, p)
		} else {
			err = os.WriteFile(p, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Open implements collect.Sink. Folders need not be declared one by one: the
// host lists those on the way to a pattern.
func (s *Sink) Open(path string) (*os.File, error) {
	if s.Root == "" {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	real := filepath.Join(s.Root, path)
	if st, err := os.Stat(real); err == nil && !st.IsDir() && !s.Needs.Path(path) {
		s.T.Errorf("opens %s, which is not declared", path)
	}
	return os.Open(real)
}

// Path implements collect.Sink.
func (s *Sink) Path(it collect.Item, path string) error {
	if !s.Needs.Path(path) {
		s.T.Errorf("takes %s, which is not declared", path)
	}
	if s.Root == "" {
		return s.Absent(it, "no such file")
	}
	return s.Sink.Path(it, filepath.Join(s.Root, path))
}

// Command implements collect.Sink.
func (s *Sink) Command(it collect.Item, argv ...string) error {
	out, err := s.Output(argv...)
	if err != nil {
		return s.Absent(it, "no such command")
	}
	if it.Timeout <= 0 {
		s.T.Errorf("%s runs without a limit of its own", it.Name)
	}
	st, err := s.Stream(it)
	if err != nil {
		return err
	}
	_, err = st.Write(out)
	return st.CloseWithError(err)
}

// Output implements collect.Sink.
func (s *Sink) Output(argv ...string) ([]byte, error) {
	if !s.Needs.Command(argv) {
		s.T.Errorf("runs %q, which is not declared", argv)
	}
	out, ok := s.Commands[strings.Join(argv, " ")]
	if !ok {
		return nil, fmt.Errorf("%s: %w", argv[0], fs.ErrNotExist)
	}
	return []byte(out), nil
}
