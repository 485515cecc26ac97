package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/policy/seal"
)

// REQ G6: a policy file seals the system, and taking it away changes nothing.
func TestPolicyFileSeals(t *testing.T) {
	a, root := open(t)
	writePolicy(t, root, "reason = \"board\"\nremote_access = \"permanently_disabled\"")
	if _, err := a.Reload(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	s := seal.Check(root)
	if !s.Sealed || !strings.Contains(s.Record.Cause, "site.hcl:2,1: board") || s.Record.System != a.system.ID() {
		t.Fatalf("%+v", s)
	}
	if _, err := os.Stat(root.Var("disabled.txt.sig")); err != nil {
		t.Error("no proof:", err)
	}
	if !slices.Contains(types(t, root), audit.SystemSealed) {
		t.Errorf("not recorded: %v", types(t, root))
	}
	if err := os.Remove(filepath.Join(root.Policies(), "site.hcl")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reload(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	if st, _ := a.Status(t.Context(), control.Self()); !strings.Contains(st.Remote.Reason, "permanently disabled") {
		t.Errorf("%+v", st.Remote)
	}
}

// What happens to policy files while no agent runs is recorded when one opens.
func TestChangedFilesAreRecorded(t *testing.T) {
	a, root := open(t)
	writePolicy(t, root, "session { mfa = true }")
	if _, err := a.Reload(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	writePolicy(t, root, "session { mfa = false }")
	b, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := types(t, root); got[len(got)-1] != audit.PolicyNoticed {
		t.Errorf("%v", got)
	}
}
