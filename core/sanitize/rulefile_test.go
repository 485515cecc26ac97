package sanitize

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Redactor files of troubleshoot.sh work, and mistakes in them are refused.
func TestRuleFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("redactor.yaml", `apiVersion: troubleshoot.sh/v1beta2
kind: Redactor
metadata:
  name: acme
spec:
  redactors:
  - name: customers
    removals:
      values: ["Project Zephyr"]
      yamlPath: ["customers.*.name"]
`)
	s, err := New(Options{RuleFiles: []string{good}})
	if err != nil {
		t.Fatal(err)
	}
	in := "customers:\n  - name: Miller\n    city: Bonn\nnote: Project Zephyr\n"
	out := sanitizeText(t, s, "customers.yaml", in)
	if strings.Contains(out, "Miller") || strings.Contains(out, "Zephyr") || !strings.Contains(out, "    city: Bonn\n") {
		t.Errorf("%q", out)
	}
	hits, err := s.Check(t.Context(), strings.NewReader(out), File{Name: "customers.yaml"})
	if err != nil || len(hits) > 0 {
		t.Errorf("the gate finds %v, %v in %q", hits, err, out)
	}
	js := sanitizeText(t, s, "customers.json", `{"customers":[{"name":"Miller","city":"Bonn","n":5}]}`)
	if strings.Contains(js, "Miller") || !strings.Contains(js, `"city":"Bonn","n":5`) {
		t.Errorf("%q", js)
	}
	bad := write("bad.yaml", "kind: Redactor\nspec:\n  redactors:\n  - removals:\n      regexp: []\n")
	if _, err := New(Options{RuleFiles: []string{bad}}); err == nil {
		t.Error("a file with a mistake is accepted")
	}
	if _, err := New(Options{RuleFiles: []string{filepath.Join(dir, "absent.yaml")}}); err == nil {
		t.Error("an absent file is accepted")
	}
}
