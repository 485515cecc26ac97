package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
)

func TestCollect(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"z.conf": "password=x", "a.log": "log", "sub/b.log": "log", "odd[1]*.log": "odd", "odd1.log": "not asked for"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := sinktest.New(t)
	err := New().Collect(t.Context(), collect.Request{Include: []string{
		filepath.Join(dir, "z.conf"), filepath.Join(dir, "a.log"), filepath.Join(dir, "sub"), filepath.Join(dir, "odd[1]*.log"), filepath.Join(dir, "none"),
	}}, s)
	if err != nil {
		t.Fatal(err)
	}
	if g := s.Find("z.conf"); !g.Config || g.Text != "password=x" {
		t.Errorf("z.conf: %+v", g)
	}
	if g := s.Find("sub/b.log"); g.Config || g.Text != "log" {
		t.Errorf("b.log: %+v", g)
	}
	if g := s.Find("odd[1]*.log"); g.Text != "odd" {
		t.Errorf("odd: %+v", g)
	}
	if g := s.Find("none"); g.Absent == "" {
		t.Errorf("none: %+v", g)
	}
	for _, name := range s.Order {
		if strings.HasSuffix(name, "odd1.log") {
			t.Error("collected what was not asked for")
		}
	}
	if i := s.Order[1]; !strings.HasSuffix(i, "z.conf") { // after the absent one
		t.Errorf("configuration is not first: %q", s.Order)
	}
}

func TestNothingWithoutInclude(t *testing.T) {
	s := sinktest.New(t)
	if err := New().Collect(t.Context(), collect.Request{}, s); err != nil || len(s.Order) != 1 || s.Find("index.txt").Absent == "" {
		t.Errorf("%q, %v", s.Order, err)
	}
}

func TestIncludeMustBeAbsolute(t *testing.T) {
	for _, p := range []string{"x", "/x/../etc", "/x/"} {
		if _, err := New().Plan(t.Context(), collect.Request{Include: []string{p}}); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
}
