package bundle

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata anew")

// The oldest bundle there is can be read for ever.
func TestReadsTheFirstFormat(t *testing.T) {
	const golden = "testdata/latchstring-bundle-1.tar.zst"
	if *update {
		data, err := os.ReadFile(seal(t, pack(t, testOptions(t), logsAndConfig()...)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := openBundle(t, golden, OpenOptions{})
	if _, err := b.Verify(t.Context(), VerifyOptions{Signer: newSigner(t).PublicKey()}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"config/etc/app.conf": "password=REDACTED_password_1\n",
		"logs/app.log":        "login with REDACTED_password_1 failed\n",
	}
	if d := cmp.Diff(want, contents(t, b)); d != "" {
		t.Error(d)
	}
	m := b.Manifest
	mtime := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if d := cmp.Diff(File{
		Path: "config/etc/app.conf", Collector: "config", Source: "/etc/app.conf", Size: 29, Config: true, ModTime: &mtime,
		SHA256: m.Files[0].SHA256,
	}, m.Files[0]); d != "" {
		t.Error(d)
	}
	if m.Format != FormatV1 || m.Name != "latchstring-h-1-20261122T143000Z" || !m.Created.Equal(testTime) || m.System.ID != "sys-1" {
		t.Errorf("manifest: %+v", m)
	}
	if b.Redactions.Rules["password"] != 1 {
		t.Errorf("report: %+v", b.Redactions)
	}
}

func TestParseFormat(t *testing.T) {
	for s, want := range map[string]Format{"": TarZstd, "tar.zst": TarZstd, "tar.gz": TarGz, "zip": Zip, "rar": "", "tar": ""} {
		if got, err := ParseFormat(s); got != want || (err == nil) != (want != "") {
			t.Errorf("ParseFormat(%q) = %q, %v", s, got, err)
		}
	}
}

func TestWhatIsNoBundle(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	encrypted := func(what string) string {
		var buf bytes.Buffer
		w, err := age.Encrypt(&buf, id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, what)
		w.Close()
		return buf.String()
	}
	for name, tt := range map[string]struct{ data, want string }{
		"nothing":               {"", "this is no bundle"},
		"text":                  {"hello", "this is no bundle"},
		"only the magic":        {"\x28\xb5\x2f\xfd", "evil does not hold"},
		"gzip of nothing":       {"\x1f\x8b", "evil does not hold"},
		"zip of nothing":        {"PK\x03\x04", "evil does not hold"},
		"age of something else": {encrypted("hello"), "no bundle"},
		"age in age":            {encrypted(encrypted("hello")), "no bundle"},
		"half an age file":      {encrypted("hello")[:100], "cannot be decrypted"},
	} {
		_, err := OpenReaderAt("evil", strings.NewReader(tt.data), int64(len(tt.data)), OpenOptions{Identities: []age.Identity{id}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir(), OpenOptions{}); err == nil {
		t.Error("a folder was opened")
	}
}

func TestBaseName(t *testing.T) {
	at := time.Date(2026, 11, 22, 15, 30, 0, 0, time.FixedZone("", 3600))
	for host, want := range map[string]string{
		"h-7f3a":                 "latchstring-h-7f3a-20261122T143000Z",
		"db1.example.com":        "latchstring-db1.example.com-20261122T143000Z",
		"":                       "latchstring-system-20261122T143000Z",
		"../../etc":              "latchstring-etc-20261122T143000Z",
		"a/b\\c\x00d":            "latchstring-a-b-c-d-20261122T143000Z",
		strings.Repeat("x", 300): "latchstring-" + strings.Repeat("x", 100) + "-20261122T143000Z",
	} {
		got := BaseName(System{Host: host}, at)
		if got != want || checkElement(got) != nil {
			t.Errorf("BaseName(%.20q) = %q", host, got)
		}
	}
}

func TestProgressTellsTheStages(t *testing.T) {
	o := testOptions(t)
	var stages []Stage
	o.Progress = func(p Progress) {
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
	}
	seal(t, pack(t, o, logsAndConfig()...))
	if d := cmp.Diff([]Stage{Planning, Collecting, Packing, Verifying, Sealing}, stages); d != "" {
		t.Error(d)
	}
}

func TestVerifyReportsHitsAndProgress(t *testing.T) {
	b := openBundle(t, seal(t, pack(t, testOptions(t), &list{name: "c", items: []listed{{name: "a", text: "api_key: zzz"}}})), OpenOptions{})
	e := newEngine()
	n := 0
	v, err := b.Verify(t.Context(), VerifyOptions{Engine: e, Progress: func(string, int64) { n++ }})
	if err != nil || v.Files != 1 || v.Bytes != 12 || n != 1 || len(v.Hits) != 0 {
		t.Errorf("%+v, %d, %v", v, n, err)
	}
	g := newForged(t, TarZstd, map[string]string{"a": "password=leaked"}, nil).add("a", "password=leaked")
	data := g.bytes()
	f, err := OpenReaderAt("b", bytes.NewReader(data), int64(len(data)), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err = f.Verify(t.Context(), VerifyOptions{Engine: e}); err != nil || len(v.Hits) != 1 || v.Hits[0].File != "a" {
		t.Errorf("%+v, %v", v, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Verify(ctx, VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestContentIsExactlyAsLongAsAnnounced(t *testing.T) {
	for _, tt := range []struct {
		have string
		size int64
		err  error
	}{{"hello", 5, nil}, {"hello", 3, nil}, {"hello", 6, io.ErrUnexpectedEOF}, {"", 0, nil}} {
		c := &content{ReadCloser: io.NopCloser(strings.NewReader(tt.have)), left: tt.size}
		got, err := io.ReadAll(c)
		if !errors.Is(err, tt.err) || err == nil && int64(len(got)) != tt.size {
			t.Errorf("%q as %d bytes: %q, %v", tt.have, tt.size, got, err)
		}
	}
}

// A packer's user may forget an error; the file must not be taken for whole.
func TestWriteErrorIsNotForgotten(t *testing.T) {
	for _, f := range []Format{TarZstd, TarGz, Zip} {
		w := &failsAfter{n: 100}
		members := []member{bytesMember("x/a", []byte(strings.Repeat("abcdefghij", 1000))), bytesMember("x/b", []byte("x"))}
		if err := writeArchive(t.Context(), w, f, members); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

type failsAfter struct{ n int }

func (f *failsAfter) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestCollectorsThatNeverBegan(t *testing.T) {
	o := testOptions(t)
	o.Limits.Total = 10
	many := &list{name: "z", items: make([]listed, 1500)}
	for i := range many.items {
		many.items[i] = listed{name: "f" + strings.Repeat("x", i%7) + string(rune('a'+i%26)), text: "0123456789"}
	}
	p := pack(t, o, &list{name: "a", items: []listed{{name: "x", text: "0123456789"}}}, many)
	if len(p.Manifest.Files) != 1 || len(p.Manifest.Missing) > 1100 || len(p.Manifest.Missing) < 2 {
		t.Errorf("%d files, %d missing", len(p.Manifest.Files), len(p.Manifest.Missing))
	}
	if p.Manifest.Collectors[1].Error == "" {
		t.Error("the collector does not say why it ended")
	}
}

func TestSealNeedsItsPlace(t *testing.T) {
	p := pack(t, testOptions(t), logsAndConfig()...)
	if dir := p.Dir(); filepath.Dir(dir) == "" || !strings.Contains(dir, spoolPrefix) {
		t.Errorf("dir %s", dir)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "b")
	if _, err := p.Seal(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
