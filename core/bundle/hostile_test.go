package bundle

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// forged is an archive as an attacker would write one, who can sign what he
// likes with a key of his own.
type forged struct {
	t       testing.TB
	format  Format
	members []tar.Header
	bodies  []string
	tail    string // after the end of the tar
}

const forgedName = "latchstring-evil-20261122T143000Z"

// newForged begins with a valid head for the given files.
func newForged(t testing.TB, format Format, files map[string]string, change func(*Manifest)) *forged {
	t.Helper()
	m := Manifest{Format: FormatV1, Name: forgedName, Created: testTime}
	red := `{"version":1,"files":null,"rules":null,"kinds":null}`
	digest := func(s string) Digest {
		sum := sha256.Sum256([]byte(s))
		return Digest{int64(len(s)), hex.EncodeToString(sum[:])}
	}
	m.Redactions = digest(red)
	for _, name := range sorted(files) {
		d := digest(files[name])
		m.Files = append(m.Files, File{Path: name, Size: d.Size, SHA256: d.SHA256})
	}
	if change != nil {
		change(&m)
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := newSigner(t).Sign(SignatureNamespace, manifest)
	if err != nil {
		t.Fatal(err)
	}
	f := &forged{t: t, format: format}
	return f.add(ManifestName, string(manifest)).add(SignatureName, string(sig)).add(RedactionsName, red)
}

func sorted(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

func (f *forged) add(name, body string) *forged { return f.raw(forgedName+"/"+name, body) }

func (f *forged) raw(name, body string) *forged {
	return f.header(tar.Header{Name: name, Mode: 0o600, Size: int64(len(body)), Typeflag: tar.TypeReg}, body)
}

func (f *forged) header(h tar.Header, body string) *forged {
	f.members, f.bodies = append(f.members, h), append(f.bodies, body)
	return f
}

func (f *forged) bytes() []byte {
	var buf bytes.Buffer
	check := func(err error) {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	if f.format == Zip {
		w := zip.NewWriter(&buf)
		for i, h := range f.members {
			zh := &zip.FileHeader{Name: h.Name, Method: zip.Deflate}
			zh.SetMode(h.FileInfo().Mode())
			body := f.bodies[i]
			if h.Linkname != "" {
				body = h.Linkname
			}
			mw, err := w.CreateHeader(zh)
			check(err)
			_, err = io.WriteString(mw, body)
			check(err)
		}
		check(w.Close())
		return buf.Bytes()
	}
	var cw io.WriteCloser = gzip.NewWriter(&buf)
	if f.format == TarZstd {
		var err error
		cw, err = zstd.NewWriter(&buf)
		check(err)
	}
	w := tar.NewWriter(cw)
	for i, h := range f.members {
		check(w.WriteHeader(&h))
		_, err := io.WriteString(w, f.bodies[i])
		check(err)
	}
	check(w.Close())
	_, err := io.WriteString(cw, f.tail)
	check(err)
	check(cw.Close())
	return buf.Bytes()
}

// try opens, verifies and unpacks, and returns the first error.
func try(t testing.TB, data []byte, dir string, o OpenOptions) error {
	b, err := OpenReaderAt("evil", bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		return err
	}
	_, err = b.Verify(t.Context(), VerifyOptions{})
	if uerr := b.Unpack(t.Context(), dir); (uerr == nil) != (err == nil) {
		t.Errorf("verify said %v, unpack said %v", err, uerr)
	}
	return err
}

func TestHostileArchives(t *testing.T) {
	one := map[string]string{"a/x": "hello"}
	tests := []struct {
		name string
		make func(Format) *forged
		want string // in the error; empty: it must be accepted
		tar  bool   // tar only
	}{
		{"an honest one", func(f Format) *forged { return newForged(t, f, one, nil).add("a/x", "hello") }, "", false},
		{"a name that climbs", func(f Format) *forged { return newForged(t, f, one, nil).add("../../x", "hello") }, "not a plain relative path", false},
		{"an absolute name", func(f Format) *forged { return newForged(t, f, one, nil).raw("/etc/x", "hello") }, "not a plain relative path", false},
		{"a name that climbs, in the manifest", func(f Format) *forged {
			return newForged(t, f, nil, func(m *Manifest) {
				m.Files = []File{{Path: "../x", SHA256: strings.Repeat("0", 64)}}
			})
		}, "not a plain relative path", false},
		{"a backslash", func(f Format) *forged { return newForged(t, f, one, nil).add(`..\x`, "hello") }, "not allowed", false},
		{"a symlink", func(f Format) *forged {
			return newForged(t, f, one, nil).header(tar.Header{Name: forgedName + "/a/x", Typeflag: tar.TypeSymlink, Linkname: "/etc", Mode: 0o777}, "")
		}, "no regular file", false},
		{"a hard link", func(f Format) *forged {
			return newForged(t, f, one, nil).header(tar.Header{Name: forgedName + "/a/x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd", Mode: 0o600}, "")
		}, "no regular file", true},
		{"a device", func(f Format) *forged {
			return newForged(t, f, one, nil).header(tar.Header{Name: forgedName + "/a/x", Typeflag: tar.TypeBlock, Devmajor: 8}, "")
		}, "no regular file", true},
		{"a fifo", func(f Format) *forged {
			return newForged(t, f, one, nil).header(tar.Header{Name: forgedName + "/a/x", Typeflag: tar.TypeFifo}, "")
		}, "no regular file", true},
		{"a folder", func(f Format) *forged {
			return newForged(t, f, one, nil).header(tar.Header{Name: forgedName + "/a/", Typeflag: tar.TypeDir, Mode: 0o777}, "")
		}, "no regular file", false},
		{"one name twice", func(f Format) *forged { return newForged(t, f, one, nil).add("a/x", "hello").add("a/x", "other") }, "there twice", false},
		{"a file too many", func(f Format) *forged { return newForged(t, f, one, nil).add("a/x", "hello").add("a/y", "1") }, "not in the manifest", false},
		{"a file too few", func(f Format) *forged { return newForged(t, f, one, nil) }, "is missing", false},
		{"a changed file", func(f Format) *forged { return newForged(t, f, one, nil).add("a/x", "hullo") }, "was changed", false},
		{"a longer file", func(f Format) *forged { return newForged(t, f, one, nil).add("a/x", "hello!") }, "not 5 bytes long", false},
		{"a file outside the folder", func(f Format) *forged { return newForged(t, f, one, nil).raw("other/x", "hello") }, "outside the bundle's folder", false},
		{"a file where a folder must be", func(f Format) *forged {
			return newForged(t, f, map[string]string{"a": "1", "a/x": "hello"}, nil).add("a", "1").add("a/x", "hello")
		}, "is a file and a folder", false},
		{"something behind the end", func(f Format) *forged {
			g := newForged(t, f, one, nil).add("a/x", "hello")
			g.tail = "secret channel"
			return g
		}, "follows the end", true},
		{"a manifest for a later program", func(f Format) *forged {
			return newForged(t, f, one, func(m *Manifest) { m.Format = "latchstring-bundle/9" })
		}, "not known to this program", false},
		{"a folder of another name", func(f Format) *forged {
			return newForged(t, f, one, func(m *Manifest) { m.Name = "other" }).add("a/x", "hello")
		}, "its folder is", false},
		{"another report", func(f Format) *forged {
			return newForged(t, f, one, func(m *Manifest) { m.Redactions.Size++ }).add("a/x", "hello")
		}, "not the one that was signed", false},
		{"files out of order", func(f Format) *forged {
			return newForged(t, f, map[string]string{"a": "1", "b": "2"}, func(m *Manifest) { m.Files[0], m.Files[1] = m.Files[1], m.Files[0] })
		}, "out of order", false},
		{"its own manifest as a file", func(f Format) *forged {
			return newForged(t, f, map[string]string{ManifestName: "1"}, nil)
		}, "the bundle's own", false},
		{"a negative size", func(f Format) *forged {
			return newForged(t, f, one, func(m *Manifest) { m.Files[0].Size = -1 }).add("a/x", "hello")
		}, "no valid size", false},
	}
	for _, tt := range tests {
		for _, f := range []Format{TarZstd, TarGz, Zip} {
			if tt.tar && f == Zip {
				continue
			}
			t.Run(tt.name+"/"+string(f), func(t *testing.T) {
				parent := t.TempDir()
				err := try(t, tt.make(f).bytes(), filepath.Join(parent, "out"), OpenOptions{})
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				wantOnlyOut(t, parent, err != nil)
			})
		}
	}
}

// wantOnlyOut checks that nothing was written beside the folder, and nothing
// is left in it after a failure.
func wantOnlyOut(t *testing.T, parent string, failed bool) {
	t.Helper()
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "out" {
			t.Errorf("written outside: %s", e.Name())
		}
	}
	if !failed {
		return
	}
	if left, _ := os.ReadDir(filepath.Join(parent, "out")); len(left) > 0 {
		t.Errorf("left after a failure: %v", left)
	}
}

func TestBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 8<<20)
	for _, f := range []Format{TarZstd, TarGz, Zip} {
		for _, tt := range []struct {
			name  string
			limit ReadLimits
			want  string
		}{
			{"size", ReadLimits{Size: 1 << 20}, "unfolds to more than 1048576 bytes"},
			{"count", ReadLimits{Files: 3}, "more than 3 files"},
		} {
			g := newForged(t, f, map[string]string{"z": zeros}, nil).add("z", zeros)
			err := try(t, g.bytes(), filepath.Join(t.TempDir(), "out"), OpenOptions{Limits: tt.limit})
			if err == nil || !strings.Contains(err.Error(), tt.want) || exitCode(err) != 4 {
				t.Errorf("%s, %s: got %v", f, tt.name, err)
			}
		}
	}
	// A member that the manifest does not know is skipped, not unfolded for ever.
	g := newForged(t, TarZstd, nil, nil).add("z", zeros)
	if err := try(t, g.bytes(), filepath.Join(t.TempDir(), "out"), OpenOptions{Limits: ReadLimits{Size: 1 << 20}}); err == nil || !strings.Contains(err.Error(), "unfolds") {
		t.Errorf("a skipped member: %v", err)
	}
	m := &meter{limits: DefaultReadLimits, packed: 1 << 20}
	if err := m.check(ratioFloor+1, 0); err == nil || !strings.Contains(err.Error(), "200 times") {
		t.Errorf("ratio: %v", err)
	}
	if err := m.check(200<<20, 0); err != nil {
		t.Errorf("honest repetition was refused: %v", err)
	}
}

