package sdk_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateAPI = flag.Bool("update", false, "write the list of the API anew")

// What authors build on, as it was published: it may grow, nothing in it may
// change or go.
const apiFile = "testdata/api-v1.txt"

func TestAPIIsKept(t *testing.T) {
	var now []string
	for _, dir := range []string{".", "auth", "collect", "config", "eventsink", "failure", "needs", "plugintest", "transport"} {
		now = append(now, api(t, dir)...)
	}
	slices.Sort(now)
	if *updateAPI {
		if err := os.WriteFile(apiFile, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	then, err := os.ReadFile(apiFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(then)) {
		if line = strings.TrimSuffix(line, "\n"); !slices.Contains(now, line) {
			t.Errorf("was published, and is no more: %s", line)
		}
	}
}

// api lists the exported names of a package, one a line with its type.
func api(t *testing.T, dir string) []string {
	t.Helper()
	set := token.NewFileSet()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	pkg := filepath.Base(dir)
	if dir == "." {
		pkg = "sdk"
	}
	var out []string
	say := func(what string, node any) {
		var b bytes.Buffer
		if err := printer.Fprint(&b, set, node); err != nil {
			t.Fatal(err)
		}
		out = append(out, pkg+": "+what+strings.Join(strings.Fields(b.String()), " "))
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
					d.Body, d.Doc = nil, nil
					say("", d)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						if s.Name.IsExported() {
							typeAPI(s, say)
						}
					case *ast.ValueSpec:
						for _, n := range s.Names {
							if n.IsExported() {
								out = append(out, pkg+": "+d.Tok.String()+" "+n.Name)
							}
						}
					}
				}
			}
		}
	}
	return out
}

// typeAPI lists a type: fields and methods each on a line, so that a struct, or
// an interface that the SDK implements, may grow.
func typeAPI(s *ast.TypeSpec, say func(string, any)) {
	var list *ast.FieldList
	switch typ := s.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		say("type "+s.Name.Name+" ", s.Type)
		return
	}
	for _, field := range list.List {
		for _, n := range field.Names {
			if n.IsExported() {
				say("type "+s.Name.Name+"."+n.Name+" ", field.Type)
			}
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	typ := d.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// Interfaces that authors implement have one method, for ever.
func TestRequiredInterfacesDoNotGrow(t *testing.T) {
	listed := make(map[string]int)
	for _, dir := range []string{"auth", "collect", "eventsink", "transport"} {
		if _, err := fs.Stat(os.DirFS("."), dir); err != nil {
			t.Fatal(err)
		}
		for _, line := range api(t, dir) {
			for _, name := range []string{"transport: type Transport.", "collect: type Collector.", "auth: type Method.", "eventsink: type Sink."} {
				if strings.HasPrefix(line, name) {
					listed[name]++
				}
			}
		}
	}
	for name, n := range listed {
		if n != 1 {
			t.Errorf("%s has %d methods", name, n)
		}
	}
	if len(listed) != 4 {
		t.Errorf("found %v", listed)
	}
}
