package filetree_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
)

// hand finds what is in dir and hands it over.
func hand(t *testing.T, dir string, h filetree.Hander) *sinktest.Sink {
	t.Helper()
	s := sinktest.New(t)
	h.Sink = s
	found, err := filetree.Find(t.Context(), s, filetree.Options{Paths: []string{dir + "/**"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if !e.Mode.IsRegular() && e.Err == nil {
			continue
		}
		if err := h.Hand(e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A FIFO, a socket or a device among the files must not be opened: it would
// wait for ever, or rewind a tape.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "real", "x")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan *sinktest.Sink, 1)
	go func() { done <- hand(t, dir, filetree.Hander{}) }()
	select {
	case s := <-done:
		if len(s.Order) != 1 || !strings.HasSuffix(s.Order[0], "/real") {
			t.Errorf("handed over %q", s.Order)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("waits for a FIFO")
	}
}

func TestHeadAndTail(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "f", "one\ntwo\nthree\n")
	if g := hand(t, dir, filetree.Hander{MaxFile: 7, Head: true}).Find("/f"); g.Text != "one\ntwo" || !strings.Contains(g.Truncated, "first 7 of 14") {
		t.Errorf("head: %+v", g)
	}
	if g := hand(t, dir, filetree.Hander{MaxFile: 7}).Find("/f"); g.Text != "three\n" && g.Text != "\nthree\n" || !strings.Contains(g.Truncated, "last 7 of 14") {
		t.Errorf("tail: %+v", g)
	}
	if g := hand(t, dir, filetree.Hander{MaxFile: 14}).Find("/f"); g.Text != "one\ntwo\nthree\n" || g.Truncated != "" {
		t.Errorf("all: %+v", g)
	}
}

// A file that is gone, or that nobody may open, is told and costs nothing else.
func TestWhatCannotBeRead(t *testing.T) {
	s := sinktest.New(t)
	h := filetree.Hander{Sink: s}
	for _, e := range []filetree.Entry{
		{Path: "/no/such/file", Mode: 0o600},
		{Path: "/var/broken", Mode: fs.ModeDir, Err: errors.New("input/output error")},
	} {
		if err := h.Hand(e); err != nil {
			t.Fatal(err)
		}
	}
	if g := s.Find("no/such/file"); g.Absent == "" {
		t.Errorf("%+v", g)
	}
	if g := s.Find("var/broken"); !strings.Contains(g.Failed, "input/output") {
		t.Errorf("%+v", g)
	}
}

func TestIndexTellsLinksAndNotes(t *testing.T) {
	s := sinktest.New(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	err := filetree.Index(s, "index.txt", "listing", []filetree.Entry{
		{Path: "/a", Mode: 0o644, Size: 5, ModTime: at},
		{Path: "/b", Mode: fs.ModeSymlink | 0o777, Target: "/c"},
		{Path: "/d", Mode: fs.ModeDir, Err: errors.New("no")},
	}, func(e filetree.Entry) string { return map[string]string{"/a": "old"}[e.Path] })
	if err != nil {
		t.Fatal(err)
	}
	want := "-rw-r--r--            5 2026-01-02T03:04:05Z /a   (old)\n" +
		"Lrwxrwxrwx            0                      /b -> /c\n" +
		"d---------            0                      /d   (no)\n"
	if got := s.Find("index.txt").Text; got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestPlanOfWhatWasFound(t *testing.T) {
	plan := filetree.Plan([]filetree.Entry{
		{Path: "/x/a.conf", Size: 5}, {Path: "/x/old.log.2.gz", Size: 9}, {Path: "/x/link", Mode: fs.ModeSymlink},
		{Path: "/x/closed", Mode: fs.ModeDir, Root: true, Err: fs.ErrPermission},
	}, func(e filetree.Entry) bool { return strings.HasSuffix(e.Path, ".conf") })
	if len(plan) != 3 || !plan[0].Config || plan[0].Size != 5 || plan[1].Name != "x/old.log.2" || plan[1].Size != -1 || !plan[2].NeedsRoot {
		t.Errorf("plan: %+v", plan)
	}
}
