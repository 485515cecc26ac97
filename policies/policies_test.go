package policies

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/cases"
)

// Every example loads, holds its tests, and every rule of it is tried by one.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("*/*.txtar")
	if err != nil || len(dirs) < 6 {
		t.Fatalf("%d examples: %v", len(dirs), err)
	}
	for _, archive := range dirs {
		dir := filepath.Dir(archive)
		t.Run(dir, func(t *testing.T) {
			dir := strict(t, dir)
			if _, err := policy.Load(dir); err != nil {
				t.Fatal(err)
			}
			r, err := cases.Run(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Failures {
				t.Error(f)
			}
			for _, rule := range r.Missed {
				t.Errorf("%s: no case tries %s = %s", rule.Source, rule.Key, rule.Value)
			}
			t.Logf("%d cases, %d of %d rules covered", r.Ran, r.Covered, r.Rules)
		})
	}
}

// strict copies an example with the modes that policies must have, which a
// checkout under umask 002 has not.
func strict(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), from)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// A directory without tests is an example that nobody can trust.
func TestEveryExampleHasTests(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if found, _ := filepath.Glob(filepath.Join(e.Name(), "*.txtar")); len(found) == 0 {
			t.Errorf("%s has no tests", e.Name())
		}
	}
}
