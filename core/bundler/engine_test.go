package bundler

import (
	"os"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/sanitize"
)

// What a bundle calls a machine can be turned back here, in another process,
// and nowhere else.
func TestReveal(t *testing.T) {
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Reveal(root, false, []string{"10.0.0.1"}); err == nil || !strings.Contains(err.Error(), "no pseudonym key") {
		t.Errorf("without a key: %v", err)
	}
	e, err := NewEngine(root, EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const text = "connect to 10.20.30.40 and db1.corp.example.com failed\n"
	var out strings.Builder
	if _, err := e.Copy(t.Context(), &out, strings.NewReader(text), sanitize.File{Name: "x.log"}); err != nil {
		t.Fatal(err)
	}
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(out.String())
	if out.String() == text || len(words) != 6 {
		t.Fatalf("got %q", out.String())
	}
	back, err := Reveal(root, false, []string{words[2], words[4], "h-0000aaaa"})
	if err != nil {
		t.Fatal(err)
	}
	// A name that no dictionary and no shape gives away stays as it is.
	kept := words[4] == "db1.corp.example.com"
	if back[0].Name != "10.20.30.40" || !kept && back[1].Name != "db1.corp.example.com" || back[2].Error == "" {
		t.Errorf("%q came back as %+v", out.String(), back)
	}
	other, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(other, EngineOptions{}); err != nil {
		t.Fatal(err)
	}
	if back, err := Reveal(other, false, []string{words[2], words[4]}); err != nil || back[0].Name == "10.20.30.40" || !kept && back[1].Name != "" {
		t.Errorf("with another key: %+v, %v", back, err)
	}
	for _, p := range []string{KeyPath(root), BookPath(root)} {
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", p, st, err)
		}
		if data, _ := os.ReadFile(p); strings.Contains(string(data), "corp.example") {
			t.Errorf("%s holds the name in clear", p)
		}
	}
}
