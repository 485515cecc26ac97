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
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
