package latchstring

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file of the repository.
type source struct {
	path    string // from the root, with slashes
	pkg     string // its directory
	name    string // package name
	doc     bool   // has a package comment
	test    bool
	main    bool
	imports []string
}

// sources parses the imports and package comments of every Go file.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	walk(t, ".", func(path string) {
		if !strings.HasSuffix(path, ".go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s := source{
			path: path,
			pkg:  filepath.ToSlash(filepath.Dir(path)),
			name: f.Name.Name,
			doc:  f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "",
			test: strings.HasSuffix(path, "_test.go"),
			main: f.Name.Name == "main",
		}
		for _, imp := range f.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			s.imports = append(s.imports, p)
		}
		all = append(all, s)
	})
	if len(all) < 10 {
		t.Fatalf("found only %d Go files; is the test run from the root?", len(all))
	}
	return all
}

// walk calls fn for every file of ours, with the path from the root.
func walk(t *testing.T, root string, fn func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			// Hidden directories and build output are not ours.
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || path == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		fn(filepath.ToSlash(path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dirsBelow lists the directories right below dir.
func dirsBelow(dir string) []string {
	entries, _ := filepath.Glob(dir + "/*")
	for i, e := range entries {
		entries[i] = filepath.ToSlash(e)
	}
	return entries
}
