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
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestStreams(t *testing.T) {
	text := []byte(strings.Repeat("a line with SECRET in it\n", 20000))
	want := bytes.ReplaceAll(text, []byte("SECRET"), []byte("######"))
	for _, kind := range streams {
		var o omissions
		in := compress(t, kind, text)
		if k := Detect("x", in[:DetectSize/4]); k != kind {
			t.Errorf("%v is taken for %v", kind, k)
		}
		out, err := rewrite(t, testRewriter(&o), "log"+endings[kind], in)
		if err != nil {
			t.Fatalf("%v: %v", kind, err)
		}
		if Detect("x", out[:64]) != kind || !bytes.Equal(decompress(t, kind, out), want) {
			t.Errorf("%v: wrong content", kind)
		}
		again, err := rewrite(t, testRewriter(&o), "log"+endings[kind], in)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("%v: not deterministic, %v", kind, err)
		}
		empty, err := rewrite(t, testRewriter(&o), "x", compress(t, kind, nil))
		if err != nil || len(decompress(t, kind, empty)) != 0 {
			t.Errorf("%v: empty: %v", kind, err)
		}
	}
}

func TestTar(t *testing.T) {
	in := tarOf(t,
		tar.Header{Name: "./etc/", Typeflag: tar.TypeDir, Mode: 0o4755},
		file("./etc/customer.conf", "x SECRET y"),
		file("/abs/../../escape", "SECRET"),
		tar.Header{Name: "pax", Uname: "body", PAXRecords: map[string]string{"SCHILY.xattr.user.k": "SECRET"}},
		tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "etc/customer.conf"},
		tar.Header{Name: "away", Typeflag: tar.TypeSymlink, Linkname: "../../etc/shadow"},
		tar.Header{Name: "abs", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"},
		tar.Header{Name: "dirlink", Typeflag: tar.TypeSymlink, Linkname: "."},
		file("dirlink/evil", "x"),
		tar.Header{Name: "hard", Typeflag: tar.TypeLink, Linkname: "etc/customer.conf"},
		tar.Header{Name: "hardaway", Typeflag: tar.TypeLink, Linkname: "../shadow"},
		tar.Header{Name: "dev", Typeflag: tar.TypeChar},
		tar.Header{Name: "fifo", Typeflag: tar.TypeFifo},
		file("bin", "a\x00b"),
		file("bad\x1b[31m\nname", "ok"),
		file("empty", ""),
		file("big", strings.Repeat("SECRET 0123456789\n", 60000)),
	)
	var o omissions
	out, err := rewrite(t, testRewriter(&o), "a.tar", in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"5 etc/ 755 rootu- ",
		"0 etc/h-x.conf 640 rootu- x ###### y",
		"0 abs/escape 640 rootu- ######",
		"0 pax 640 rootu- body",
		"2 link 640 rootu- etc/h-x.conf",
		"2 dirlink 640 rootu- .",
		"1 hard 640 rootu- etc/h-x.conf",
		"0 bad_[31m_name 640 rootu- ok",
		"0 empty 640 rootu- ",
		"0 big 640 rootu- " + strings.Repeat("###### 0123456789\n", 60000),
	}
	if d := cmp.Diff(want, listTar(t, out)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff(omissions{
		"a.tar/away: a link to outside the archive", "a.tar/abs: a link to outside the archive",
		"a.tar/dirlink/evil: behind a symbolic link of the archive", "a.tar/hardaway: a hard link to what is not in the archive",
		"a.tar/dev: a device or another special file", "a.tar/fifo: a device or another special file", "a.tar/bin: binary",
	}, o); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if bytes.Contains(out, []byte("SECRET")) || bytes.Contains(out, []byte("customer")) {
		t.Error("the archive still shows it")
	}
	again, _ := rewrite(t, testRewriter(&o), "a.tar", in)
	if !bytes.Equal(out, again) {
		t.Error("not deterministic")
	}
}

func TestZip(t *testing.T) {
	in := zipOf(t,
		zipEntry{name: "etc/", mode: os.ModeDir | 0o755},
		zipEntry{name: "etc/customer.conf", body: "x SECRET y", method: zip.Deflate},
		zipEntry{name: "stored", body: "SECRET", method: zip.Store},
		zipEntry{name: "../../escape", body: "SECRET", method: zip.Deflate},
		zipEntry{name: "link", body: "etc/customer.conf", mode: os.ModeSymlink | 0o777},
		zipEntry{name: "away", body: "/etc/shadow", mode: os.ModeSymlink | 0o777},
		zipEntry{name: "bin", body: "\x00", method: zip.Deflate},
		zipEntry{name: "inner.tar.gz", body: string(compress(t, Gzip, tarOf(t, file("deep", "SECRET")))), method: zip.Store},
		zipEntry{name: "big", body: strings.Repeat("SECRET 0123456789\n", 60000), method: zip.Deflate},
	)
	var o omissions
	out, err := rewrite(t, testRewriter(&o), "a.zip", in)
	if err != nil {
		t.Fatal(err)
	}
	got := listZip(t, out)
	i := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "inner") })
	inner := strings.SplitN(got[i], " ", 3)[2]
	got[i] = "inner"
	want := []string{
		"etc/ drwxr-xr-x ", "etc/h-x.conf -rw-rw-rw- x ###### y", "stored -rw-rw-rw- ######", "escape -rw-rw-rw- ######",
		"link Lrwxrwxrwx etc/h-x.conf", "inner", "big -rw-rw-rw- " + strings.Repeat("###### 0123456789\n", 60000),
	}
	for i := range got { // files without a mode have none in zip
		got[i] = strings.Replace(got[i], "----------", "-rw-rw-rw-", 1)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff([]string{"0 deep 640 rootu- ######"}, listTar(t, decompress(t, Gzip, []byte(inner)))); d != "" {
		t.Errorf("inner: -want +got\n%s", d)
	}
	if d := cmp.Diff(omissions{"a.zip/away: a link to outside the archive", "a.zip/bin: binary"}, o); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for _, s := range []string{"SECRET", "customer", "\xfe\xca\x02\x00SC"} {
		if bytes.Contains(out, []byte(s)) {
			t.Errorf("the archive still shows %q", s)
		}
	}
}

