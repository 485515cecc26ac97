package buildconfig

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
)

func newRoot(t *testing.T) paths.Root {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(root.Make(), os.MkdirAll(root.Policies(), 0o755)); err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, root paths.Root) Result {
	t.Helper()
	r, err := Build(root)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func closable(t *testing.T, root paths.Root) bool {
	t.Helper()
	p, err := policy.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(policy.SessionClose, policy.Facts{policy.User: "root"}).Allowed
}

// REQ G3, G4
func TestSwitchIsInForceOnlyAfterBuild(t *testing.T) {
	root := newRoot(t)
	if r := build(t, root); !r.First || r.Changed() {
		t.Errorf("%+v", r)
	}
	write(t, root.LocalConfig(), "# local\nREMOTE_SUPPORT_ENABLE=\"yes\"\nOTHER_PASSWORD=\"hunter2\"\n")
	if !closable(t, root) {
		t.Error("in force before build-config")
	}
	pending, err := Pending(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{root.LocalConfig() + ":2: REMOTE_SUPPORT_ENABLE is not in force yet", "run `remote-support build-config` to put local.cfg in force"}
	if d := cmp.Diff(want, pending); d != "" {
		t.Error(d)
	}
	r := build(t, root)
	if d := cmp.Diff([]string{
		`local.cfg line 2: REMOTE_SUPPORT_ENABLE="yes" was added`, `policy: remote_access was "allowed" and is "locked_on"`}, r.Changes); d != "" {
		t.Error(d)
	}
	if closable(t, root) {
		t.Error("not in force after build-config")
	}
	if data, _ := os.ReadFile(policy.EffectivePath(root)); strings.Contains(string(data), "hunter2") {
		t.Error("the effective configuration holds a password of another product")
	}
	write(t, root.LocalConfig(), "")
	if closable(t, root) {
		t.Error("removing the line is in force before build-config")
	}
	if pending, _ := Pending(root); len(pending) != 2 || !strings.Contains(pending[0], "still in force") {
		t.Errorf("%q", pending)
	}
	build(t, root)
	if !closable(t, root) {
		t.Error("still in force")
	}
	if pending, _ := Pending(root); len(pending) != 0 {
		t.Errorf("%q", pending)
	}
}

// REQ J1, K4: nothing is half done.
func TestBadInputChangesNothing(t *testing.T) {
	root := newRoot(t)
	write(t, root.LocalConfig(), "REMOTE_SUPPORT_ENABLE=yes\n")
	build(t, root)
	before, _ := os.ReadFile(policy.EffectivePath(root))
	write(t, root.LocalConfig(), "REMOTE_SUPPORT_ENABLE=perhaps\n")
	write(t, filepath.Join(root.Policies(), "a.hcl"), "sesion {}\n")
	_, err := Build(root)
	if err == nil || !strings.Contains(err.Error(), "perhaps") || !strings.Contains(err.Error(), "sesion") || !strings.HasPrefix(err.Error(), "nothing was changed") {
		t.Errorf("%v", err)
	}
	write(t, root.LocalConfig(), "REMOTE_SUPPORT_ENABLE=no\n")
	if _, err = Build(root); err == nil {
		t.Error("a broken policy passes")
	}
	var code interface{ ExitCode() int }
	if !errors.As(err, &code) || code.ExitCode() != 4 {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(policy.EffectivePath(root)); string(after) != string(before) {
		t.Error("something was changed")
	}
	if pending, err := Pending(root); err != nil || len(pending) == 0 {
		t.Errorf("%v %v", pending, err)
	}
}

// REQ G5
func TestSwitchAgainstLocks(t *testing.T) {
	root := newRoot(t)
	write(t, root.LocalConfig(), "REMOTE_SUPPORT_ENABLE=yes\n")
	write(t, filepath.Join(root.Policies(), "off.hcl"), "remote_access = \"locked_off\"\n")
	r := build(t, root)
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "off.hcl:1,1") {
		t.Errorf("%q", r.Warnings)
	}
	if err := seal.Seal(root, seal.Record{Cause: "test"}); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(root.Policies(), "off.hcl"))
	r = build(t, root)
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "permanently_disabled") {
		t.Errorf("%q", r.Warnings)
	}
}

func TestDamagedEffectiveConfiguration(t *testing.T) {
	root := newRoot(t)
	if _, err := Current(root); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	write(t, policy.EffectivePath(root), "{")
	if _, err := policy.Open(root); err == nil {
		t.Error("a damaged configuration is taken for off")
	}
	if _, err := Pending(root); err == nil {
		t.Error("no error")
	}
	build(t, root)
	if _, err := policy.Open(root); err != nil {
		t.Error(err)
	}
}
