package recipe

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
)

func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestListNeedsPlanAndCollectAgree(t *testing.T) {
	dir := lay(t, map[string]string{"a.conf": "a\n", "class/host0/state": "Live\n", "class/host0/many": "x\ny\n", "class/other/state": "no\n", "sock": ""})
	l := List{
		Files:   []File{{Name: "a", Path: dir + "/a.conf", Config: true}, {Name: "gone", Path: dir + "/gone"}},
		Classes: []Class{{Name: "class.txt", Dir: dir + "/class", Attr: []string{"state", "many", "none"}, Only: "host"}, {Name: "noclass.txt", Dir: dir + "/noclass"}},
		Commands: []Command{
			{Name: "echo.txt", Argv: []string{"echo", "hello"}, If: []string{dir + "/nosock", dir + "/sock"}},
			{Name: "no.txt", Argv: []string{"echo", "no"}, If: []string{dir + "/nosock"}, Why: "no daemon runs"},
			{Name: "tool.txt", Argv: []string{"no-such-tool-here"}, Timeout: time.Minute},
		},
	}
	n := l.Needs()
	for _, p := range []string{dir + "/a.conf", dir + "/gone", dir + "/class/host0/state"} {
		if !n.Path(p) {
			t.Errorf("%s is not declared", p)
		}
	}
	if n.Path(dir+"/sock") || !n.Command([]string{"echo", "hello"}) || n.Command([]string{"echo", "x"}) {
		t.Errorf("needs: %+v", n)
	}
	planned := map[string]bool{}
	for _, p := range l.Plan() {
		planned[p.Name] = true
	}
	s := sinktest.New(t)
	if err := l.Collect(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "a\n", "class.txt": "host0/state: Live\nhost0/many: x\nhost0/many: y\n", "echo.txt": "hello\n"} {
		if g := s.Items[name]; g == nil || g.Text != want || !planned[name] {
			t.Errorf("%s: %+v, planned %v", name, g, planned[name])
		}
	}
	for _, name := range []string{"gone", "noclass.txt", "no.txt", "tool.txt"} {
		if g := s.Items[name]; g == nil || g.Absent == "" || planned[name] {
			t.Errorf("%s is not absent: %+v", name, g)
		}
	}
	if !s.Items["a"].Config || s.Items["echo.txt"].Timeout != Short || s.Items["no.txt"].Absent != "no daemon runs" {
		t.Error("an item lost what it is")
	}
}

// The host looks where a file that it is handed really is.
func TestFilesOfTheProcessItself(t *testing.T) {
	n := List{Files: []File{{Name: "a", Path: "/proc/self/mountinfo"}}}.Needs()
	if !n.Path("/proc/4711/mountinfo") || n.Path("/proc/4711/environ") {
		t.Errorf("%q", n.Paths)
	}
}

func TestWrite(t *testing.T) {
	s := sinktest.New(t)
	for name, err := range map[string]error{"ok": nil, "absent": fs.ErrNotExist, "failed": errors.New("no")} {
		if err := Write(s, collect.Item{Name: name}, []byte("text"), err); err != nil {
			t.Error(err)
		}
	}
	if s.Items["ok"].Text != "text" || s.Items["absent"].Absent == "" || s.Items["failed"].Failed != "no" {
		t.Errorf("%+v", s.Items)
	}
}

func TestCollectEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (List{Commands: []Command{{Name: "x", Argv: []string{"echo"}}}}).Collect(ctx, sinktest.New(t)); err == nil {
		t.Error("runs commands after its end")
	}
}
