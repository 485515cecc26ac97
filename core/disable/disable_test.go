package disable

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

const crashVariable = "LATCHSTRING_TEST_DISABLE"

// The test binary disables a system for itself, and kills itself at a step.
func TestMain(m *testing.M) {
	if arg := os.Getenv(crashVariable); arg != "" {
		n, dir := 0, ""
		fmt.Sscanf(arg, "%d %s", &n, &dir)
		o, err := options(dir)
		if err != nil {
			panic(err)
		}
		o.Before = func(string) error {
			if n--; n == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}
		if _, err := Run(o, record()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func options(dir string) (o Options, err error) {
	if o.Root, err = paths.New(dir); err != nil {
		return o, err
	}
	if o.System, err = identity.Open(o.Root.Identity()); err != nil {
		return o, err
	}
	o.Audit, err = audit.Open(o.Root.Audit(), audit.WithSigner(o.System))
	o.Actor, o.Cut = "test", func() error { return nil }
	return o, err
}

func record() seal.Record {
	return seal.Record{SealedAt: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), Host: "sa1", By: "uid:0(root)", Cause: "disable --permanently", Bundles: true}
}

// inUse is a system with everything that remote access rests on.
func inUse(t *testing.T, vendor identity.Vendor) Options {
	t.Helper()
	dir := t.TempDir()
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{root.Etc("auth.d"), root.Policies(), root.Var("login"), filepath.Dir(root.Session())} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	o, err := options(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.System.Pin(vendor, false); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		root.Etc("auth.d", "infinibox.json"): `{"password":"hunter2"}`, root.Etc("auth.d", "challenge.keys"): "ssh-ed25519 AAAA",
		root.Var("login", "state.json"): `{"v":1}`, root.Session(): `{"v":1,"state":"off"}`,
		filepath.Join(filepath.Dir(root.Session()), "secrets.json"): `{"v":1,"kdf":"argon2id"}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func support(t *testing.T) identity.Vendor {
	t.Helper()
	p := relaytest.NewPair(t)
	v := p.Vendor
	if v.SupportCA == "" {
		t.Fatal("the relay of the tests has no key for engineers")
	}
	return v
}

// destroyed checks that nothing is left.
func destroyed(t *testing.T, o Options, when string) {
	t.Helper()
	if left := Left(o.Root, o.System); len(left) > 0 {
		t.Errorf("%s: left: %v", when, left)
	}
	var all bytes.Buffer
	for _, dir := range []string{o.Root.Etc(), o.Root.Var()} {
		for _, f := range files(dir, nil) {
			b, _ := os.ReadFile(f)
			all.Write(b)
		}
	}
	for _, word := range []string{"hunter2", "support_ca", "argon2id"} {
		if bytes.Contains(all.Bytes(), []byte(word)) {
			t.Errorf("%s: %q is still on disk", when, word)
		}
	}
	v, err := o.System.Vendor()
	if err != nil || len(v.Recipients) == 0 || v.SupportCA != "" { // REQ H10: bundles go on
		t.Errorf("%s: the vendor record: %+v, %v", when, v, err)
	}
	p, err := policy.Open(o.Root, policy.ReadOnly())
	if err != nil {
		t.Fatal(err)
	}
	if _, sealed := p.Sealed(); !sealed {
		t.Errorf("%s: not sealed", when)
	}
}

// REQ G6
func TestRun(t *testing.T) {
	o := inUse(t, support(t))
	var order []string
	o.Before = func(step string) error { order = append(order, step); return nil }
	o.Cut = func() error {
		if !seal.Check(o.Root).Sealed {
			t.Error("cut before it was sealed")
		}
		return nil
	}
	done, err := Run(o, record())
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Destroyed) != 4 || done.Proof == nil || done.Record.System != o.System.ID() {
		t.Errorf("%+v", done)
	}
	destroyed(t, o, "sealed")
	first := func(prefix string) int {
		return slices.IndexFunc(order, func(s string) bool { return strings.HasPrefix(s, prefix) })
	}
	if !(first("create ") < first("cut") && first("cut") < first("destroy ") && first("destroy ") < first("prove ")) {
		t.Errorf("the order is %q", order)
	}
	// Once more changes nothing, and says so.
	done, err = Run(o, record())
	if err != nil || len(done.Destroyed) != 0 || done.Proof == nil {
		t.Errorf("again: %+v, %v", done, err)
	}
	var types []audit.Type
	for r, err := range audit.Read(o.Root.Audit()) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, r.Type)
	}
	if !slices.Contains(types, audit.SystemSealed) || !slices.Contains(types, audit.TrustDestroyed) {
		t.Errorf("recorded: %v", types)
	}
}

func TestNothingIsDestroyedUnlessSealed(t *testing.T) {
	o := inUse(t, support(t))
	if _, err := Finish(o); err == nil {
		t.Error("finished what was not begun")
	}
	o.Before = func(string) error { return syscall.EROFS }
	_, err := Run(o, record())
	var after *Error
	if err == nil || errors.As(err, &after) || !strings.Contains(err.Error(), "NOT sealed") {
		t.Errorf("%v", err)
	}
	if v, err := o.System.Vendor(); err != nil || v.SupportCA == "" {
		t.Errorf("trust is gone, and the system is not sealed: %+v, %v", v, err)
	}
	if left := Left(o.Root, o.System); len(left) > 0 {
		t.Errorf("a system that is not sealed has nothing to destroy: %v", left)
	}
}

// REQ G6, J2: kill -9 before every write, from the first to the last. From the
// moment that the first file exists the system is sealed; the next one who
// opens it ends what was begun.
func TestKilledAtEveryStep(t *testing.T) {
	vendor := support(t)
	for n := 1; ; n++ {
		o := inUse(t, vendor)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", crashVariable, n, o.Root.Dir))
		out, err := cmd.CombinedOutput()
		if err == nil {
			if n < 25 {
				t.Fatalf("finished after %d steps", n)
			}
			destroyed(t, o, "not killed")
			return
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("step %d: %v %s", n, err, out)
		}
		when := fmt.Sprintf("killed at step %d", n)
		if n <= 2 { // the directory, the first file
			if v, err := o.System.Vendor(); seal.Check(o.Root).Sealed || err != nil || v.SupportCA == "" {
				t.Errorf("%s: half done", when)
			}
			continue
		}
		if !seal.Check(o.Root).Sealed {
			t.Fatalf("%s: not sealed", when)
		}
		if _, err := Finish(o); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		destroyed(t, o, when)
	}
}

// Every single step fails: the others are done, somebody is told, and the next
// one mends it.
func TestFailingSteps(t *testing.T) {
	vendor := support(t)
	o := inUse(t, vendor)
	var names []string
	o.Before = func(name string) error { names = append(names, name); return nil }
	if _, err := Run(o, record()); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		o, n := inUse(t, vendor), 0
		o.Before = func(string) error {
			if n++; n == i+1 {
				return syscall.ENOSPC
			}
			return nil
		}
		_, err := Run(o, record())
		var after *Error
		if !seal.Check(o.Root).Sealed || !errors.As(err, &after) && !strings.HasPrefix(name, "mark") {
			t.Errorf("step %q failed: sealed %t, %v", name, seal.Check(o.Root).Sealed, err)
		}
		if left := Left(o.Root, o.System); len(left) > 1 {
			t.Errorf("step %q failed, and left %v", name, left)
		}
		o.Before = nil
		if _, err := Finish(o); err != nil {
			t.Errorf("after step %q failed: %v", name, err)
		}
		destroyed(t, o, "after "+name)
	}
}

// REQ G6: old files, the state of before, both, and one by one; with the agent's
// way of opening a system the trust is gone again.
func TestRestored(t *testing.T) {
	vendor := support(t)
	for _, restore := range [][]string{{"etc"}, {"var"}, {"etc", "var"}} {
		o := inUse(t, vendor)
		backup := t.TempDir()
		run(t, "cp", "-a", o.Root.Dir+"/.", backup)
		if _, err := Run(o, record()); err != nil {
			t.Fatal(err)
		}
		for _, dir := range restore {
			run(t, "rm", "-rf", filepath.Join(o.Root.Dir, dir))
			run(t, "cp", "-a", filepath.Join(backup, dir), o.Root.Dir)
		}
		fresh, err := options(o.Root.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if left := Left(fresh.Root, fresh.System); len(left) == 0 {
			t.Errorf("%v restored: status would say that nothing is left", restore)
		}
		if _, err := Finish(fresh); err != nil {
			t.Error(err)
		}
		destroyed(t, fresh, fmt.Sprint(restore, " restored"))
	}
}

// A link in a place of ours is not followed, and what has another name is not
// overwritten.
func TestWipeStaysInItsPlace(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(outside, filepath.Join(dir, "link")), os.Link(outside, filepath.Join(dir, "other name")), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600)); err != nil {
		t.Skip(err)
	}
	if was, err := wipe(dir, nil); !was || err != nil {
		t.Errorf("%t, %v", was, err)
	}
	if b, err := os.ReadFile(outside); string(b) != "precious" {
		t.Errorf("%q, %v", b, err)
	}
	if left := files(dir, nil); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// REQ G7: what a purge of the package takes away comes back with an enrolment
// alone, and the system is not sealed.
func TestPurge(t *testing.T) {
	vendor := support(t)
	o := inUse(t, vendor)
	gone, err := Purge(o)
	if err != nil || len(gone) != 4 {
		t.Fatalf("destroyed %v, %v", gone, err)
	}
	v, err := o.System.Vendor()
	if err != nil || v.SupportCA != "" {
		t.Errorf("the vendor's key for engineers: %q, %v", v.SupportCA, err)
	}
	if seal.Check(o.Root).Sealed {
		t.Error("the system is sealed")
	}
	if err := o.System.Pin(vendor, true); err != nil {
		t.Fatal(err)
	}
	if v, err := o.System.Vendor(); err != nil || v.SupportCA == "" {
		t.Errorf("an enrolment does not bring it back: %v", err)
	}
}
