package policy

import (
	"os"
	"strings"
	"testing"
)

func TestDocumentsAreFresh(t *testing.T) {
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"../../docs/POLICY.md": Document(), "../../policies/schema.json": string(schema)} {
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what the definition says (%v); run go generate ./core/policy", path, err)
		}
	}
}

// Every key is fully defined, and its example loads.
func TestDefinition(t *testing.T) {
	for _, k := range Keys() {
		if k.Doc == "" || k.Default == "" || k.Subject == "" || k.Example == "" || k.Order == "" || k.Kind == "" {
			t.Errorf("%s is not fully defined", k.Path())
		}
		if strings.HasSuffix(k.Doc, ".") == false || k.Doc[:1] != strings.ToUpper(k.Doc[:1]) {
			t.Errorf("%s: its sentence is none: %s", k.Path(), k.Doc)
		}
		p, err := Parse(map[string][]byte{"x.hcl": []byte(indent(k.Block, k.Example))})
		if err != nil {
			t.Errorf("the example of %s: %v", k.Path(), err)
			continue
		}
		found := false
		for _, s := range p.Effective() {
			found = found || s.Key == k.Path() && !s.Default
		}
		if !found {
			t.Errorf("the example of %s says nothing about it", k.Path())
		}
		if k.Block != "" && blockDocs[k.Block] == "" {
			t.Errorf("the block %s has no sentence", k.Block)
		}
		if len(k.Actions) == 0 && k.deny != nil || len(k.Actions) > 0 && k.deny == nil && k.bound == nil {
			t.Errorf("%s decides nothing, or is never asked", k.Path())
		}
		for _, a := range k.Actions {
			if _, ok := needed[a]; !ok {
				t.Errorf("%s has a say in %s, which does not exist", k.Path(), a)
			}
		}
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	doc := Document()
	for _, a := range Actions() {
		if !strings.Contains(doc, "| `"+string(a)+"` |") {
			t.Errorf("%s is missing", a)
		}
		for _, f := range Needed(a) {
			found := false
			for _, known := range KnownFacts() {
				found = found || known == f
			}
			if !found {
				t.Errorf("the fact %s is missing in KnownFacts", f)
			}
		}
	}
}
