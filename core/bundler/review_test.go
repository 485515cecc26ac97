package bundler

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

func slurp(t *testing.T, c bundle.Content, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	data, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func sumOf(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// The hash that is shown is the hash of what arrives, and what was reviewed is
// what is in it, byte for byte.
func TestReviewedBytesArrive(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "disk 7 of Project-Bluebird failed\n"+prose(20<<10))
	write(t, filepath.Join(dir, "app.conf"), "password = Wint3rIsComing!\n")
	write(t, filepath.Join(dir, "notes.txt"), "nobody's business\n")
	req := onlyFiles(dir)
	req.KeepRaw = true
	r, err := b.Collect(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Withhold(func(f bundle.File) bool { return strings.HasSuffix(f.Path, "notes.txt") })
	if _, err := r.Hide(t.Context(), []string{"project-bluebird"}); err != nil {
		t.Fatal(err)
	}
	reviewed := map[string]string{}
	for _, f := range r.Files() {
		c, err := r.Sanitized(f.Path)
		reviewed[f.Path] = slurp(t, c, err)
		if sumOf([]byte(reviewed[f.Path])) != f.SHA256 {
			t.Errorf("%s is shown otherwise than its hash says", f.Path)
		}
	}
	m, err := r.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rewritten()) > 0 {
		t.Fatalf("rewritten: %v", r.Rewritten())
	}
	if q, err := b.Queue(); err != nil {
		t.Fatal(err)
	} else if items, _ := q.List(); len(items) > 0 {
		t.Error("something is in the queue before the user said yes")
	}
	shown := m.SHA256
	if err := r.Release(m); err != nil {
		t.Fatal(err)
	}
	d, err := b.Deliver(t.Context(), m.Queued, Delivery{})
	if err != nil {
		t.Fatal(err)
	}
	path := fetch(t, relay, d.Bundle)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if sumOf(data) != shown || d.Receipt.SHA256 != shown {
		t.Errorf("shown %s, arrived %s, receipt %s", shown, sumOf(data), d.Receipt.SHA256)
	}
	_, files := contents(t, path, vendorKey(t, relay)...)
	if len(files) != len(reviewed) {
		t.Errorf("%d files were reviewed, %d arrived", len(reviewed), len(files))
	}
	for p, text := range reviewed {
		if files[p] != text {
			t.Errorf("%s arrived otherwise than it was reviewed", p)
		}
	}
}

// Bytes that somebody changes between the question and the answer do not leave.
func TestChangedAfterSealing(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello\n")
	r, err := b.Collect(t.Context(), onlyFiles(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := r.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(m.Path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("X"), m.Size/2)
	f.Close()
	if err := r.Release(m); exitCode(err) != 4 {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(m.Path); err == nil {
		t.Error("it is still there")
	}
	if ev := events(t, b); strings.Contains(ev, "bundle.created") {
		t.Errorf("audit: %s", ev)
	}
}

// Raw files lie on the disk encrypted only, and are shown as they were read.
func TestRawIsKeptForShowingOnly(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	text := "password = Wint3rIsComing!\n"
	write(t, filepath.Join(dir, "app.conf"), text)
	req := onlyFiles(dir)
	req.KeepRaw, req.Output, req.NoEncrypt = true, filepath.Join(t.TempDir(), "b"), true
	r, err := b.Collect(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := "files" + dir + "/app.conf"
	c, err := r.Raw(name)
	if got := slurp(t, c, err); got != text {
		t.Errorf("raw: %q", got)
	}
	c, err = r.Sanitized(name)
	if got := slurp(t, c, err); strings.Contains(got, "Wint3r") || !strings.HasPrefix(got, "password = ") {
		t.Errorf("sanitized: %q", got)
	}
	found := 0
	filepath.Walk(b.p.Root.Dir, func(p string, st os.FileInfo, err error) error {
		if err == nil && st.Mode().IsRegular() {
			data, _ := os.ReadFile(p)
			if bytes.Contains(data, []byte("Wint3rIsComing")) {
				t.Errorf("%s holds it in clear", p)
			}
			if bytes.HasPrefix(data, []byte("age-encryption.org")) {
				found++
				if st.Mode().Perm() != 0o600 {
					t.Errorf("%s has mode %v", p, st.Mode())
				}
			}
		}
		return nil
	})
	if found == 0 {
		t.Error("nothing was kept")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(b.p.Root.Var("spool", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Words are hidden everywhere: in text, in any case, encoded, in compressed
// files, in names, in reasons and in the report; late and beforehand alike.
func TestWordsAreHiddenEverywhere(t *testing.T) {
	for name, late := range map[string]bool{"beforehand": false, "at the last minute": true} {
		t.Run(name, func(t *testing.T) {
			b := open(t, "")
			dir := t.TempDir()
			text := "Project-Bluebird begins\nPROJECT-BLUEBIRD and project-bluebird, pRoject-blueBird\n" +
				base64.StdEncoding.EncodeToString([]byte("x=Project-Bluebird;")) + "\nother words stay\n"
			write(t, filepath.Join(dir, "project-bluebird", "app.log"), text)
			write(t, filepath.Join(dir, "data.json"), "{\"about\": \"Project-Bluebird\"}\n")
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			io.WriteString(w, text)
			w.Close()
			write(t, filepath.Join(dir, "old.tgz.d", "x.gz"), zipped.String())
			out := filepath.Join(t.TempDir(), "b")
			req := onlyFiles(dir)
			req.Output, req.NoEncrypt = out, true
			words := []string{"project-Bluebird"}
			if !late {
				req.Words = words
			}
			r, err := b.Collect(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if late {
				h, err := r.Hide(t.Context(), words)
				if err != nil || len(h.Files) != 4 { // with the listing
					t.Fatalf("hidden: %+v, %v", h, err)
				}
				if _, err := r.Hide(t.Context(), []string{"other words"}); err != nil {
					t.Fatal(err)
				}
			}
			m, err := r.Finish(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			opened, files := contents(t, out)
			files[bundle.ManifestName] = string(opened.Recorded())
			for _, f := range opened.Redactions.Files {
				files["report "+f.Name] = f.Name
			}
			for p, text := range files {
				for _, s := range []string{p, text} {
					if strings.Contains(strings.ToLower(s), "bluebird") || strings.Contains(s, "Qmx1ZWJpcm") {
						t.Errorf("%s holds the word: %.200s", p, s)
					}
				}
				if late && strings.Contains(text, "other words") {
					t.Errorf("%s holds the second word", p)
				}
			}
			if opened.Redactions.Rules["user-word-1"] < 5 {
				t.Errorf("the report: %v", opened.Redactions.Rules)
			}
			if !slices.ContainsFunc(m.Manifest.Files, func(f bundle.File) bool { return strings.HasSuffix(f.Path, "/app.log") }) {
				t.Errorf("files: %v", m.Manifest.Files)
			}
		})
	}
	b := open(t, "")
	req := onlyFiles(t.TempDir())
	req.Words = []string{"ab"}
	if _, err := b.Collect(t.Context(), req); exitCode(err) != 2 {
		t.Errorf("a short word: %v", err)
	}
}

func TestWithholdByPattern(t *testing.T) {
	for _, tt := range []struct {
		glob, path string
		want       bool
	}{
		{"*.conf", "files/etc/a.conf", true},
		{"*.conf", "files/etc/a.conf.d/x", false},
		{"logs", "logs/var/log/syslog", true},
		{"logs/**", "logs/var/log/syslog", true},
		{"logs/var/*", "logs/var/log/syslog", true},
		{"var/*", "logs/var/log/syslog", false},
		{"sys*", "logs/var/log/syslog", true},
	} {
		if got := Matches(tt.glob, tt.path); got != tt.want {
			t.Errorf("Matches(%q, %q) = %v", tt.glob, tt.path, got)
		}
	}
	b := open(t, "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), "hello\n")
	write(t, filepath.Join(dir, "b.conf"), "hello\n")
	req := onlyFiles(dir)
	req.Withhold, req.Output, req.NoEncrypt = []string{"*.conf"}, filepath.Join(t.TempDir(), "b"), true
	m, err := makeBundle(t, b, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifest.Files) != 2 || len(m.Manifest.Missing) == 0 { // with the listing
		t.Errorf("%+v", m.Manifest)
	}
}

// What the user left out by item is not read, and said to be skipped; what the
// others took is known next time.
func TestLeftOutItemsAndTimes(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), "hello\n")
	write(t, filepath.Join(dir, "b.log"), prose(1<<20))
	req := onlyFiles(dir)
	req.Output, req.NoEncrypt = filepath.Join(t.TempDir(), "b"), true
	req.Leave = func(collector, item string) bool { return collector == "files" && strings.HasSuffix(item, "a.log") }
	m, err := makeBundle(t, b, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifest.Files) != 2 || !slices.ContainsFunc(m.Manifest.Missing, func(x bundle.Missing) bool { return x.State == bundle.Skipped && strings.HasSuffix(x.Name, "a.log") }) {
		t.Errorf("%+v", m.Manifest.Missing)
	}
	last := b.LastTimes()
	if c := last.Collectors["files"]; c.Files != 2 || c.MS <= 0 {
		t.Errorf("times: %+v", last)
	}
}
