package seal

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/paths"
)

const crashVariable = "LATCHSTRING_TEST_SEAL"

// The test binary seals a directory for itself, and kills itself at a step.
func TestMain(m *testing.M) {
	if arg := os.Getenv(crashVariable); arg != "" {
		n, dir := 0, ""
		fmt.Sscanf(arg, "%d %s", &n, &dir)
		root, err := paths.New(dir)
		if err != nil {
			panic(err)
		}
		step = func(string) error {
			if n--; n == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}
		if err := Seal(root, record()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if _, err := Prove(root, newKey()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func record() Record {
	return Record{SealedAt: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), Host: "sa1", By: "uid:0(root)", Cause: "disable --permanently"}
}

func newRoot(t *testing.T) paths.Root {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	return root
}

type key struct{ ssh.Signer }

func newKey() key {
	_, priv, _ := ed25519.GenerateKey(nil)
	s, _ := ssh.NewSignerFromSigner(priv)
	return key{s}
}

func (k key) Sign(namespace string, message []byte) ([]byte, error) {
	sig, err := sshsig.Sign(bytes.NewReader(message), k.Signer, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(sig), nil
}

func TestSeal(t *testing.T) {
	root := newRoot(t)
	if s := Check(root); s.Disabled() || len(s.Missing) > 0 {
		t.Fatalf("new system: %+v", s)
	}
	if err := Seal(root, record()); err != nil {
		t.Fatal(err)
	}
	s := Check(root)
	if !s.Sealed || s.Record.Host != "sa1" || len(s.Missing) > 0 {
		t.Fatalf("%+v", s)
	}
	again := record()
	again.Host = "another"
	if err := Seal(root, again); err != nil || Check(root).Record.Host != "sa1" {
		t.Errorf("sealing again changed the record: %v %+v", err, Check(root).Record)
	}
}

// REQ G6: no place alone is needed, and each alone is enough.
func TestEachPlaceIsEnough(t *testing.T) {
	for i := range Places(newRoot(t)) {
		root := newRoot(t)
		place := Places(root)[i]
		for _, content := range []string{"", "{", `{"version":1,"host":"x"}`} {
			if err := os.WriteFile(place, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			if s := Check(root); !s.Sealed || len(s.Missing) != 3 {
				t.Errorf("%s with %q: %+v", place, content, s)
			}
		}
		if err := Mend(root); err != nil {
			t.Fatal(err)
		}
		if s := Check(root); len(s.Missing) > 0 || s.Record.Version == 0 {
			t.Errorf("after mending: %+v", s)
		}
	}
	root := newRoot(t)
	if err := Mend(root); err != nil || Check(root).Sealed {
		t.Error("mending sealed a system that was not sealed")
	}
}

// REQ G6: a backup of configuration, of state, or of both from before.
func TestRestoredBackup(t *testing.T) {
	for _, restore := range [][]string{{"etc"}, {"var"}, {"etc", "var"}} {
		root := newRoot(t)
		backup := t.TempDir()
		run(t, "cp", "-a", root.Dir+"/.", backup)
		if err := Seal(root, record()); err != nil {
			t.Fatal(err)
		}
		for _, dir := range restore {
			run(t, "rm", "-rf", filepath.Join(root.Dir, dir))
			run(t, "cp", "-a", filepath.Join(backup, dir), root.Dir)
		}
		s := Check(root)
		if !s.Sealed || len(s.Missing) == 0 {
			t.Errorf("%v restored: %+v", restore, s)
		}
	}
}

// The files are gone one by one, but the directories stayed.
func TestMarkOnDirectories(t *testing.T) {
	root := newRoot(t)
	if err := Seal(root, record()); err != nil {
		t.Fatal(err)
	}
	if !isMarked(root.Var()) {
		t.Skip("this file system takes no extended attributes")
	}
	for _, p := range Places(root) {
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	if s := Check(root); !s.Sealed {
		t.Errorf("%+v", s)
	}
}

// REQ J2: kill -9 before each write. Once the first file exists the system is
// sealed, and sealing again completes it.
func TestKilledAtEveryStep(t *testing.T) {
	sealedBefore := false
	for n := 1; ; n++ {
		root := newRoot(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", crashVariable, n, root.Dir))
		out, err := cmd.CombinedOutput()
		s := Check(root)
		if err == nil {
			if !s.Sealed || n < 15 {
				t.Fatalf("finished after %d steps: %+v", n, s)
			}
			return
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("step %d: %v %s", n, err, out)
		}
		if sealedBefore && !s.Sealed {
			t.Errorf("step %d: not sealed any more", n)
		}
		if n > 2 && !s.Sealed { // 1 makes the directory, 2 creates the file
			t.Errorf("killed at step %d: not sealed", n)
		}
		sealedBefore = s.Sealed
		if s.Sealed {
			if err := Mend(root); err != nil {
				t.Errorf("step %d: mend: %v", n, err)
			}
			if s := Check(root); !s.Sealed || len(s.Missing) > 0 || s.Record.Version == 0 {
				t.Errorf("step %d: after mending %+v", n, s)
			}
		}
	}
}

// Every single write fails: the others do.
func TestFailingSteps(t *testing.T) {
	defer func() { step = func(string) error { return nil } }()
	var names []string
	step = func(name string) error { names = append(names, name); return nil }
	if err := Seal(newRoot(t), record()); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		root, n := newRoot(t), 0
		step = func(string) error {
			if n++; n == i+1 {
				return syscall.ENOSPC
			}
			return nil
		}
		err := Seal(root, record())
		if !Check(root).Sealed {
			t.Errorf("step %q failed, and nothing is sealed: %v", name, err)
		}
		if err == nil && !strings.HasPrefix(name, "mark") {
			t.Errorf("step %q failed, and nobody was told", name)
		}
	}
	// When nothing at all can be written, that is said, and it is the truth.
	step = func(string) error { return syscall.EROFS }
	root := newRoot(t)
	if err := Seal(root, record()); err == nil || Check(root).Sealed || !strings.Contains(err.Error(), "NOT sealed") {
		t.Errorf("%v %+v", err, Check(root))
	}
}

// REQ J2: a full disk. Files without content still fit.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("cannot mount a small file system:", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	err = Seal(root, record())
	if s := Check(root); !s.Sealed || len(s.Missing) > 0 {
		t.Errorf("%v %+v", err, s)
	}
	if err == nil {
		t.Error("nobody was told that the record could not be written")
	}
}

// What cannot be looked at counts as sealed.
func TestUnreadableIsDisabled(t *testing.T) {
	root := newRoot(t)
	if err := os.RemoveAll(root.Etc()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("etc", root.Etc()); err != nil { // ELOOP, also for root
		t.Fatal(err)
	}
	if s := Check(root); s.Sealed || !s.Disabled() || s.Trouble == nil {
		t.Errorf("%+v", s)
	}
}

func TestProof(t *testing.T) {
	root := newRoot(t)
	k := newKey()
	if _, err := Prove(root, k); err == nil {
		t.Error("proved what is not so")
	}
	r := record()
	r.Files = []File{{"/etc/latchstring/policies.d/off.hcl", strings.Repeat("a", 64)}}
	r.Cause = "a policy\nwith a line end"
	if err := Seal(root, r); err != nil {
		t.Fatal(err)
	}
	p, err := Prove(root, k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is missing (Debian package openssh-client)")
	}
	run(t, "sh", "-c", p.Command())
	text, err := os.ReadFile(p.Statement)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("a policy with a line end\n")) {
		t.Errorf("%s", text)
	}
	if err := os.WriteFile(p.Statement, bytes.Replace(text, []byte("sa1"), []byte("sa2"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if exec.Command("sh", "-c", p.Command()).Run() == nil {
		t.Error("a changed statement passes")
	}
}

func TestFreeze(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := freeze(path); err != nil {
		t.Skip("this file system or user cannot make files immutable:", err)
	}
	if err := os.Remove(path); err == nil {
		t.Error("an immutable file was removed")
	}
	run(t, "chattr", "-i", path)
}

// Law: nothing here takes a seal away.
func TestNothingRemoves(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Remove", "RemoveAll", "Rename", "Truncate", "Unlink", "Removexattr":
					t.Errorf("%s uses %s", name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
