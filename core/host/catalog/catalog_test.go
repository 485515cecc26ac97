package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/host/trust"
	"github.com/latchstring/latchstring/core/paths"
)

// shop is a catalog directory with one plugin, acme, in it.
type shop struct {
	t    *testing.T
	root paths.Root
	dir  string
}

func sumOf(data string) string {
	s := sha256.Sum256([]byte(data))
	return hex.EncodeToString(s[:])
}

func newShop(t *testing.T) *shop {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, root: root, dir: filepath.Join(root.Plugins(), "acme")}
	if err := os.MkdirAll(filepath.Join(s.dir, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("acme-plugin", "the program", 0o755)
	s.write("lib/data", "some data", 0o644)
	s.manifest(nil)
	return s
}

func (s *shop) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

// manifest writes plugin.json, changed by change.
func (s *shop) manifest(change func(m map[string]any)) {
	s.t.Helper()
	m := map[string]any{
		"format": Format, "name": "acme", "version": "2.0", "publisher": "acme-corp", "protocols": []int{1},
		"programs": map[string]string{runtime.GOOS + "/" + runtime.GOARCH: "acme-plugin"},
		"files":    map[string]string{"acme-plugin": sumOf("the program"), "lib/data": sumOf("some data")},
		"roles":    []any{map[string]any{"role": "transport", "name": "acme", "needs": map[string]any{"ports": []string{"443"}}}},
	}
	if change != nil {
		change(m)
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(ManifestFile, string(data), 0o644)
}

// sign signs the manifest with a new key of stock ssh-keygen and returns its
// public half.
func (s *shop) sign() string {
	s.t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		s.t.Skip("needs ssh-keygen (Debian package openssh-client)")
	}
	key := filepath.Join(s.t.TempDir(), "key")
	for _, args := range [][]string{
		{"-q", "-t", "ed25519", "-N", "", "-f", key},
		{"-q", "-Y", "sign", "-n", trust.Namespace, "-f", key, filepath.Join(s.dir, ManifestFile)},
	} {
		if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
			s.t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	pub, err := os.ReadFile(key + ".pub")
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(pub))
}

func (s *shop) trust(line string) {
	s.t.Helper()
	if err := os.WriteFile(s.root.Etc(PublishersFile), []byte(line+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) load() Plugin {
	s.t.Helper()
	list, err := Load(s.root, s.root.Var("no-such-builtin"))
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list) != 1 {
		s.t.Fatalf("%d plugins: %+v", len(list), list)
	}
	return list[0]
}

// REQ I4: each state, with its word, its reason and what to do.
func TestStates(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *shop)
		want   State
		reason string
	}{
		{"unsigned", func(*shop) {}, Unsigned, "nobody signed it"},
		{"trusted", func(s *shop) { s.trust("acme-corp " + s.sign()) }, Trusted, ""},
		{"unknown key", func(s *shop) { s.sign() }, UnknownPublisher, "which is not trusted here"},
		{"somebody else's key", func(s *shop) { s.trust("other " + s.sign()) }, UnknownPublisher, "signed with a key of other"},
		{"program changed", func(s *shop) {
			s.trust("acme-corp " + s.sign())
			s.write("acme-plugin", "another program", 0o755)
		}, Modified, "acme-plugin was changed"},
		{"manifest changed", func(s *shop) {
			s.trust("acme-corp " + s.sign())
			s.manifest(func(m map[string]any) { m["version"] = "3" })
		}, Modified, "the signature does not hold"},
		{"garbage for a signature", func(s *shop) { s.write(SignatureFile, "hello", 0o644) }, Modified, "the signature does not hold"},
		{"file too many", func(s *shop) { s.write("lib/extra", "", 0o644) }, Modified, "lib/extra is not in the manifest"},
		{"file missing", func(s *shop) { os.Remove(filepath.Join(s.dir, "lib/data")) }, Modified, "lib/data of the manifest is missing"},
		{"no manifest", func(s *shop) { os.Remove(filepath.Join(s.dir, ManifestFile)) }, Modified, "it has no plugin.json"},
		{"manifest is no JSON", func(s *shop) { s.write(ManifestFile, "{", 0o644) }, Modified, "plugin.json"},
		{"writable file", func(s *shop) { os.Chmod(filepath.Join(s.dir, "lib/data"), 0o666) }, Modified, "can be written by others"},
		{"writable directory", func(s *shop) { os.Chmod(s.dir, 0o775) }, Modified, "can be written by others"},
		{"symbolic link", func(s *shop) {
			os.Remove(filepath.Join(s.dir, "acme-plugin"))
			os.Symlink("/bin/sh", filepath.Join(s.dir, "acme-plugin"))
		}, Modified, "neither a file nor a directory"},
		{"other name", func(s *shop) { s.manifest(func(m map[string]any) { m["name"] = "beta" }) }, Modified, "the manifest is of beta"},
		{"unknown field", func(s *shop) { s.manifest(func(m map[string]any) { m["only_on"] = "x" }) }, Modified, "unknown field"},
		{"path out of it", func(s *shop) {
			s.manifest(func(m map[string]any) { m["files"].(map[string]string)["../x"] = sumOf("") })
		}, Modified, `"../x" cannot be listed`},
		{"program not listed", func(s *shop) {
			s.manifest(func(m map[string]any) { m["programs"].(map[string]string)["linux/arm"] = "other" })
		}, Modified, "is not among the files"},
		{"no roles", func(s *shop) { s.manifest(func(m map[string]any) { m["roles"] = []any{} }) }, Modified, "no roles"},
		{"bad role", func(s *shop) {
			s.manifest(func(m map[string]any) {
				m["roles"] = []any{map[string]any{"role": "root", "name": "x", "needs": map[string]any{}}}
			})
		}, Modified, `role "root/x"`},
		{"later format", func(s *shop) { s.manifest(func(m map[string]any) { m["format"] = "latchstring-plugin/2" }) }, Incompatible, "latchstring-plugin/2"},
		{"other machine", func(s *shop) {
			s.manifest(func(m map[string]any) { m["programs"] = map[string]string{"plan9/mips": "acme-plugin"} })
		}, Incompatible, "it has no program for"},
		{"other protocol", func(s *shop) { s.manifest(func(m map[string]any) { m["protocols"] = []int{7} }) }, Incompatible, "protocols [7]"},
	}
	if os.Geteuid() == 0 {
		tests = append(tests, struct {
			name   string
			change func(s *shop)
			want   State
			reason string
		}{"somebody else's file", func(s *shop) { os.Chown(filepath.Join(s.dir, "lib/data"), 12345, 0) }, Modified, "belongs to user 12345"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t)
			tt.change(s)
			p := s.load()
			if p.State != tt.want || !strings.Contains(p.Reason, tt.reason) {
				t.Errorf("%s (%s), want %s (%s)", p.State, p.Reason, tt.want, tt.reason)
			}
			if p.Fix == "" && p.State != Trusted {
				t.Errorf("%s does not say what to do", p.State)
			}
			if p.State.Whole() {
				f, err := p.Open()
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
		})
	}
}

