package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/sdk/needs"
)

// install puts the hostile program into the catalog of a bench as an unsigned
// plugin of another publisher, with one of its roles.
func install(t *testing.T, b *bench, ports ...string) string {
	t.Helper()
	dir := filepath.Join(b.opt.Root.Plugins(), "acme")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(hostile)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	m := catalog.Manifest{
		Format: catalog.Format, Name: "acme", Version: "1", Publisher: "acme", Protocols: []int{1},
		Programs: map[string]string{runtime.GOOS + "/" + runtime.GOARCH: "acme"},
		Files:    map[string]string{"acme": hex.EncodeToString(sum[:])},
		Roles:    []catalog.Role{{Role: "transport", Name: "good", Needs: needs.List{Ports: ports}}},
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "acme")
	for name, content := range map[string][]byte{path: program, filepath.Join(dir, catalog.ManifestFile): data} {
		if err := os.WriteFile(name, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// strict is the product's default: built-in and trusted plugins only.
func strict(a policy.Action, f policy.Facts) string {
	if a == policy.PluginLaunch && f[policy.State] != "builtin" && f[policy.State] != "trusted" {
		return "a plugin that is " + f[policy.State] + " may not run"
	}
	return ""
}

func noBuiltin(o *Options) { o.Plugins = o.Root.Var("none") }

// REQ I4: an unsigned plugin runs only where policy says so.
func TestForeignPlugin(t *testing.T) {
	b := newBench(t, noBuiltin)
	install(t, b, goodPorts)
	addr := server(t, true)
	b.policy.deny = strict
	_, err := dial(t, b.transport(t, "good", nil), addr)
	var state *StateError
	if !errors.As(err, &state) || state.ExitCode() != 3 || !errors.As(err, new(*policy.Refusal)) ||
		!strings.Contains(err.Error(), "plugin acme is unsigned: nobody signed it; get the signed plugin") {
		t.Errorf("unsigned plugin: %v", err)
	}
	if b.audit.has(audit.PluginRefused, "transport/good") == nil {
		t.Error("the refusal was not recorded")
	}
	b.policy.deny = nil
	d, err := dial(t, b.transport(t, "good", nil), addr)
	if err != nil {
		t.Fatal(err)
	}
	d.Conn.Close()
}

const goodPorts = "20000-23999"

// The grant is what the manifest says, whatever the program asks for.
func TestManifestBoundsGrant(t *testing.T) {
	need(t, 4)
	b := newBench(t, noBuiltin)
	install(t, b, "1")
	_, err := dial(t, b.transport(t, "good", nil), server(t, true))
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("a port that is not in the manifest: %v", err)
	}
}

// REQ I4: the file is swapped after the check, and after the first start.
func TestSwappedPlugin(t *testing.T) {
	b := newBench(t, noBuiltin)
	path := install(t, b, goodPorts)
	addr := server(t, true)
	p, _, err := b.find(t.Context(), "transport/good")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := b.image(p); err == nil || !strings.Contains(err.Error(), "it was changed or replaced") {
		t.Errorf("swapped between check and copy: %v", err)
	}
	tr := b.transport(t, "good", nil)
	var state *StateError
	if _, err := dial(t, tr, addr); !errors.As(err, &state) || state.ExitCode() != 4 {
		t.Errorf("swapped before the start: %v", err)
	}
	install(t, b, goodPorts)
	d, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	d.Conn.Close()
}

func TestCatalogJudges(t *testing.T) {
	b := newBench(t)
	install(t, b, goodPorts)
	b.Catalog(t.Context()) // the second time is answered from memory
	list, err := b.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if list[0].Version != "1.2.3" {
		t.Errorf("version %q", list[0].Version)
	}
	// The hostile program is built in too, with the same role.
	if len(list) != 2 || list[0].State != catalog.Builtin || len(list[0].Roles) < 30 || list[1].State != catalog.Incompatible {
		t.Errorf("catalog %+v", list)
	}
	for key, want := range map[string]catalog.State{"plugins.allow": catalog.Denied, "plugins.revoked": catalog.Revoked} {
		b.opt.Policy = decider(func(a policy.Action, f policy.Facts) policy.Decision {
			return policy.Decision{Action: a, Facts: f, Reason: "no", Rule: policy.Rule{Key: key, Source: policy.Source{File: "p.hcl", Line: 1}}}
		})
		list, err = b.Catalog(t.Context())
		if err != nil || list[0].State != want || list[0].Fix == "" || !strings.Contains(list[0].Reason, "p.hcl") {
			t.Errorf("%s: %+v, %v", key, list[0], err)
		}
	}
}

type decider func(policy.Action, policy.Facts) policy.Decision

func (d decider) Decide(a policy.Action, f policy.Facts) policy.Decision { return d(a, f) }
