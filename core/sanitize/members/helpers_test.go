package members

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// hideSecret stands for the sanitizer: it replaces a word and refuses content
// with NULs.
func hideSecret(_ context.Context, dst io.Writer, src io.Reader, name string) (string, error) {
	b, err := io.ReadAll(src)
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return "binary", nil
	}
	_, err = dst.Write(bytes.ReplaceAll(b, []byte("SECRET"), []byte("######")))
	return "", err
}

type omissions []string

func testRewriter(o *omissions) *Rewriter {
	return &Rewriter{
		Copy:    hideSecret,
		Rename:  func(p string) string { return strings.ReplaceAll(p, "customer", "h-x") },
		Owner:   func(n string) string { return "u-" + n },
		Omitted: func(name, reason string) { *o = append(*o, name+": "+reason) },
	}
}

func rewrite(t testing.TB, r *Rewriter, name string, in []byte) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	kind := Detect(name, in[:min(len(in), DetectSize)])
	err := r.Rewrite(t.Context(), &out, iotest.HalfReader(bytes.NewReader(in)), name, kind)
	return out.Bytes(), err
}

func compress(t testing.TB, kind Kind, in []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := encoder(&b, kind, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decompress(t testing.TB, kind Kind, in []byte) []byte {
	t.Helper()
	j := &job{Rewriter: &Rewriter{}, Limits: Limits{}.withDefaults(), ctx: t.Context()}
	r, _, err := j.decoder(bytes.NewReader(in), kind)
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		body := h.Uname // the content, so that tables stay short
		h.Uname = "root"
		h.Gname = "jdoe"
		if h.Mode == 0 {
			h.Mode = 0o640
		}
		if h.Typeflag == tar.TypeReg || h.Typeflag == 0 {
			h.Size = int64(len(body))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, body)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name, body string) tar.Header { return tar.Header{Name: name, Uname: body} }

func listTar(t testing.TB, in []byte) []string {
	t.Helper()
	var out []string
	r := tar.NewReader(bytes.NewReader(in))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%c %s %o %s %s%s", h.Typeflag, h.Name, h.Mode, h.Uname+h.Gname[:min(2, len(h.Gname))], h.Linkname, b))
	}
}

type zipEntry struct {
	name, body string
	method     uint16
	mode       os.FileMode
}

func zipOf(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: e.method, Comment: "comment SECRET", Extra: []byte{0xfe, 0xca, 2, 0, 'S', 'C'}}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, e.body)
	}
	w.SetComment("archive SECRET")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func listZip(t testing.TB, in []byte) []string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(in), int64(len(in)))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %v %s%s%s", f.Name, f.Mode(), b, f.Comment, r.Comment))
	}
	return out
}

var streams = []Kind{Gzip, XZ, Zstd, Bzip2}
var endings = map[Kind]string{Gzip: ".gz", XZ: ".xz", Zstd: ".zst", Bzip2: ".bz2", Tar: ".tar", Zip: ".zip"}

func wantOmit(t *testing.T, r *Rewriter, name string, in []byte, reason string) {
	t.Helper()
	_, err := rewrite(t, r, name, in)
	var oe *OmitError
	if !errors.As(err, &oe) || !strings.Contains(oe.Reason, reason) {
		t.Errorf("%s: %v, want reason %q", name, err, reason)
	}
}
