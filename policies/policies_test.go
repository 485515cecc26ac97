package policies

import (
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
