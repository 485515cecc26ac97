package policy

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// copyFiles copies the files of a folder to another, with strict modes, and
// makes the folder above both the working directory.
func copyFiles(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, to) {
		if err := os.Chmod(f, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if t, ok := t.(*testing.T); ok {
		t.Chdir(strings.TrimSuffix(to, from))
	}
}

// REQ J1: every mistake of every file at once, with its place and what was
// probably meant.
func TestMistakes(t *testing.T) {
	// The copy has strict modes, which a checkout under umask 002 has not; the
	// golden file names the place as it is here.
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	copyFiles(t, "testdata/mistakes", filepath.Join(t.TempDir(), "testdata", "mistakes"))
	_, err = Load("testdata/mistakes")
	var e *LoadError
	if !errors.As(err, &e) || e.ExitCode() != 4 {
		t.Fatal(err)
	}
	got := err.Error() + "\n"
	golden := filepath.Join(here, "testdata/mistakes.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

func TestBrokenPolicyFailsClosed(t *testing.T) {
	for _, c := range []struct {
		src     string
		bundles bool // still allowed
	}{
		{"session { max_duraton = \"1h\" }", true},
		{"remote_access = \"of\"", true},
		{"engineer { upload = 1 }", true},
		{"bundles { max_sise = \"1GB\" }", false},
		{"bundels { allowed = false }", false},
		{"network { rss = \"x\" }", false},
		{"plugins { deny = 1 }", false},
		{"session {", false},
		{"policy { vesion = 1 }", false},
		{"session { roles = [\"admin\"] }\nbundles { allowed = ${false} }", false},
	} {
		p, err := Parse(map[string][]byte{"x.hcl": []byte(c.src), "y.hcl": []byte("bundles { deny_collectors = [\"logs\"] }")})
		if err == nil {
			t.Errorf("%s: loads", c.src)
		}
		for _, a := range []Action{SessionOpen, SessionExtend, SessionResume, ConnectAccept, AccessShell, AccessCommand, AccessForward, AccessUpload, AccessFetch, RecordingShare, NotifyDisable, WebServe} {
			if p.Decide(a, full()).Allowed {
				t.Errorf("%s: %s is allowed", c.src, a)
			}
		}
		for _, a := range []Action{BundleCreate, BundleCollect, BundleSend, BundleWrite, HostOpen, PluginLaunch, TransportDial} {
			if got := p.Decide(a, full()).Allowed; got != c.bundles {
				t.Errorf("%s: %s allowed: %t", c.src, a, got)
			}
		}
		if c.bundles && p.Decide(BundleCollect, with(full(), "collector", "logs")).Allowed {
			t.Errorf("%s: the rules of the readable file do not hold", c.src)
		}
		if d := p.Decide(PluginLaunch, with(full(), "role", "auth")); d.Allowed {
			t.Errorf("%s: an auth plugin starts", c.src)
		}
		if !p.Decide(SessionClose, full()).Allowed {
			t.Errorf("%s: closing is refused", c.src)
		}
		if word, rule := p.RemoteAccess(); word != "locked_off" || rule.Source.File != "x.hcl" {
			t.Errorf("%s: %s %+v", c.src, word, rule)
		}
		if e := p.Explain(SessionOpen, full()); len(e.Change) != 1 || !strings.Contains(e.Change[0], "mend") {
			t.Errorf("%s: %+v", c.src, e.Change)
		}
	}
}

func TestLoadOfOddDirectories(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("README.md", "not a policy")
	write(".a.hcl.swp", "x")
	write(".hidden.hcl", "x")
	write("a.hcl.sig", "x")
	write("b.hcl", "session { mfa = true }")
	write("c.json", `{"session": {"window": {"w": {"days": ["daily"], "from": "00:00", "to": "24:00", "zone": "UTC"}}}, "bundles": {"redact": {"r": {"literal": "secret"}}}}`)
	p, err := Load(dir)
	if err != nil || len(p.Files()) != 2 {
		t.Fatalf("%v %+v", err, p.Files())
	}
	if r := p.Redactions(); len(r) != 1 || r[0].Literal != "secret" {
		t.Errorf("%+v", r)
	}
	if d := p.Decide(SessionOpen, with(full(), "mfa", "true")); !d.Allowed || !d.Limits.Until.IsZero() {
		t.Errorf("%+v", d)
	}
	write("d.hcl", `policy { name = "b" }`)
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), `called "b"`) {
		t.Error(err)
	}
	os.Remove(filepath.Join(dir, "d.hcl"))
	if err := os.Mkdir(filepath.Join(dir, "e.hcl"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Error(err)
	}
}

// Texts that would cost a parser its stack or its memory.
func TestHostileFiles(t *testing.T) {
	for name, src := range map[string]string{
		"deep lists":       "a = " + strings.Repeat("[", 100000),
		"deep blocks":      strings.Repeat("a {\n", 50000),
		"deep templates":   "a = " + strings.Repeat("\"${", 50000),
		"operators":        "a = " + strings.Repeat("!", 200000) + "true",
		"conditions":       "a = " + strings.Repeat("true ? ", 30000),
		"parentheses":      "a = " + strings.Repeat("(", 200000),
		"huge":             strings.Repeat("# comment\n", 100000),
		"huge number":      "approval { people = 1e999999999 }",
		"big number":       "approval { people = " + strings.Repeat("9", 100000) + " }",
		"control bytes":    "session { \x1b[31m = 1 }",
		"nul":              "session { users = [\"a\x00b\"] }",
		"not utf-8":        "session { users = [\"\xff\xfe\"] }",
		"escape":           "session {\n reason = \"\\u001b[31m\"\n}",
		"escape in name":   "policy {\n name = \"\\u001b[31m\"\n}",
		"escape in label":  "bundles {\n redact \"\\u001b[31m\" {\n literal = \"abc\"\n }\n}",
		"heredoc":          "session { users = [<<X\nada\nX\n] }",
		"for":              "session { users = [for i in [1]: i] }",
		"call":             "session { users = file(\"/etc/shadow\") }",
		"variable":         "session { users = var.users }",
		"null":             "session { users = null }",
		"null in a list":   "session { users = [null] }",
		"object":           "session { users = {a = 1} }",
		"json deep":        strings.Repeat("[", 100000),
		"regexp":           "bundles {\n redact \"x\" {\n regexp = \"(a*)*\"\n anchors = [\"abc\"]\n }\n}",
		"regexp too large": "bundles {\n redact \"x\" {\n regexp = \"(a{1000}){1000}\"\n anchors = [\"abc\"]\n }\n}",
	} {
		t.Run(name, func(t *testing.T) {
			file := "x.hcl"
			if strings.HasPrefix(name, "json") {
				file = "x.json"
			}
			_, err := Parse(map[string][]byte{file: []byte(src)})
			if err == nil {
				t.Fatal("loads")
			}
			if len(err.Error()) > 100_000 || strings.ContainsAny(err.Error(), "\x1b\x00") {
				t.Errorf("the message is hostile too: %d bytes", len(err.Error()))
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, k := range Keys() {
		f.Add([]byte(indent(k.Block, k.Example)), false)
	}
	for _, dir := range []string{"testdata/mistakes/*"} {
		files, _ := filepath.Glob(dir)
		for _, name := range files {
			src, _ := os.ReadFile(name)
			f.Add(src, strings.HasSuffix(name, ".json"))
		}
	}
	questions := []Action{SessionOpen, BundleSend, HostOpen, AccessCommand, PluginLaunch}
	f.Fuzz(func(t *testing.T, src []byte, isJSON bool) {
		name := "x.hcl"
		if isJSON {
			name = "x.json"
		}
		start := time.Now()
		defer func() {
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%d bytes took %v", len(src), d)
			}
		}()
		p, err := Parse(map[string][]byte{name: src}, clockAt(monday))
		if err != nil && p.Decide(SessionOpen, full()).Allowed {
			t.Errorf("%q does not load and allows", src)
		}
		if strings.ContainsAny(errText(err), "\x00\x1b") {
			t.Errorf("control bytes in %q", err)
		}
		for _, a := range questions {
			if !Default().Decide(a, full()).Allowed {
				t.Fatal("the default changed")
			}
			_ = p.Explain(a, full()).Text()
		}
		_ = p.Effective()
		_ = Diff(Default(), p)
	})
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// In the JSON form too, a text is a text.
func TestJSONHoldsNoCode(t *testing.T) {
	p, err := Parse(map[string][]byte{"x.json": []byte(`{"session": {"users": ["${upper(\"a\")}"]}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Decide(SessionOpen, with(full(), "user", `${upper("a")}`)); !d.Allowed {
		t.Error(d.Err())
	}
	if d := p.Decide(SessionOpen, with(full(), "user", "A")); d.Allowed {
		t.Error("the text was run")
	}
}