func TestUnpackWantsANewFolder(t *testing.T) {
	data := newForged(t, TarZstd, map[string]string{"a": "1"}, nil).add("a", "1").bytes()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := OpenReaderAt("b", bytes.NewReader(data), int64(len(data)), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Unpack(t.Context(), dir); err == nil {
		t.Error("unpacked over somebody's files")
	}
	if _, err := os.Stat(filepath.Join(dir, "mine")); err != nil {
		t.Error(err)
	}
}

// A signature that is not the system's, or for something else, is told.
func TestSignatures(t *testing.T) {
	b := openBundle(t, seal(t, pack(t, testOptions(t), logsAndConfig()...)), OpenOptions{})
	if _, err := b.Verify(t.Context(), VerifyOptions{Signer: otherSigner(t).PublicKey()}); exitCode(err) != 4 || !strings.Contains(err.Error(), "was signed by") {
		t.Errorf("got %v", err)
	}
	g := newForged(t, TarZstd, nil, nil)
	sig, err := newSigner(t).Sign("latchstring-policy", []byte(g.bodies[0]))
	if err != nil {
		t.Fatal(err)
	}
	g.bodies[1], g.members[1].Size = string(sig), int64(len(sig))
	data := g.bytes()
	if _, err := OpenReaderAt("b", bytes.NewReader(data), int64(len(data)), OpenOptions{}); exitCode(err) != 4 {
		t.Errorf("a signature for a policy was accepted: %v", err)
	}
}
