package main

import (
	"bytes"
	"encoding/json"
	"fmt"
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
			// The author's module would fetch the SDK; tests fetch nothing.
			sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
				t.Fatal(err)
			}
			// Nor does it look at what only the go.mod files of others name: that is
			// in no fresh module cache.
			mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			_, requires, ok := bytes.Cut(mod, []byte("\nrequire ("))
			if !ok {
				t.Fatal("go.mod requires nothing")
			}
			f, err := os.OpenFile(filepath.Join(dir, "go.mod"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(f, "\nrequire (%s", requires); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			bin := filepath.Join(t.TempDir(), "plugin")
			todo := [][]string{
				{"mod", "edit", "-replace", "github.com/latchstring/latchstring=" + root},
				{"test", "-short", "."},
			}
			if kind == "transport" { // one is enough for the binary
				todo = append(todo, []string{"build", "-o", bin, "."})
			}
			for _, args := range todo {
				cmd := exec.Command("go", args...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOPROXY=off")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("go %v: %v\n%s", args[0], err, out)
				}
			}
			if kind != "transport" {
				return
			}
			if out, code := runApp(t, "--short", "--options", dir+"/check.json", bin); code != 0 {
				t.Errorf("plugincheck: exit code %d\n%s", code, out)
			}
		})
	}
}
