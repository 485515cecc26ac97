// Package sinktest has a sink for the tests of collectors that keeps what it
// is given. The conformance suite of the sdk tests a collector as a plugin;
// this tests what it finds.
package sinktest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/sdk/collect"
)

// Got is an item as it arrived.
type Got struct {
	collect.Item
	Text      string
	Absent    string // reason
	Failed    string
	Truncated string
	ExitCode  int
}

// Sink keeps items by name.
type Sink struct {
	T     testing.TB
	Items map[string]*Got
	Order []string
	Notes []string
}

// New makes a sink.
func New(t testing.TB) *Sink { return &Sink{T: t, Items: map[string]*Got{}} }

// ThisMachine collects on this machine: nothing may fail, whatever it has.
func ThisMachine(t testing.TB, c collect.Collector) *Sink {
	t.Helper()
	s := New(t)
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	for name, g := range s.Items {
		if g.Failed != "" {
			t.Errorf("%s failed: %s", name, g.Failed)
		}
	}
	return s
}

func (s *Sink) add(it collect.Item) *Got {
	if err := collect.CheckName(it.Name); err != nil {
		s.T.Error(err)
	}
	if s.Items[it.Name] != nil {
		s.T.Errorf("item %s twice", it.Name)
	}
	g := &Got{Item: it}
	s.Items[it.Name] = g
	s.Order = append(s.Order, it.Name)
	return g
}

// File implements collect.Sink.
func (s *Sink) File(it collect.Item, f *os.File) error {
	defer f.Close()
	data, err := io.ReadAll(f)
	s.add(it).Text = string(data)
	return err
}

// Path implements collect.Sink.
func (s *Sink) Path(it collect.Item, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s.Absent(it, "no such file")
	}
	if err != nil {
		return s.Failed(it, err)
	}
	it.Source = path
	return s.File(it, f)
}

// Stream implements collect.Sink.
func (s *Sink) Stream(it collect.Item) (*collect.Stream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	g := s.add(it)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer r.Close()
		data, _ := io.ReadAll(r)
		g.Text = string(data)
	}()
	return collect.NewStream(w, func(truncated string, err error) error {
		<-read
		g.Truncated = truncated
		if err != nil {
			g.Failed = err.Error()
		}
		return nil
	}), nil
}

// Command implements collect.Sink.
func (s *Sink) Command(it collect.Item, argv ...string) error {
	if _, err := exec.LookPath(argv[0]); err != nil {
		return s.Absent(it, "no such command")
	}
	it.Source = strings.Join(argv, " ")
	cmd := exec.Command(argv[0], argv[1:]...)
	out, _ := cmd.Output()
	g := s.add(it)
	g.Text, g.ExitCode = string(out), cmd.ProcessState.ExitCode()
	return nil
}

// Open implements collect.Sink.
func (s *Sink) Open(path string) (*os.File, error) { return os.Open(path) }

// Output implements collect.Sink.
func (s *Sink) Output(argv ...string) ([]byte, error) {
	return exec.Command(argv[0], argv[1:]...).Output()
}

// Absent implements collect.Sink.
func (s *Sink) Absent(it collect.Item, reason string) error {
	s.add(it).Absent = reason
	return nil
}

// Failed implements collect.Sink.
func (s *Sink) Failed(it collect.Item, err error) error {
	s.add(it).Failed = err.Error()
	return nil
}

// Note implements collect.Sink.
func (s *Sink) Note(format string, args ...any) { s.Notes = append(s.Notes, format) }

// Find returns the item whose name ends so.
func (s *Sink) Find(suffix string) *Got {
	for name, g := range s.Items {
		if strings.HasSuffix(name, suffix) {
			return g
		}
	}
	s.T.Errorf("no item ends with %q; there are %q", suffix, s.Order)
	return &Got{}
}
