package bundler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/bundle"
)

// REQ H10, G11: policy can forbid or limit bundles, and says with which line.
func TestPolicy(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.log"), strings.Repeat("nothing special here\n", 100))
	tests := []struct {
		name, hcl string
		req       func(*Request)
		want      string // in the error; empty: allowed
	}{
		{"no policy", "", nil, ""},
		{"bundles forbidden", "bundles {\n  allowed = false\n}\n", nil, "test.hcl:2,"},
		{"files forbidden", "bundles {\n  write = false\n}\n", nil, "may not be written to a file"},
		{"too large", "bundles {\n  max_size = \"100B\"\n}\n", nil, "larger than"},
		{"collector forbidden and asked for", "bundles {\n  deny_collectors = [\"system\"]\n}\n", func(r *Request) { r.Only = []string{"system"} }, "test.hcl:2,"},
		{"include forbidden", "bundles {\n  deny_collectors = [\"files\"]\n}\n", nil, "files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, tt.hcl)
			req := onlyFiles(dir)
			req.Output, req.NoEncrypt = filepath.Join(t.TempDir(), "out"), true
			if tt.req != nil {
				tt.req(&req)
			}
			_, err := makeBundle(t, b, req)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if exitCode(err) != 3 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(req.Output); err == nil {
				t.Error("a refused bundle was written")
			}
			if ev := events(t, b); !strings.Contains(ev, "policy.refused") {
				t.Errorf("audit: %s", ev)
			}
		})
	}
}

func TestForbiddenCollectorIsLeftOutAndTold(t *testing.T) {
	b := open(t, "bundles {\n  deny_collectors = [\"logs\", \"config\"]\n}\n")
	made, err := makeBundle(t, b, Request{Output: filepath.Join(t.TempDir(), "b"), NoEncrypt: true})
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for _, m := range made.Manifest.Missing {
		if m.State == bundle.Refused && m.Name == "" {
			refused[m.Collector] = true
		}
	}
	if len(refused) != 2 || !refused["logs"] || !refused["config"] {
		t.Errorf("refused %v", refused)
	}
	for _, c := range made.Manifest.Collectors {
		if refused[c.Name] {
			t.Errorf("%s ran", c.Name)
		}
	}
}

// A file that policy keeps out stays out although the user names it, and a
// redaction of policy is applied.
func TestPolicyOnContent(t *testing.T) {
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	write(t, filepath.Join(dir, "secret/customers.log"), "Ada Lovelace\n")
	write(t, filepath.Join(dir, "app.log"), "order of ACME-4711 shipped\n")
	b := open(t, "bundles {\n  deny_paths = [\""+dir+"/secret/**\"]\n  redact \"orders\" {\n    literal = \"ACME-4711\"\n  }\n}\n")
	out := filepath.Join(t.TempDir(), "b")
	req := onlyFiles(dir)
	req.Output, req.NoEncrypt = out, true
	made, err := makeBundle(t, b, req)
	if err != nil {
		t.Fatal(err)
	}
	_, files := contents(t, out)
	for p, text := range files {
		if strings.Contains(text, "Lovelace") || strings.Contains(text, "ACME-4711") {
			t.Errorf("%s: %q", p, text)
		}
	}
	told := false
	for _, m := range made.Manifest.Missing {
		told = told || strings.HasSuffix(m.Name, "customers.log")
	}
	if !told {
		t.Errorf("missing: %+v", made.Manifest.Missing)
	}
}
