package members

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

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
