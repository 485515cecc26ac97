package localcfg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDocumentIsFresh(t *testing.T) {
	got, err := os.ReadFile("../../docs/LOCAL-CFG.md")
	if err != nil || string(got) != Document() {
		t.Errorf("docs/LOCAL-CFG.md is not what the definition says (%v); run go generate ./core/localcfg", err)
	}
}

// Every key is fully defined, and its example is one line that says it.
func TestDefinition(t *testing.T) {
	for _, k := range Keys() {
		if k.Name == "" || k.Default == "" || !strings.HasSuffix(k.Doc, ".") || k.check == nil {
			t.Errorf("%s is not fully defined", k.Name)
		}
		path := filepath.Join(t.TempDir(), "local.cfg")
		if err := os.WriteFile(path, []byte(k.Example+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Load(path)
		if err != nil {
			t.Errorf("the example of %s: %v", k.Name, err)
			continue
		}
		if _, ok := f.Get(k.Name); !ok || len(f.Entries) != 1 {
			t.Errorf("the example of %s says something else: %+v", k.Name, f.Entries)
		}
	}
}
