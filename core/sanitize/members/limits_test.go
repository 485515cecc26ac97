package members

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

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

func dictionaryOf(in []byte) int64 { return dictionary(bufio.NewReader(bytes.NewReader(in))) }
