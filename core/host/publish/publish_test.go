package publish

import (
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/paths"
)

// program is a plugin, built once.
var program []byte

func TestMain(m *testing.M) {
	launch.Main()
	dir, err := os.MkdirTemp("", "publish-test-")
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "plugin")
	build := exec.Command("go", "build", "-o", path, "../../../sdk/testdata/v1")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	if program, err = os.ReadFile(path); err != nil {
		panic(err)
	}
	os.RemoveAll(dir)
	os.Exit(m.Run())
}

func signer(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, path string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// directory is what an author has: a program and a file.
func directory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "acme")
	put(t, filepath.Join(dir, "acme"), program, 0o755)
	put(t, filepath.Join(dir, "share", "words.txt"), []byte("words\n"), 0o644)
	return dir
}

func published(t *testing.T, key ssh.Signer) string {
	t.Helper()
	dir := directory(t)
	if _, err := Make(t.Context(), dir, Options{Publisher: "acme"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(dir, key); err != nil {
		t.Fatal(err)
	}
	return dir
}

func machine(t *testing.T) paths.Root {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err == nil {
		err = root.Make()
	}
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func wants(t *testing.T, what string, err error, words string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %v, want %q", what, err, words)
	}
}

// REQ I3, I4: from its author to a machine, trusted, upgraded, withdrawn.
func TestFromAuthorToMachine(t *testing.T) {
	key, root := signer(t), machine(t)
	dir := published(t, key)
	p, err := Install(root, dir)
	if err != nil || p.State != catalog.UnknownPublisher {
		t.Fatalf("before anybody is trusted: %s, %v", p.State, err)
	}
	if err := Trust(root, "acme", key.PublicKey()); err != nil {
		t.Fatal(err)
	}
	if p, err = Install(root, dir); err != nil || p.State != catalog.Trusted || p.Name != "frozen" || len(p.Roles) != 1 {
		t.Fatalf("trusted: %+v, %v", p, err)
	}
	left, _ := os.ReadDir(root.Plugins())
	if len(left) != 1 {
		t.Errorf("beside the plugin there is %v", left)
	}
	if b, err := os.ReadFile(filepath.Join(root.Plugins(), "frozen", "share", "words.txt")); err != nil || string(b) != "words\n" {
		t.Errorf("its file: %q, %v", b, err)
	}
	gone, err := Distrust(root, ssh.FingerprintSHA256(key.PublicKey()))
	if err != nil || len(gone) != 1 || gone[0].Name != "acme" {
		t.Errorf("distrust: %v, %v", gone, err)
	}
	if p, err = Install(root, dir); err != nil || p.State != catalog.UnknownPublisher {
		t.Errorf("after trust was taken away: %s, %v", p.State, err)
	}
	if err := Remove(root, "frozen"); err != nil {
		t.Error(err)
	}
	wants(t, "remove twice", Remove(root, "frozen"), "no plugin")
}

// What is not whole never gets into the catalog, and what is there stays.
func TestNotWhole(t *testing.T) {
	key, root := signer(t), machine(t)
	if err := Trust(root, "acme", key.PublicKey()); err != nil {
		t.Fatal(err)
	}
	if _, err := Install(root, published(t, key)); err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func(dir string) error{
		"a byte of the program": func(dir string) error { return os.WriteFile(filepath.Join(dir, "acme"), append(program, 'x'), 0o755) },
		"a byte of a file": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "share", "words.txt"), []byte("Words\n"), 0o644)
		},
		"a file is missing": func(dir string) error { return os.Remove(filepath.Join(dir, "share", "words.txt")) },
		"a link out": func(dir string) error {
			os.Remove(filepath.Join(dir, "share", "words.txt"))
			return os.Symlink("/etc/passwd", filepath.Join(dir, "share", "words.txt"))
		},
		"no manifest": func(dir string) error { return os.Remove(filepath.Join(dir, catalog.ManifestFile)) },
		"a manifest that climbs": func(dir string) error {
			return replace(filepath.Join(dir, catalog.ManifestFile), `"share/words.txt"`, `"../../words.txt"`)
		},
		"another name for it": func(dir string) error {
			return replace(filepath.Join(dir, catalog.ManifestFile), `"name": "frozen"`, `"name": "../frozen"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := published(t, key)
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			if p, err := Install(root, dir); err == nil {
				t.Errorf("it is installed: %s", p.State)
			}
			publishers, err := catalog.Publishers(root)
			if err != nil {
				t.Fatal(err)
			}
			if p := catalog.Inspect(filepath.Join(root.Plugins(), "frozen"), publishers); p.State != catalog.Trusted {
				t.Errorf("the one that was there is %s: %s", p.State, p.Reason)
			}
			if left, _ := os.ReadDir(root.Plugins()); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func replace(path, old, fresh string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Replace(string(b), old, fresh, 1)), 0o644)
}

// A manifest that was changed after it was signed is not its publisher's.
func TestSignature(t *testing.T) {
	key, root := signer(t), machine(t)
	if err := Trust(root, "acme", key.PublicKey()); err != nil {
		t.Fatal(err)
	}
	dir := published(t, key)
	if err := replace(filepath.Join(dir, catalog.ManifestFile), `"version": "1.0.0"`, `"version": "9.9.9"`); err != nil {
		t.Fatal(err)
	}
	p, err := Install(root, dir)
	if err == nil && p.State == catalog.Trusted {
		t.Error("a changed manifest is trusted")
	}
	// Another's signature, under the name that is trusted.
	dir = published(t, signer(t))
	if p, err = Install(root, dir); err == nil && p.State == catalog.Trusted {
		t.Errorf("a stranger speaks for acme: %+v", p)
	}
	// A new manifest has no old signature.
	dir = published(t, key)
	if _, err := Make(t.Context(), dir, Options{}); err != nil {
		t.Fatal(err) // the publisher is known from the last one
	}
	if _, err := os.Stat(filepath.Join(dir, catalog.SignatureFile)); err == nil {
		t.Error("the signature of the former manifest is still there")
	}
	put(t, filepath.Join(dir, "more"), []byte("x"), 0o644)
	_, err = Sign(dir, key)
	wants(t, "sign what the manifest does not fit", err, "more")
}

func TestMakeRefuses(t *testing.T) {
	empty := t.TempDir()
	_, err := Make(t.Context(), empty, Options{Publisher: "acme"})
	wants(t, "nothing there", err, "program")
	_, err = Make(t.Context(), directory(t), Options{})
	wants(t, "nobody signs", err, "publisher")
	_, err = Make(t.Context(), directory(t), Options{Publisher: "acme", Programs: map[string]string{platform: "other"}})
	wants(t, "a program that is not there", err, "other")
	_, err = Make(t.Context(), directory(t), Options{Publisher: "acme", Programs: map[string]string{"plan9/mips": "acme"}})
	wants(t, "no program for this machine", err, platform)
	dir := directory(t)
	put(t, filepath.Join(dir, "acme"), []byte("#!/bin/sh\necho hello\n"), 0o755)
	_, err = Make(t.Context(), dir, Options{Publisher: "acme"})
	wants(t, "a program that is no plugin", err, "ask")
	_, err = Sign(empty, signer(t))
	wants(t, "sign nothing", err, "sign the plugin")
}

func TestPublishers(t *testing.T) {
	root, one, two := machine(t), signer(t).PublicKey(), signer(t).PublicKey()
	file := root.Etc(catalog.PublishersFile)
	put(t, file, []byte("# ours, see the wiki"), 0o644) // without an end of line
	for _, k := range []ssh.PublicKey{one, two} {
		if err := Trust(root, "acme", k); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "trust twice", Trust(root, "acme", one), "trusted already")
	wants(t, "a name that would be several", Trust(root, "a,b *", one), "trust a publisher")
	wants(t, "a name with a line of its own", Trust(root, "x\nroot", one), "")
	if list, err := Trusted(root); err != nil || len(list) != 2 {
		t.Errorf("trusted: %v, %v", list, err)
	}
	if gone, err := Distrust(root, ssh.FingerprintSHA256(one)); err != nil || len(gone) != 1 {
		t.Errorf("one key: %v, %v", gone, err)
	}
	if gone, err := Distrust(root, "acme"); err != nil || len(gone) != 1 {
		t.Errorf("the rest: %v, %v", gone, err)
	}
	_, err := Distrust(root, "acme")
	wants(t, "nobody is left", err, "no publisher that is trusted")
	if b, _ := os.ReadFile(file); string(b) != "# ours, see the wiki\n" {
		t.Errorf("the file is now %q", b)
	}
	for _, name := range []string{"", "..", "../x", ".", "x/y"} {
		wants(t, "remove "+name, Remove(root, name), "no name of a plugin")
	}
}
