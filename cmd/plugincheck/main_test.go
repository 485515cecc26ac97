package main

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestMain(m *testing.M) {
	launch.Main()
	os.Exit(m.Run())
}

func runApp(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	var out bytes.Buffer
	a := app()
	a.Writer = &out
	code = cmdline.Run(a, append([]string{"plugincheck"}, args...))
	return out.String(), code
}

// build builds a package of the module, statically: in the sandbox there is no
// loader of shared libraries.
func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs")
	}
	bin := filepath.Join(t.TempDir(), "plugin")
	cmd := exec.Command("go", "build", "-o", bin, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return bin
}

func TestExamplesPass(t *testing.T) {
	bin := build(t, "", "github.com/latchstring/latchstring/sdk/examples/plugin")
	out, code := runApp(t, "--short", "--options", "testdata/examples.json", bin)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	for _, want := range []string{"collect/motd", "auth/totp", "survive", "ok: "} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
}

func TestBadPluginFails(t *testing.T) {
	bin := build(t, "", "./testdata/bad")
	out, code := runApp(t, "--short", "--json", bin, "collect/bad")
	var results []plugintest.Result
	if err := json.Unmarshal([]byte(out), &results); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if code != exitNotHeld {
		t.Errorf("exit code %d", code)
	}
	failed := make(map[string]string)
	for _, r := range results {
		if r.Status == plugintest.Failed {
			failed[r.Case] = strings.Join(r.Log, "\n")
		}
	}
	if !strings.Contains(failed["declared"], "rm -rf /") || !strings.Contains(failed["collect"], "without a reason") {
		t.Errorf("failed: %v", failed)
	}
}

func TestNoPlugin(t *testing.T) {
	for _, args := range [][]string{{}, {"a", "b", "c"}, {"new", "transport"}, {"new", "transport", "../x"}, {"new", "kind", "x"}} {
		if _, code := runApp(t, args...); code != 2 {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	if _, code := runApp(t, "/no/such/plugin"); code != 1 {
		t.Errorf("missing file: exit code %d", code)
	}
	if _, code := runApp(t, "/etc/passwd"); code != 1 {
		t.Errorf("not a program: exit code %d", code)
	}
	bad := filepath.Join(t.TempDir(), "options.json")
	if err := os.WriteFile(bad, []byte(`{"transport/x": {"proxi": "connect"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, code := runApp(t, "--options", bad, "x"); code != 1 {
		t.Errorf("bad options: exit code %d", code)
	}
}

// What `new` makes compiles, passes its own tests and plugincheck.
func TestScaffold(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "it")
			if out, code := runApp(t, "new", kind, "my-plugin", "--dir", dir); code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			if _, code := runApp(t, "new", kind, "my-plugin", "--dir", dir); code != 1 {
				t.Errorf("a second time: exit code %d", code)
			}
			// The author's module would fetch the SDK; tests fetch nothing. So it is
			// built as if it were a package of this module.
			overlay, pkg := overlaid(t, root, dir)
			bin := t.TempDir()
			goRun(t, root, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", filepath.Join(bin, "tests"), pkg)
			goRun(t, dir, filepath.Join(bin, "tests"), "-test.short")
			goRun(t, dir, "go", "mod", "edit", "-json") // it is well formed
			if kind != "transport" {                    // one is enough for the binary
				return
			}
			goRun(t, root, "go", "build", "-overlay", overlay, "-o", filepath.Join(bin, "plugin"), pkg)
			if out, code := runApp(t, "--short", "--options", dir+"/check.json", filepath.Join(bin, "plugin")); code != 0 {
				t.Errorf("plugincheck: exit code %d\n%s", code, out)
			}
		})
	}
}

func goRun(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(name), args, err, out)
	}
}

// overlaid puts the program in dir into a package of this module, for the go
// command alone, and checks that it imports nothing that its author cannot.
func overlaid(t *testing.T, root, dir string) (overlay, pkg string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no program in %s: %v", dir, err)
	}
	replace := map[string]string{}
	for _, f := range files {
		replace[filepath.Join(root, "cmd/plugincheck/testdata/scaffold", filepath.Base(f))] = f
		src, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range src.Imports {
			if p := i.Path.Value; strings.Contains(p, "/latchstring/") && !strings.Contains(p, "/latchstring/sdk") {
				t.Errorf("%s imports %s", filepath.Base(f), p)
			}
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay, "./cmd/plugincheck/testdata/scaffold"
}
