package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
)

func write(t *testing.T, p, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCollect(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.conf"), "password=x\n")
	write(t, filepath.Join(dir, "bin"), "\x7fELF\x00")
	write(t, filepath.Join(dir, "big"), strings.Repeat("line\n", 100))
	write(t, filepath.Join(dir, "shadow"), "root:$6$")
	if err := os.Symlink("/nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	c := &Collector{settings{Paths: []string{dir + "/**"}, Exclude: []string{dir + "/shadow"}, MaxFile: 50}}
	s := sinktest.New(t)
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	if g := s.Find("app.conf"); g.Text != "password=x\n" || !g.Config || g.Source != filepath.Join(dir, "app.conf") {
		t.Errorf("app.conf: %+v", g)
	}
	if g := s.Find("bin"); !strings.Contains(g.Failed, "binary") || g.Text != "" {
		t.Errorf("bin: %+v", g)
	}
	if g := s.Find("big"); g.Text != strings.Repeat("line\n", 10) || g.Truncated != "the first 50 of 500 bytes" {
		t.Errorf("big: %+v", g)
	}
	index := s.Find("index.txt").Text
	if !strings.Contains(index, "link -> /nowhere") || strings.Contains(index, "shadow") {
		t.Errorf("index:\n%s", index)
	}
	plan, err := c.Plan(t.Context(), collect.Request{})
	if err != nil || len(plan) != 3 || !plan[0].Config {
		t.Errorf("plan: %+v, %v", plan, err)
	}
}

// What is nothing but secrets is left out from the start.
func TestDefaultsLeaveSecretsOut(t *testing.T) {
	c := New()
	if n := c.Needs(); n.Path("/root/.ssh/id_ed25519") || !n.Path("/etc/fstab") {
		t.Error("needs are not what they should be")
	}
}
