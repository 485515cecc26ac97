package bundler

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
)

// open opens a bundler below a fresh root, with a policy if one is given.
func open(t *testing.T, hcl string) *Bundler {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	if hcl != "" {
		write(t, filepath.Join(root.Policies(), "test.hcl"), hcl)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := Open(root, OpenOptions{Version: "test", Plugins: pluginProgram, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// enroll makes the bundler's system known to a relay.
func enroll(t *testing.T, b *Bundler, r *relaytest.Relay) {
	t.Helper()
	resp, err := client.Enroll(t.Context(), b.System(), r.Token("sa-1"), "", "sa-1.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.System().Pin(resp.Vendor, false); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// make collects and seals.
func makeBundle(t *testing.T, b *Bundler, req Request) (*Made, error) {
	t.Helper()
	r, err := b.Collect(t.Context(), req)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Finish(t.Context())
}

// onlyFiles is a request for what is in dir and nothing else.
func onlyFiles(dir string) Request { return Request{Only: []string{"files"}, Include: []string{dir}} }

// contents opens a bundle and reads it all.
func contents(t *testing.T, path string, ids ...age.Identity) (*bundle.Bundle, map[string]string) {
	t.Helper()
	b, err := bundle.Open(path, bundle.OpenOptions{Identities: ids})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if _, err := b.Verify(t.Context(), bundle.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	if err := b.Walk(t.Context(), func(f bundle.File, r io.Reader) error {
		data, err := io.ReadAll(r)
		out[f.Path] = string(data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b, out
}

// vendorKey is the key that opens bundles.
func vendorKey(t *testing.T, r *relaytest.Relay) []age.Identity {
	t.Helper()
	f, err := os.Open(filepath.Join(r.Loaded.Places.HandOut, setup.BundleKeyName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func exitCode(err error) int {
	var c interface{ ExitCode() int }
	if errors.As(err, &c) {
		return c.ExitCode()
	}
	return 1
}

// events lists the types of the audit records, in order.
func events(t *testing.T, b *Bundler) string {
	t.Helper()
	var out []string
	for r, err := range audit.Read(b.p.Root.Audit()) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(r.Type), "bundle.") || strings.HasPrefix(string(r.Type), "policy.") {
			out = append(out, string(r.Type))
		}
	}
	return strings.Join(out, " ")
}

// REQ H2: real facts and real files of this machine come through the plugins.
func TestRealMachine(t *testing.T) {
	b := open(t, "")
	out := filepath.Join(t.TempDir(), "b.tar.zst")
	made, err := makeBundle(t, b, Request{Output: out, NoEncrypt: true})
	if err != nil {
		t.Fatal(err)
	}
	opened, files := contents(t, out)
	for _, p := range []string{"system/summary.json", "system/processes.txt", "system/memory/meminfo", "config/index.txt", "logs/index.txt"} {
		if files[p] == "" {
			t.Errorf("%s is empty or missing", p)
		}
	}
	for _, c := range opened.Manifest.Collectors {
		plugin := c.SHA256 != "" && c.Sandbox != "" && c.Plugin != ""
		if plugin == (c.Name == Own) || c.Error != "" {
			t.Errorf("collector: %+v", c)
		}
	}
	if made.SHA256 == "" || made.Queued != "" || opened.Manifest.Policy == "" {
		t.Errorf("made: %+v", made)
	}
	if st, _ := os.Stat(out); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	if left, _ := os.ReadDir(b.p.Root.Var("spool")); len(left) > 0 {
		t.Errorf("left in the spool: %v", left)
	}
	if got := events(t, b); got != "bundle.created" {
		t.Errorf("audit: %s", got)
	}
}

func TestPlan(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.log"), "hello")
	p, err := b.Plan(t.Context(), Request{Only: []string{"system"}, Include: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, i := range p.Items {
		// Only the host can look into the folder; the plugin says as much.
		found = found || i.Collector == "files" && (strings.HasSuffix(i.Name, "x.log") && i.Size == 5 || i.NeedsRoot)
	}
	if !found || len(p.Missing) == 0 || p.Missing[0].State != bundle.Skipped {
		t.Errorf("plan: %+v", p.Missing)
	}
	if entries, _ := os.ReadDir(b.p.Root.Var("spool")); len(entries) > 0 {
		t.Error("a plan spooled something")
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	b := open(t, "")
	installed, err := b.p.Host.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	everything := []string{Own}
	for _, p := range installed {
		for _, r := range p.Roles {
			if r.Role == roleCollect && r.Name != "files" { // which is for --include
				everything = append(everything, r.Name)
			}
		}
	}
	exists := write(t, filepath.Join(t.TempDir(), "there"), "x")
	for name, req := range map[string]Request{
		"no encryption for a sent one": {NoEncrypt: true},
		"output and relay":             {Output: exists + ".new", NoEncrypt: true, RSS: "x"},
		"output exists":                {Output: exists, NoEncrypt: true},
		"output into no folder":        {Output: filepath.Join(exists, "x"), NoEncrypt: true},
		"include what is not there":    {Output: exists + ".new", NoEncrypt: true, Include: []string{"/no/such/file"}},
		"unknown collector":            {Output: exists + ".new", NoEncrypt: true, Only: []string{"nonesuch"}},
		"only and skip":                {Output: exists + ".new", NoEncrypt: true, Only: []string{"logs"}, Skip: []string{"system"}},
		"everything skipped":           {Output: exists + ".new", NoEncrypt: true, Skip: everything},
	} {
		if _, err := makeBundle(t, b, req); exitCode(err) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(exists + ".new"); err == nil {
		t.Error("something was written")
	}
}

func TestNotEnrolled(t *testing.T) {
	b := open(t, "")
	_, err := makeBundle(t, b, onlyFiles(t.TempDir()))
	var no *NotEnrolledError
	if !errors.As(err, &no) || !strings.Contains(no.Hint(), "remote-support enroll") {
		t.Errorf("got %v", err)
	}
}

// The settings of an administrator reach the plugin.
func TestSettingsOfACollector(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	write(t, b.p.Root.Etc("collectors.d", "logs.json"), `{"paths": ["/var/log/dpkg.log"], "journal": false}`)
	out := filepath.Join(dir, "b.zip")
	if _, err := makeBundle(t, b, Request{Output: out, NoEncrypt: true, Only: []string{"logs"}, Format: bundle.Zip}); err != nil {
		t.Fatal(err)
	}
	_, files := contents(t, out)
	if _, ok := files["logs/journal.txt"]; ok || len(files) > 2 {
		t.Errorf("files: %d", len(files))
	}
	write(t, b.p.Root.Etc("collectors.d", "logs.json"), `{"pahts": []}`)
	made, err := makeBundle(t, b, Request{Output: out + "2", NoEncrypt: true, Only: []string{"logs", "system"}})
	if err != nil {
		t.Fatal(err)
	}
	if m := fmt.Sprint(made.Manifest.Missing); !strings.Contains(m, "pahts") {
		t.Errorf("a mistake in the settings is not told: %s", m)
	}
}

// The same input and clock give the same bytes.
func TestReproducible(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.conf"), "password=abcdef12345\nhost=10.1.2.3\n")
	write(t, filepath.Join(dir, "b.log"), strings.Repeat("10.1.2.3 said abcdef12345\n", 100))
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var all [][]byte
	for i := range 2 {
		req := onlyFiles(dir)
		req.Output, req.NoEncrypt, req.Now = filepath.Join(t.TempDir(), fmt.Sprint(i)), true, func() time.Time { return now }
		made, err := makeBundle(t, b, req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(made.Path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	if !bytes.Equal(all[0], all[1]) {
		t.Error("the bytes differ")
	}
}

// progressOf calls f with what is collected.
func progressOf(f func(collector string, files int)) func(bundle.Progress) {
	return func(p bundle.Progress) {
		if p.Stage == bundle.Collecting {
			f(p.Collector, p.Files)
		}
	}
}