func TestZipBroken(t *testing.T) {
	in := zipOf(t, zipEntry{name: "good", body: "fine", method: zip.Store}, zipEntry{name: "bad", body: "damaged content", method: zip.Store},
		zipEntry{name: "locked", body: "x", method: zip.Store})
	bad := bytes.Replace(in, []byte("damaged content"), []byte("DAMAGED content"), 1)
	central := bytes.LastIndex(bad, []byte("PK\x01\x02")) // of the last
	bad[central+8] |= 1                                   // encrypted
	var o omissions
	out, err := rewrite(t, testRewriter(&o), "a.zip", bad)
	if err != nil {
		t.Fatal(err)
	}
	if got := listZip(t, out); len(got) != 1 || !strings.HasPrefix(got[0], "good ") {
		t.Errorf("%q", got)
	}
	if d := cmp.Diff(omissions{"a.zip/bad: damaged", "a.zip/locked: encrypted"}, o); d != "" {
		t.Error(d)
	}
	method := bytes.Clone(in)
	central = bytes.Index(method, []byte("PK\x01\x02"))
	method[central+10] = 99
	o = nil
	if _, err := rewrite(t, testRewriter(&o), "a.zip", method); err != nil || len(o) != 1 {
		t.Errorf("unknown method: %v %v", err, o)
	}
	wantOmit(t, testRewriter(&o), "a.zip", in[:len(in)-30], "damaged or not zip")
}

func wantOmit(t *testing.T, r *Rewriter, name string, in []byte, reason string) {
	t.Helper()
	_, err := rewrite(t, r, name, in)
	var oe *OmitError
	if !errors.As(err, &oe) || !strings.Contains(oe.Reason, reason) {
		t.Errorf("%s: %v, want reason %q", name, err, reason)
	}
}

