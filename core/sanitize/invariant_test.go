package sanitize

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/latchstring/latchstring/core/sanitize/mask"
	"github.com/latchstring/latchstring/core/sanitize/scan"
)

const filler = "# 2024-03-04 05:06:07 INFO worker 17 finished task 4711 in 12 ms without a fault\n"

// smallest is the smallest buffer with which every line still fits.
const smallest = scan.MaxLine + 3*scan.Reach

// runStream sanitizes with a buffer of the given size.
func runStream(t testing.TB, s *Sanitizer, name string, src io.Reader, size int) string {
	t.Helper()
	st := s.pool.Get().(*stream)
	defer s.pool.Put(st)
	defer func() { st.size = bufferSize }()
	st.size = size
	st.reset(File{Name: name})
	var out strings.Builder
	if _, _, err := st.run(context.Background(), &out, src); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The result is the same wherever the end of a buffer falls, and for reads of
// one byte.
func TestEverySplit(t *testing.T) {
	s := keyed(t)
	for _, f := range loadFamilies(t) {
		in := f.bare()
		want := sanitizeText(t, s, f.file, in)
		if got := runStream(t, s, f.file, iotest.OneByteReader(strings.NewReader(in)), smallest); got != want {
			t.Errorf("%s: reads of one byte give another result", f.name)
		}
		// Some forty places in each case, other ones on each line.
		for off := 0; off <= len(in); off += 1 + len(in)/40 {
			// The buffer is scanned up to Reach before its end: put that place
			// off bytes into the case.
			pad := padding(smallest - scan.Reach - 1 - off)
			got := runStream(t, s, f.file, strings.NewReader(pad+in), smallest)
			if got != pad+want {
				t.Errorf("%s: another result when the buffer ends %d bytes into it:\n%s\nwant\n%s", f.name, off, strings.TrimPrefix(got, pad), want)
				break
			}
		}
	}
}

// padding is n bytes of harmless lines.
func padding(n int) string {
	p := strings.Repeat(filler, n/len(filler))
	if rest := n - len(p); rest > 0 {
		p += strings.Repeat("#", rest-1) + "\n"
	}
	return p
}

func keyed(t testing.TB) *Sanitizer {
	t.Helper()
	s, err := New(Options{Key: &Key{1, 2, 3}, Names: Names{Hosts: []string{"web-17"}, Users: []string{"jdoe"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// All kernels, and the scanner without masks, find the same.
func TestKernelsAgree(t *testing.T) {
	for _, f := range loadFamilies(t) {
		in := []byte(strings.Repeat(filler, 3) + f.bare())
		var all [3]string // a kernel that this machine has not runs as its best
		for i, k := range []mask.Kernel{mask.Portable, mask.AVX2, mask.AVX512} {
			sc := scan.New()
			sc.Kernel, sc.Tokens, sc.Identify = k, findTokens, true
			sc.Reset(f.file)
			sc.Scan(in, 0, len(in))
			all[i] = fmt.Sprint(sc.Spans, sc.Idents)
		}
		if all[0] != all[1] || all[1] != all[2] {
			t.Errorf("%s:\nportable %s\navx2     %s\navx512   %s", f.name, all[0], all[1], all[2])
		}
		sc := scan.New()
		sc.Tokens = findTokens
		sc.Reset(f.file)
		for from := 0; from < len(in); {
			end := bytes.IndexByte(in[from:], '\n') + from
			if end < from {
				end = len(in)
			}
			sc.Line(in, from, end)
			from = end + 1
		}
		if slow := fmt.Sprint(sc.Spans); !strings.HasPrefix(all[1], slow) {
			t.Errorf("%s: the masks miss something:\nlines %s\nmasks %s", f.name, slow, all[1])
		}
	}
}

// Sanitizing twice changes nothing more.
func TestIdempotent(t *testing.T) {
	s := plain(t)
	for _, f := range loadFamilies(t) {
		once := sanitizeText(t, s, f.file, f.bare())
		if twice := sanitizeText(t, s, f.file, once); twice != once {
			t.Errorf("%s:\nonce\n%s\ntwice\n%s", f.name, once, twice)
		}
		hits, err := s.Check(context.Background(), strings.NewReader(once), File{Name: f.file})
		if err != nil || len(hits) > 0 {
			t.Errorf("%s: the final gate finds %v, %v in\n%s", f.name, hits, err, once)
		}
	}
}

// The same secret stays hidden in whatever it is wrapped.
func TestWrapped(t *testing.T) {
	s := plain(t)
	for _, secret := range []string{"hunter2", "Tr0ub4dor&3", "correct horse", "p@ss/w:rd", "é🗝x1", `q"uo\te'd`, "<tag>&x;"} {
		js, _ := json.Marshal(secret)
		var xm bytes.Buffer
		_ = xml.EscapeText(&xm, []byte(secret))
		pair, _ := json.Marshal(map[string]string{"password": secret})
		nested, _ := json.Marshal(string(pair))
		b64 := base64.StdEncoding.EncodeToString([]byte("user: bob\npassword: " + secret + "\n"))
		for _, in := range []string{
			`{"password":` + string(js) + `}`,
			`{"log":` + string(nested) + `}`,
			"password: " + string(js) + "\n",
			"<password>" + xm.String() + "</password>",
			`<db password="` + xm.String() + `"/>`,
			"https://bob:" + url.QueryEscape(secret) + "@host/",
			"https://host/?password=" + url.QueryEscape(secret) + "&x=1",
			"blob: " + b64 + "\n",
		} {
			out := sanitizeText(t, s, "", in)
			for _, form := range []string{secret, string(js[1 : len(js)-1]), xm.String(), url.QueryEscape(secret), b64} {
				if strings.Contains(out, form) {
					t.Errorf("%q lets %q through: %q", in, form, out)
				}
			}
		}
	}
}

// What was valid JSON or XML stays valid.
func TestStaysValid(t *testing.T) {
	s := keyed(t)
	for _, f := range loadFamilies(t) {
		in := f.bare()
		out := sanitizeText(t, s, f.file, in)
		if json.Valid([]byte(in)) && !json.Valid([]byte(out)) {
			t.Errorf("%s: no JSON any more: %s", f.name, out)
		}
		if validXML(in) && !validXML(out) {
			t.Errorf("%s: no XML any more: %s", f.name, out)
		}
	}
}

func validXML(text string) bool {
	if !strings.HasPrefix(text, "<") {
		return false
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		switch _, err := d.Token(); err {
		case nil:
		case io.EOF:
			return true
		default:
			return false
		}
	}
}

// endless repeats a text without a line feed.
type endless struct {
	text string
	left int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && e.left > 0 {
		c := copy(p[n:], e.text[:min(int64(len(e.text)), e.left)])
		n += c
		e.left -= int64(c)
	}
	return n, nil
}

// scarce counts what a secret leaves behind.
type scarce struct {
	secret string
	tail   []byte
	leaks  int
}

func (w *scarce) Write(p []byte) (int, error) {
	w.leaks += bytes.Count(p, []byte(w.secret))
	w.tail = append(w.tail, p[:min(len(p), len(w.secret)-1)]...)
	w.leaks += bytes.Count(w.tail, []byte(w.secret))
	w.tail = append(w.tail[:0], p[max(0, len(p)-len(w.secret)+1):]...)
	return len(p), nil
}

// A line of any length needs one buffer.
func TestHugeLine(t *testing.T) {
	size := int64(256 << 20)
	if testing.Short() {
		size = 8 << 20
	}
	s := keyed(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := &scarce{secret: "hunter2hunter2"}
	src := &endless{text: `{"user":"bob","password":"hunter2hunter2","n":12345,"host":"10.1.2.3"},`, left: size}
	res, err := s.Copy(context.Background(), w, src, File{Name: "one-line.json"})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if w.leaks > 0 {
		t.Errorf("%d secrets came through", w.leaks)
	}
	if want := int(size) / 71 * 9 / 10; res.Hidden < want {
		t.Errorf("hid %d secrets, expected more than %d", res.Hidden, want)
	}
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 24<<20 {
		t.Errorf("a line of %d MB allocated %d MB", size>>20, grown>>20)
	}
}

// One value that is longer than every buffer is hidden to its end.
func TestHugeValue(t *testing.T) {
	s := plain(t)
	for _, quote := range []string{`"`, ""} {
		head, tail := `{"password":`+quote, quote+`,"after":"kept"}`+"\n"
		value := strings.Repeat("s3cr3tValue", 300_000)
		out := sanitizeText(t, s, "", head+value+tail)
		if strings.Contains(out, "s3cr3t") {
			t.Errorf("quote %q: a long value comes through", quote)
		}
		if !strings.HasSuffix(out, tail) {
			t.Errorf("quote %q: what follows is damaged: %.200s", quote, out)
		}
	}
}

func TestErrorsOfReadersAndWriters(t *testing.T) {
	s := plain(t)
	if _, err := s.Copy(context.Background(), io.Discard, iotest.ErrReader(io.ErrUnexpectedEOF), File{Name: "x"}); err == nil {
		t.Error("an error of the reader is lost")
	}
	if _, err := s.Copy(context.Background(), iotest.TruncateWriter(io.Discard, 0), iotest.TimeoutReader(strings.NewReader(padding(1<<20))), File{Name: "x"}); err == nil {
		t.Error("a time-out is lost")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Copy(ctx, io.Discard, strings.NewReader("x"), File{}); err == nil {
		t.Error("a cancelled context is ignored")
	}
}

func FuzzCopy(f *testing.F) {
	for _, fam := range loadFamilies(f) {
		f.Add([]byte(fam.bare()))
	}
	s, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		once := runStream(t, s, "", bytes.NewReader(in), bufferSize)
		if bytes.Count(in, []byte{'\n'}) != strings.Count(once, "\n") {
			t.Errorf("lines changed: %q became %q", in, once)
		}
		if json.Valid(in) && !json.Valid([]byte(once)) {
			t.Errorf("no JSON any more: %q became %q", in, once)
		}
		if again := runStream(t, s, "", iotest.HalfReader(bytes.NewReader(in)), smallest); again != once {
			t.Errorf("another buffer, another result: %q, %q", once, again)
		}
		_ = sanitizeText(t, s, "", string(in))
	})
}
