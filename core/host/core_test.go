package host

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/testdata/until"
)

// REQ B3: a plugin that crashes leaves no core file, in which the password of
// the proxy would be.
func TestCrashLeavesNoCore(t *testing.T) {
	// The same program without a sandbox does, or else nothing is proven.
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `ulimit -c unlimited && exec "$0" serve transport/crash-at-once`, hostile)
	cmd.Dir = dir
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := exit.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGABRT {
		t.Fatalf("it ended with %v", exit)
	}
	if !status.CoreDump() {
		t.Skip("this machine makes no core files at all")
	}

	b := newBench(t)
	const canary = "c4n4ry-p4ssword"
	before := cores(t, b)
	tr := b.transport(t, "crash", json.RawMessage(`{"other":"`+canary+`"}`))
	if _, err = dial(t, tr, server(t, true)); err == nil {
		t.Fatal("it did not crash")
	}
	until.True(t, "the crash is in the audit log", func() bool { return b.audit.has(audit.PluginCrashed, "transport/crash") != nil })
	e := b.audit.has(audit.PluginCrashed, "transport/crash")
	how := err.Error()
	for _, v := range e.Detail {
		how += " " + v
	}
	if !strings.Contains(how, "aborted") || strings.Contains(how, "core dumped") {
		t.Errorf("it ended with: %s", how)
	}
	if strings.Contains(how+b.logs.String(), canary) {
		t.Error("the secret is in what is reported")
	}
	if after := cores(t, b); after != before {
		t.Errorf("core files: %s", after)
	}
}

// cores are the core files where the plugin could have left one.
func cores(t *testing.T, b *bench) string {
	t.Helper()
	var found []string
	for _, place := range []string{"/", ".", os.TempDir()} {
		names, _ := filepath.Glob(filepath.Join(place, "core*"))
		for _, n := range names {
			if info, err := os.Stat(n); err == nil && info.Mode().IsRegular() && filepath.Ext(n) != ".go" {
				found = append(found, n)
			}
		}
	}
	filepath.WalkDir(b.opt.Root.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasPrefix(d.Name(), "core") {
			found = append(found, path)
		}
		return nil
	})
	return strings.Join(found, " ")
}