// Anything that cannot be read to its end is left out as a whole.
func TestDamaged(t *testing.T) {
	text := bytes.Repeat([]byte("some SECRET text 0123456789\n"), 5000)
	var o omissions
	for _, kind := range streams {
		in := compress(t, kind, text)
		for _, cut := range []int{len(in) - 1, len(in) / 2, 20} {
			wantOmit(t, testRewriter(&o), "x"+endings[kind], in[:cut], "damaged")
		}
		flipped := bytes.Clone(in)
		flipped[len(in)/2] ^= 0x55
		wantOmit(t, testRewriter(&o), "x"+endings[kind], flipped, "damaged")
	}
	gz := compress(t, Gzip, text)
	gz[len(gz)-6] ^= 1 // checksum
	wantOmit(t, testRewriter(&o), "x.gz", gz, "damaged")
	wantOmit(t, testRewriter(&o), "x.gz", append(compress(t, Gzip, text), "trailing"...), "damaged")
	wantOmit(t, testRewriter(&o), "x.tar", tarOf(t, file("a", strings.Repeat("x", 2000)))[:1024], "damaged")
	wantOmit(t, testRewriter(&o), "x.tgz", compress(t, Gzip, tarOf(t, file("a", strings.Repeat("x", 2000)))[:1024]), "damaged")
	wantOmit(t, testRewriter(&o), "x.7z", []byte("7z\xbc\xaf\x27\x1crest"), "not opened")
	wantOmit(t, testRewriter(&o), "x.gz", compress(t, Gzip, []byte("a\x00b")), "binary")
	wantOmit(t, testRewriter(&o), "x", []byte("plain"), "no archive")
	if len(o) != 0 {
		t.Errorf("members were reported: %q", o)
	}
}

func TestConcatenatedStreams(t *testing.T) {
	for _, kind := range []Kind{Gzip, Zstd, Bzip2, XZ} {
		in := append(compress(t, kind, []byte("first SEC")), compress(t, kind, []byte("RET last"))...)
		var o omissions
		out, err := rewrite(t, testRewriter(&o), "x", in)
		if err != nil {
			t.Errorf("%v: %v", kind, err)
			continue
		}
		if got := string(decompress(t, kind, out)); got != "first ###### last" {
			t.Errorf("%v: %q", kind, got)
		}
	}
}

func TestNesting(t *testing.T) {
	body := []byte("SECRET deep")
	in := compress(t, Gzip, body)
	in = tarOf(t, file("two.gz", string(in)))
	in = zipOf(t, zipEntry{name: "one.tar", body: string(in), method: zip.Deflate}) // three: zip, tar, gz
	var o omissions
	out, err := rewrite(t, testRewriter(&o), "a.zip", in)
	if err != nil || len(o) != 0 {
		t.Fatalf("%v %q", err, o)
	}
	tarred := strings.SplitN(listZip(t, out)[0], " ", 3)[2]
	zipped := strings.TrimPrefix(listTar(t, []byte(tarred))[0], "0 two.gz 640 rootu- ")
	if got := decompress(t, Gzip, []byte(zipped)); string(got) != "###### deep" {
		t.Errorf("%q", got)
	}
	four := tarOf(t, file("a.zip", string(in)))
	if _, err := rewrite(t, testRewriter(&o), "b.tar", four); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(omissions{"b.tar/a.zip/one.tar/two.gz: nested more than 3 deep"}, o); d != "" {
		t.Error(d)
	}
	deep := compress(t, Zstd, compress(t, XZ, compress(t, Bzip2, compress(t, Gzip, body))))
	wantOmit(t, testRewriter(&o), "a.gz.bz2.xz.zst", deep, "nested")
	for _, kind := range streams { // a compressed tar is one container
		o = nil
		in := compress(t, kind, tarOf(t, file("x.tar.gz", string(compress(t, Gzip, tarOf(t, file("y.tar.zst", string(compress(t, Zstd, tarOf(t, file("z", "SECRET")))))))))))
		if _, err := rewrite(t, testRewriter(&o), "a.tar", in); err != nil || len(o) != 0 {
			t.Errorf("%v: %v %q", kind, err, o)
		}
	}
}

// zeros reads like a file of n zeros.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(*z))
	clear(p[:n])
	for i := range p[:n] {
		p[i] = '0'
	}
	*z -= zeros(n)
	return int(n), nil
}

