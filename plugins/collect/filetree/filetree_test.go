package filetree

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func write(t testing.TB, p, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, p := range []string{"a.conf", "b.txt", "sub/c.conf", "sub/deep/d.conf", "skip/e.conf", "sub/so.so"} {
		write(t, filepath.Join(dir, p), "x")
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "sub/away")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name           string
		paths, exclude []string
		want           string
	}{
		{"everything", []string{"/**"}, nil, "a.conf b.txt skip/e.conf sub/away sub/c.conf sub/deep/d.conf sub/so.so"},
		{"one folder", []string{"/*.conf"}, nil, "a.conf"},
		{"one file", []string{"/b.txt"}, nil, "b.txt"},
		{"nothing there", []string{"/none/**", "/none.txt"}, nil, ""},
		{"two patterns that meet", []string{"/sub/**", "/**"}, []string{"*.so", "away"}, "a.conf b.txt skip/e.conf sub/c.conf sub/deep/d.conf"},
		{"excluded folder", []string{"/**"}, []string{"D/skip/**", "D/sub/**"}, "a.conf b.txt"},
		{"a wildcard folder", []string{"/*/deep/*"}, nil, "sub/deep/d.conf"},
		{"all below a wildcard folder", []string{"/*/deep/**", "/s*/nothing/**"}, nil, "sub/deep/d.conf"},
		{"a folder that is a file", []string{"/a.conf/**", "/b.txt/x"}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opt := Options{}
			for _, p := range tt.paths {
				opt.Paths = append(opt.Paths, dir+p)
			}
			for _, x := range tt.exclude {
				opt.Exclude = append(opt.Exclude, strings.Replace(x, "D/", dir+"/", 1))
			}
			found, err := Find(t.Context(), Direct{}, opt)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range found {
				got = append(got, strings.TrimPrefix(e.Path, dir+"/"))
				if (e.Target != "") != strings.HasSuffix(e.Path, "away") {
					t.Errorf("%s: target %q", e.Path, e.Target)
				}
			}
			if d := cmp.Diff(strings.Fields(tt.want), got); d != "" && len(got)+len(tt.want) > 0 {
				t.Error(d)
			}
		})
	}
	if found, err := Find(t.Context(), Direct{}, Options{Paths: []string{dir + "/**"}, Max: 2}); err != ErrTooMany || len(found) != 2 {
		t.Errorf("limit: %d entries, %v", len(found), err)
	}
}

func TestIsText(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "hello\n": true, "caf\xe9": true, "\xff\xfeh\x00i\x00": true,
		"\x7fELF\x00": false, strings.Repeat("x", sniffed) + "\x00": true,
	} {
		if got, err := IsText(strings.NewReader(text)); got != want || err != nil {
			t.Errorf("IsText(%.10q) = %v, %v", text, got, err)
		}
	}
}

func TestTail(t *testing.T) {
	tests := []struct {
		text string
		max  int64
		want string
	}{
		{"one\ntwo\nthree\n", 100, "one\ntwo\nthree\n"},
		{"one\ntwo\nthree\n", 7, "three\n"},
		{"one\ntwo\nthree\n", 6, "three\n"}, // the byte before is a newline
		{"one long line without end", 5, "t end"},
		{"one\ntwo", 0, "one\ntwo"},
	}
	for _, tt := range tests {
		f, err := os.Open(write(t, filepath.Join(t.TempDir(), "f"), tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Tail(f, int64(len(tt.text)), tt.max); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(f); string(got) != tt.want {
			t.Errorf("Tail(%q, %d) leaves %q, want %q", tt.text, tt.max, got, tt.want)
		}
		f.Close()
	}
}

func TestDecompress(t *testing.T) {
	text := strings.Repeat("a line of a log\n", 1000)
	pack := map[string]func(io.Writer) (io.WriteCloser, error){
		".gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		".zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
		".xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
	}
	for ext, open := range pack {
		var buf bytes.Buffer
		w, err := open(&buf)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
		w.Close()
		for max, want := range map[int64]int{0: len(text), 100: 100, int64(len(text)): len(text)} {
			var out bytes.Buffer
			cut, err := Decompress(&out, bytes.NewReader(buf.Bytes()), "x.log"+ext, max)
			if err != nil || out.Len() != want || cut != (want < len(text)) {
				t.Errorf("%s, at most %d: %d bytes, cut %v, %v", ext, max, out.Len(), cut, err)
			}
		}
		if _, err := Decompress(io.Discard, bytes.NewReader(buf.Bytes()[:buf.Len()/2]), "x"+ext, 0); err == nil {
			t.Errorf("%s: half a file is no error", ext)
		}
	}
	for _, name := range []string{"x.log", ".gz", "logs/.gz", "x.tar.gz"} {
		if p, ok := Plain(name); ok {
			t.Errorf("%s is %s compressed", name, p)
		}
	}
}

// asked is a host that says which folders it was asked for.
type asked struct{ paths []string }

func (a *asked) Open(p string) (*os.File, error) {
	a.paths = append(a.paths, p)
	return nil, os.ErrPermission
}

// A host lets a plugin list only where its declared patterns have a wildcard,
// so nothing else may be asked for.
func TestOnlyWildcardsAreListed(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may list everything itself; run as somebody else")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "opt/app/bin/x"), "")
	write(t, filepath.Join(dir, "opt/app/log/x.log"), "")
	if err := os.Chmod(filepath.Join(dir, "opt/app"), 0o000); err != nil {
		t.Fatal(err)
	}
	a := &asked{}
	if _, err := Find(t.Context(), a, Options{Paths: []string{dir + "/opt/*/log/**"}}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{dir + "/opt/app/log"}, a.paths); d != "" {
		t.Error(d)
	}
	os.Chmod(filepath.Join(dir, "opt/app"), 0o700)
}

// A compressed log that is too long keeps its end, which is the newest.
func TestDecompressEnd(t *testing.T) {
	for name, n := range map[string]int{"short": 1000, "long": 300_000} {
		var want bytes.Buffer
		for i := range n {
			fmt.Fprintf(&want, "line %d of a log\n", i)
		}
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(want.Bytes())
		w.Close()
		for _, most := range []int64{100, int64(want.Len()) - 1, int64(want.Len()), int64(want.Len()) + 100} {
			var out bytes.Buffer
			kept, err := DecompressEnd(&out, bytes.NewReader(z.Bytes()), "x.gz", most)
			end := want.Bytes()[max(0, int64(want.Len())-most):]
			if err != nil || !bytes.Equal(out.Bytes(), end) || (kept != "") != (most < int64(want.Len())) {
				t.Errorf("%s, %d bytes: %d bytes, %q, %v", name, most, out.Len(), kept, err)
			}
		}
		if _, err := DecompressEnd(io.Discard, bytes.NewReader(z.Bytes()[:z.Len()/2]), "x.gz", 100); err == nil {
			t.Errorf("%s: half a file is taken for a whole one", name)
		}
	}
}
