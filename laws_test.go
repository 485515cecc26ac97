package latchstring

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const (
	maxLines     = 700 // one idea a file
	maxMainLines = 60  // a main function wires, it does not work
)

func TestFilesAreShort(t *testing.T) {
	walk(t, ".", func(path string) {
		if !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".s") {
			return
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		limit := maxLines
		if filepath.Base(path) == "main.go" && strings.HasPrefix(path, "cmd/") {
			limit = maxMainLines
		}
		if n := bytes.Count(b, []byte("\n")); n > limit && !generated(b) {
			t.Errorf("%s has %d lines, more than %d: split it by idea", path, n, limit)
		}
	})
}

func generated(b []byte) bool {
	head := b[:min(len(b), 2000)]
	return bytes.Contains(head, []byte("// Code generated ")) && bytes.Contains(head, []byte("DO NOT EDIT."))
}

func TestEveryPackageIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.pkg] = documented[s.pkg] || s.doc
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment: say in doc.go what it is for", pkg)
		}
	}
}

func TestModule(t *testing.T) {
	b, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 {
		t.Errorf("go.mod replaces %s: what is built must be what is published", mod.Replace[0].Old.Path)
	}
	walk(t, ".", func(path string) {
		if filepath.Base(path) == "go.mod" && path != "go.mod" {
			t.Errorf("%s: there is one module", path)
		}
	})
}

// What we commit says nothing about the machines that it was written on.
func TestNoForeignPlaces(t *testing.T) {
	words := []string{"goproxy" + ".", "/work" + "/"}
	walk(t, ".", func(path string) {
		b, err := os.ReadFile(path)
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			return
		}
		for _, w := range words {
			if bytes.Contains(b, []byte(w)) {
				t.Errorf("%s contains %q", path, w)
			}
		}
	})
}
