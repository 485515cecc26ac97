package bundler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/bundle"
)

// The commands that policy names are collected, sanitized, and told when they
// fail; none runs through a shell, and what others can write to does not run.
func TestCommandsOfPolicy(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\necho \"args: $*\"\necho 'password=tr0ub4dor-and-3'\necho oops >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	loose := filepath.Join(dir, "loose")
	if err := os.WriteFile(loose, []byte("#!/bin/sh\ntouch "+dir+"/ran\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(loose, 0o777); err != nil {
		t.Fatal(err)
	}
	b := open(t, `bundles {
  commands = ["`+tool+` show $(touch `+dir+`/ran) ; x", "`+loose+`", "no-such-tool", "sh -c touch`+dir+`/ran"]
}
`)
	out := filepath.Join(t.TempDir(), "b.tar.zst")
	made, err := makeBundle(t, b, Request{Only: []string{Commands}, Output: out, NoEncrypt: true})
	if err != nil {
		t.Fatal(err)
	}
	_, files := contents(t, out)
	found := ""
	for name, text := range files {
		if strings.HasPrefix(name, Commands+"/tool-show-") {
			found = text
		}
	}
	if !strings.HasPrefix(found, "args: show $(touch") || strings.Contains(found, "tr0ub4dor") {
		t.Errorf("output: %q of %v", found, made.Manifest.Files)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a shell, or a program that others may write to, was run")
	}
	states := map[bundle.State]int{}
	for _, m := range made.Manifest.Missing {
		if m.Collector == Commands {
			states[m.State]++
		}
	}
	if states[bundle.Absent] != 1 || states[bundle.Refused] != 1 || states[bundle.Failed] != 1 {
		t.Errorf("missing: %+v", made.Manifest.Missing)
	}
	for _, f := range made.Manifest.Files {
		if strings.HasPrefix(f.Path, Commands+"/tool") && (f.ExitCode == nil || *f.ExitCode != 3) {
			t.Errorf("%+v", f)
		}
	}
}