func TestUnsafeCatalog(t *testing.T) {
	s := newShop(t)
	os.Chmod(s.root.Plugins(), 0o777)
	if _, err := Load(s.root, "/nonexistent"); err == nil || !strings.Contains(err.Error(), "can be written by others") {
		t.Errorf("world-writable catalog: %v", err)
	}
	os.Chmod(s.root.Plugins(), 0o755)
	s.trust("acme-corp nonsense")
	if _, err := Load(s.root, "/nonexistent"); err == nil || !strings.Contains(err.Error(), PublishersFile+":1: ") {
		t.Errorf("broken publishers: %v", err)
	}
	s.trust("")
	os.Chmod(s.root.Etc(PublishersFile), 0o666)
	if _, err := Load(s.root, "/nonexistent"); err == nil || !strings.Contains(err.Error(), "not safe") {
		t.Errorf("world-writable publishers: %v", err)
	}
}

func TestNoCatalog(t *testing.T) {
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := Load(root, "/nonexistent"); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestBuiltin(t *testing.T) {
	path := filepath.Join(t.TempDir(), BuiltinProgram)
	if err := os.WriteFile(path, []byte("built in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if p := loadBuiltin(path, sumOf("built in")); p.State != Builtin || p.Development {
		t.Errorf("pinned: %+v", p)
	}
	if p := loadBuiltin(path, sumOf("something else")); p.State != Modified || p.Fix == "" || p.State.Whole() {
		t.Errorf("wrong checksum: %+v", p)
	}
	if p := loadBuiltin(path, ""); p.State != Builtin || !p.Development {
		t.Errorf("development: %+v", p)
	}
	if err := os.WriteFile(path, []byte("in built"), 0o755); err != nil { // of the same length
		t.Fatal(err)
	}
	if p := loadBuiltin(path, sumOf("built in")); p.State != Modified {
		t.Errorf("changed since: %+v", p)
	}
	if err := os.WriteFile(path, []byte("built in"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chmod(path, 0o777)
	if p := loadBuiltin(path, ""); p.State != Modified {
		t.Errorf("development, anybody may write: %+v", p)
	}
	// With a checksum it does not matter who may write: the bytes are checked.
	if p := loadBuiltin(path, sumOf("built in")); p.State != Builtin {
		t.Errorf("pinned, anybody may write: %+v", p)
	}
	if _, ok := findBuiltin(filepath.Join(t.TempDir(), "none")); ok {
		t.Error("found what is not there")
	}
}

func TestResolveConflicts(t *testing.T) {
	role := func(names ...string) (out []Role) {
		for _, n := range names {
			out = append(out, Role{Role: "transport", Name: n})
		}
		return out
	}
	plugins := []Plugin{
		{Name: "zeta", State: Trusted, Roles: role("b")},
		{Name: "alpha", State: Trusted, Roles: role("a", "b")},
		{Name: "beta", State: Trusted, Roles: role("direct", "c")},
		{Name: "gone", State: Modified, Roles: role("a")},
		{Name: BuiltinProgram, State: Builtin, Roles: role("direct")},
	}
	ResolveConflicts(plugins)
	for i, want := range []State{Incompatible, Trusted, Incompatible, Modified, Builtin} {
		if plugins[i].State != want {
			t.Errorf("%s is %s, want %s", plugins[i].Name, plugins[i].State, want)
		}
	}
	if !strings.Contains(plugins[2].Reason, "transport/direct is already provided by the plugin "+BuiltinProgram) {
		t.Errorf("reason %q", plugins[2].Reason)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"format":"latchstring-plugin/1","name":"a","publisher":"p","files":{"x":"00"},"roles":[]}`))
	f.Add([]byte(`{"format":"latchstring-plugin/2"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		for name := range m.Files {
			if filepath.IsAbs(name) || !filepath.IsLocal(name) {
				t.Fatalf("file %q leads out of the directory", name)
			}
		}
		if len(m.Roles) == 0 || m.Name == "" {
			t.Fatalf("accepted %+v", m)
		}
	})
}