func bomb(t testing.TB, kind Kind, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := encoder(&b, kind, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	z := zeros(n)
	if _, err := io.Copy(w, &z); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

func drain(_ context.Context, dst io.Writer, src io.Reader, _ string) (string, error) {
	_, err := io.Copy(io.Discard, src)
	return "", err
}

func TestBombs(t *testing.T) {
	gz := bomb(t, Gzip, 80<<20)
	var o omissions
	r := testRewriter(&o)
	r.Copy = drain
	wantOmit(t, r, "x.gz", gz, "times its size")
	wantOmit(t, r, "x.gz", compress(t, Gzip, gz), "times its size")
	wantOmit(t, r, "x.tar", tarOf(t, file("a.gz", string(gz)), file("b", "x")), "times its size")
	wantOmit(t, r, "x.zip", zipOf(t, zipEntry{name: "a.gz", body: string(gz), method: zip.Deflate}), "times its size")
	wantOmit(t, r, "x.zst", bomb(t, Zstd, 80<<20), "times its size")

	r.Limits.Bytes = 10 << 20
	wantOmit(t, r, "x.gz", gz, "bytes")
	r.Limits = Limits{Members: 3}
	wantOmit(t, r, "x.tar", tarOf(t, file("a", ""), file("b", ""), file("c", ""), file("d", "")), "more than 3 members")
	wantOmit(t, r, "x.zip", zipOf(t, zipEntry{name: "a"}, zipEntry{name: "b"}, zipEntry{name: "c"}, zipEntry{name: "d"}), "more than 3 members")

	// A directory of very many entries is not even read.
	many := make([]zipEntry, 3000)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	r.Limits = Limits{Members: 10}
	wantOmit(t, r, "x.zip", zipOf(t, many...), "directory is too large")

	// A sanitizer that swallows the error does not get the bomb through.
	r.Limits = Limits{}
	r.Copy = func(_ context.Context, dst io.Writer, src io.Reader, _ string) (string, error) {
		io.Copy(io.Discard, src)
		return "", nil
	}
	wantOmit(t, r, "x.gz", gz, "times its size")
}

// A sparse tar member claims a size that is nowhere in the file.
func TestSparseBomb(t *testing.T) {
	gnu, err := os.ReadFile(sparse(t))
	if err != nil {
		t.Skip(err)
	}
	var o omissions
	r := testRewriter(&o)
	r.Copy = drain
	wantOmit(t, r, "x.tar", gnu, "times its size")
}

// sparse makes a tar with a member of 8 GB in old GNU sparse format, by hand:
// archive/tar does not write them.
func sparse(t *testing.T) string {
	b := make([]byte, 512*3)
	copy(b, "hole")
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:], "00000000000\x00")                // no data stored
	copy(b[136:], "00000000000\x00        S")       // time, sum, type
	copy(b[257:], "ustar  \x00")                    // GNU
	copy(b[386:], "00000000000\x0000000000000\x00") // no data at 0
	copy(b[483:], "100000000000\x00"[:12])          // real size 8 GB
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	path := filepath.Join(t.TempDir(), "sparse.tar")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestXZDictionary(t *testing.T) {
	in := compress(t, XZ, []byte("text"))
	if got := dictionaryOf(in); got != 1<<20 {
		t.Errorf("dictionary is %d", got)
	}
	huge := bytes.Clone(in)
	i := bytes.IndexByte(huge[12:], 0x21) + 12
	huge[i+2] = 40
	if got := dictionaryOf(huge); got != 1<<32-1 {
		t.Errorf("dictionary is %d", got)
	}
	var o omissions
	wantOmit(t, testRewriter(&o), "x.xz", huge, "memory")
}

// Real errors are not taken for broken files.
func TestErrorsPass(t *testing.T) {
	boom := errors.New("disk full")
	var o omissions
	for _, kind := range append(slices.Clone(streams), Tar, Zip) {
		text := bytes.Repeat([]byte("0123456789 text\n"), 50000)
		var in []byte
		switch kind {
		case Tar:
			in = tarOf(t, file("a", string(text)))
		case Zip:
			in = zipOf(t, zipEntry{name: "a", body: string(text), method: zip.Deflate})
		default:
			in = compress(t, kind, text)
		}
		r := testRewriter(&o)
		err := r.Rewrite(t.Context(), failAfter{boom}, bytes.NewReader(in), "x", kind)
		if !errors.Is(err, boom) {
			t.Errorf("%v: failing writer: %v", kind, err)
		}
		err = r.Rewrite(t.Context(), &bytes.Buffer{}, io.MultiReader(bytes.NewReader(in[:len(in)/2]), iotest.ErrReader(boom)), "x", kind)
		if !errors.Is(err, boom) {
			t.Errorf("%v: failing reader: %v", kind, err)
		}
		r.Copy = func(context.Context, io.Writer, io.Reader, string) (string, error) { return "", boom }
		if err := r.Rewrite(t.Context(), io.Discard, bytes.NewReader(in), "x", kind); !errors.Is(err, boom) {
			t.Errorf("%v: failing sanitizer: %v", kind, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := testRewriter(&o).Rewrite(ctx, io.Discard, bytes.NewReader(in), "x", kind); !errors.Is(err, context.Canceled) {
			t.Errorf("%v: cancelled: %v", kind, err)
		}
	}
	r := testRewriter(&o)
	r.Temp = func() (*os.File, error) { return nil, boom }
	r.Limits.Memory = 100
	if err := r.Rewrite(t.Context(), &bytes.Buffer{}, bytes.NewReader(tarOf(t, file("a", strings.Repeat("x", 1000)))), "x", Tar); !errors.Is(err, boom) {
		t.Errorf("no spool: %v", err)
	}
}

type failAfter struct{ err error }

func (f failAfter) Write([]byte) (int, error) { return 0, f.err }

// REQ: secrets never in temporary files.
func TestSpoolIsSealed(t *testing.T) {
	dir := t.TempDir()
	var made []string
	var o omissions
	r := testRewriter(&o)
	r.Limits.Memory = 1000
	r.Temp = func() (*os.File, error) {
		f, err := os.CreateTemp(dir, "s")
		made = append(made, f.Name())
		return f, err
	}
	body := strings.Repeat("SECRET and more\n", 5000)
	out, err := rewrite(t, r, "a.zip", zipOf(t, zipEntry{name: "x", body: body, method: zip.Store}))
	if err != nil {
		t.Fatal(err)
	}
	if got := listZip(t, out); !strings.HasSuffix(got[0], strings.ReplaceAll(body, "SECRET", "######")) {
		t.Error("content changed in the spool")
	}
	if len(made) != 2 {
		t.Errorf("%d spools", len(made))
	}
	for _, name := range made {
		b, err := os.ReadFile(name)
		if err != nil || len(b) < 1000 || bytes.Contains(b, []byte("SECRET")) || bytes.Contains(b, []byte("and more")) {
			t.Errorf("the spool of %d bytes shows its content, %v", len(b), err)
		}
	}
	f, err := unnamedTemp()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := os.Stat(f.Name()); !os.IsNotExist(err) {
		t.Error("the spool has a name")
	}
}

func TestSpoolReadAt(t *testing.T) {
	j := &job{Rewriter: &Rewriter{}, Limits: Limits{Memory: 100}}
	for _, size := range []int{0, 1, 100, 101, 5000, 70000} {
		sp := j.newSpool()
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(i * 7 >> 3)
		}
		for i := 0; i < size; i += 37 {
			if n, err := sp.Write(want[i:min(i+37, size)]); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
		for _, off := range []int{0, 1, 15, 16, 17, 99, 100, 4999, size - 1, size, size + 1} {
			for _, n := range []int{1, 16, 33, size} {
				if off < 0 || n <= 0 {
					continue
				}
				p := make([]byte, n)
				got, err := sp.ReadAt(p, int64(off))
				left := max(0, min(n, size-off))
				if got != left || (err == io.EOF) != (left < n) || !bytes.Equal(p[:got], want[min(off, size):min(off+left, size)]) {
					t.Fatalf("size %d: ReadAt(%d, %d) = %d, %v", size, n, off, got, err)
				}
			}
		}
		if got, err := io.ReadAll(sp.reader()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("size %d: %v", size, err)
		}
		sp.reset()
		if sp.size != 0 || sp.file != nil {
			t.Error("reset leaves something")
		}
		sp.Close()
	}
}

func TestDetect(t *testing.T) {
	v7 := tarOf(t, file("old", "x"))
	copy(v7[257:265], make([]byte, 8))
	sum := 8 * int(' ')
	for i, c := range v7[:512] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(v7[148:], fmt.Sprintf("%06o\x00 ", sum))
	for _, c := range []struct {
		name string
		head []byte
		want Kind
	}{
		{"x.log", []byte("plain text"), None}, {"x.gz", []byte("not really gzip"), None}, {"x", nil, None}, {"x", []byte("BZh is a word"), None},
		{"x", []byte("BZh91AY&SY...."), Bzip2}, {"x", []byte("PK\x03\x04"), Zip}, {"x", []byte("PK and more"), None},
		{"x", []byte("\x50\x2a\x4d\x18\x04\x00\x00\x00"), Zstd}, {"x", v7[:512], Tar}, {"x.tar", make([]byte, 512), None},
		{"x", []byte("!<arch>\n"), Foreign}, {"x", []byte("070701" + strings.Repeat("0", 104)), Foreign}, {"x", []byte("070701 is the postcode " + strings.Repeat("0", 104)), None}, {"x", []byte("LZIP is text"), None}, {"a.lzma", append([]byte{0x5d, 0, 0}, make([]byte, 10)...), Foreign}, {"a", append([]byte{0x5d, 0, 0}, make([]byte, 10)...), None},
	} {
		if got := Detect(c.name, c.head); got != c.want {
			t.Errorf("%q %q: %v, want %v", c.name, c.head[:min(len(c.head), 12)], got, c.want)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	for _, k := range streams {
		f.Add("x"+endings[k], compress(f, k, []byte("text SECRET")))
	}
	f.Add("x.tar", tarOf(f, file("../a", "SECRET"), tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "a"}))
	f.Add("x.zip", zipOf(f, zipEntry{name: "../a", body: "SECRET", method: zip.Deflate}))
	f.Add("x.tgz", compress(f, Gzip, tarOf(f, file("a", "SECRET"))))
	f.Fuzz(func(t *testing.T, name string, in []byte) {
		var o omissions
		r := testRewriter(&o)
		r.Limits = Limits{Bytes: 4 << 20, Members: 100, Window: 8 << 20}
		out, err := rewrite(t, r, name, in)
		if err != nil {
			return
		}
		kind := Detect(name, in)
		switch {
		case kind == Tar:
			listTar(t, out)
		case kind == Zip:
			listZip(t, out)
		default:
			decompress(t, kind, out)
		}
		// What came out goes through again and nothing is found any more.
		seen := false
		r.Copy = func(_ context.Context, dst io.Writer, src io.Reader, _ string) (string, error) {
			b, err := io.ReadAll(src)
			seen = seen || bytes.Contains(b, []byte("SECRET"))
			dst.Write(b)
			return "", err
		}
		if _, err := rewrite(t, r, name, out); err != nil && kind != Tar && kind != Zip {
			t.Fatalf("the result is not readable: %v", err)
		}
		if seen {
			t.Fatal("still there")
		}
	})
}

// Into io.Discard everything is read and nothing packed.
func TestReadOnly(t *testing.T) {
	body := strings.Repeat("SECRET text\n", 1000)
	inner := tarOf(t, file("x", body), file("y.gz", string(compress(t, Gzip, []byte(body)))))
	for name, in := range map[string][]byte{
		"a.tar": inner, "a.tgz": compress(t, Gzip, inner), "a.zip": zipOf(t, zipEntry{name: "i.tar.xz", body: string(compress(t, XZ, inner)), method: zip.Deflate}),
	} {
		seen := 0
		r := &Rewriter{Copy: func(_ context.Context, dst io.Writer, src io.Reader, _ string) (string, error) {
			b, err := io.ReadAll(src)
			seen += bytes.Count(b, []byte("SECRET"))
			dst.Write(b)
			return "", err
		}}
		if err := r.Rewrite(t.Context(), io.Discard, bytes.NewReader(in), name, Detect(name, in)); err != nil || seen != 2000 {
			t.Errorf("%s: %d seen, %v", name, seen, err)
		}
		bad := bytes.Clone(in)
		bad = bad[:len(bad)*2/3]
		var oe *OmitError
		if err := r.Rewrite(t.Context(), io.Discard, bytes.NewReader(bad), name, Detect(name, in)); !errors.As(err, &oe) && name != "a.tar" {
			t.Errorf("%s cut: %v", name, err)
		}
	}
}

func BenchmarkGzip(b *testing.B) {
	var text bytes.Buffer
	for i := range 20000 {
		fmt.Fprintf(&text, "2024-03-04 12:00:%02d INFO [worker-%d] request %x took %d ms\n", i%60, i%32, i*7919, i%5000)
	}
	for _, kind := range streams {
		in := compress(b, kind, text.Bytes())
		b.Run(kind.String(), func(b *testing.B) {
			r := &Rewriter{Copy: func(_ context.Context, dst io.Writer, src io.Reader, _ string) (string, error) {
				_, err := io.Copy(dst, src)
				return "", err
			}}
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if err := r.Rewrite(b.Context(), struct{ io.Writer }{io.Discard}, bytes.NewReader(in), "x", kind); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
