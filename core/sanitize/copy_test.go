package sanitize

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

func copyFile(t *testing.T, s *Sanitizer, f File, in []byte) ([]byte, Result) {
	t.Helper()
	var out bytes.Buffer
	res, err := s.Copy(context.Background(), &out, bytes.NewReader(in), f)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), res
}

func TestWideText(t *testing.T) {
	s := plain(t)
	in := binary.LittleEndian.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune("user = bob\r\npassword = hunter2\r\n")) {
		in = binary.LittleEndian.AppendUint16(in, u)
	}
	out, _ := copyFile(t, s, File{Name: "app.ini"}, in)
	var units []uint16
	for i := 2; i+1 < len(out); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(out[i:]))
	}
	text := string(utf16.Decode(units))
	if strings.Contains(text, "hunter2") || !strings.HasPrefix(text, "user = bob\r\npassword = REDACTED_") || !bytes.HasPrefix(out, in[:2]) {
		t.Errorf("UTF-16 became %q", text)
	}
}

func TestCompressed(t *testing.T) {
	s := plain(t)
	var in bytes.Buffer
	w := gzip.NewWriter(&in)
	_, _ = w.Write([]byte("password=hunter2\nuser=bob\n"))
	_ = w.Close()
	out, _ := copyFile(t, s, File{Name: "app.log.1.gz"}, in.Bytes())
	r, err := gzip.NewReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || bytes.Contains(text, []byte("hunter2")) || !bytes.HasSuffix(text, []byte("\nuser=bob\n")) {
		t.Errorf("gzip holds %q, %v", text, err)
	}
	// The gate looks inside too.
	hits, err := s.Check(context.Background(), bytes.NewReader(in.Bytes()), File{Name: "app.log.1.gz"})
	if err != nil || len(hits) == 0 {
		t.Errorf("the gate finds %v, %v in a compressed file that was not sanitized", hits, err)
	}
	// A damaged file is no clean file.
	cut := in.Bytes()[:in.Len()-6]
	var sink bytes.Buffer
	res, err := s.Copy(context.Background(), &sink, bytes.NewReader(cut), File{Name: "cut.gz"})
	if err == nil && res.Omitted == "" {
		t.Error("a damaged file passes")
	}
}

func TestBinary(t *testing.T) {
	in := append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), make([]byte, 4096)...)
	r := rand.New(rand.NewPCG(5, 6))
	for i := 16; i < len(in); i++ {
		in[i] = byte(r.UintN(256))
	}
	s := plain(t)
	if _, res := copyFile(t, s, File{Name: "usr/bin/x"}, in); res.Omitted == "" {
		t.Error("a binary passes unread")
	}
	if r := s.Report(); len(r.Files) != 1 || r.Files[0].Omitted == "" {
		t.Errorf("the report does not tell: %+v", r)
	}
	s, err := New(Options{AllowBinary: []string{"var/log/sa/*"}})
	if err != nil {
		t.Fatal(err)
	}
	if out, res := copyFile(t, s, File{Name: "var/log/sa/sa01"}, in); res.Omitted != "" || !bytes.Equal(out, in) {
		t.Error("an allowed binary does not pass")
	}
}

func TestWhatWasLearnedIsSweptFor(t *testing.T) {
	s := plain(t)
	copyFile(t, s, File{Name: "app.conf", Learn: true}, []byte("password = Zeq7!vorlok\n"))
	for _, in := range []string{"connect with Zeq7!vorlok failed\n", "x WmVxNyF2b3Jsb2s= y\n", "GET /?q=Zeq7%21vorlok HTTP/1.1\n"} {
		out, res := copyFile(t, s, File{Name: "app.log"}, []byte(in))
		if res.Hidden != 1 {
			t.Errorf("%q became %q", in, out)
		}
	}
	hits, err := s.Check(context.Background(), strings.NewReader("a late Zeq7!vorlok\n"), File{Name: "late.log"})
	if err != nil || len(hits) == 0 {
		t.Errorf("the gate lets a known secret through: %v, %v", hits, err)
	}
	// Alone, nothing is remembered.
	each, err := New(Options{Forget: true})
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, each, File{Name: "app.conf", Learn: true}, []byte("password = Zeq7!vorlok\n"))
	if out, _ := copyFile(t, each, File{Name: "app.log"}, []byte("say Zeq7!vorlok\n")); !bytes.Contains(out, []byte("vorlok")) {
		t.Errorf("--each remembers: %q", out)
	}
}

func TestRulesOfTheUser(t *testing.T) {
	s, err := New(Options{Rules: []Rule{
		{ID: "project", Literal: "Project Zephyr"},
		{ID: "ticket", Regexp: `ticket=(?P<mask>ACME-\d+)`, Anchors: []string{"ACME"}},
		{ID: "badge", Key: "badge_no"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := copyFile(t, s, File{Name: "x.log"}, []byte("Project Zephyr ticket=ACME-17 badgeNo: q12x\nbadge_no=rr77\n"))
	for _, gone := range []string{"Zephyr", "ACME-17", "q12x", "rr77"} {
		if bytes.Contains(out, []byte(gone)) {
			t.Errorf("%q is still in %q", gone, out)
		}
	}
	if s.Report().Rules["ticket"] != 1 {
		t.Errorf("the report counts %v", s.Report().Rules)
	}
	for _, bad := range []Rule{{ID: "none"}, {ID: "two", Literal: "abcdef", Key: "x"}, {ID: "regexp", Regexp: "("}} {
		if _, err := New(Options{Rules: []Rule{bad}}); err == nil {
			t.Errorf("rule %q is accepted", bad.ID)
		}
	}
}

// What stands inside of a colour or between invisible characters is seen.
func TestInvisible(t *testing.T) {
	s := plain(t)
	for _, in := range []string{"pass\x1b[1mword=hunter2\x1b[0m\n", "password=hun\u200bter2\n", "\x1b[31mtoken\x1b[0m: hunter2\n"} {
		out, _ := copyFile(t, s, File{}, []byte(in))
		if bytes.Contains(out, []byte("ter2")) {
			t.Errorf("%q became %q", in, out)
		}
	}
}

func TestPseudonymsAreStable(t *testing.T) {
	a, b := keyed(t), keyed(t)
	in := "2024-03-04 web-17 app: login of jdoe from 10.1.2.3 (52:54:00:ab:cd:ef) by mail jdoe@corp.example.org\n"
	x, _ := copyFile(t, a, File{Name: "a"}, []byte(in))
	y, _ := copyFile(t, b, File{Name: "b"}, []byte(in))
	if !bytes.Equal(x, y) {
		t.Errorf("two runs with one key differ:\n%s%s", x, y)
	}
	for _, gone := range []string{"web-17", "jdoe", "10.1.2.3", "52:54:00:ab:cd:ef", "corp"} {
		if bytes.Contains(x, []byte(gone)) {
			t.Errorf("%q is still in %q", gone, x)
		}
	}
	if !bytes.Contains(x, []byte(" 10.")) {
		t.Errorf("a private address left its class: %q", x)
	}
	if n := a.Name("var/log/web-17/10.1.2.3.log"); strings.Contains(n, "web-17") || !strings.HasPrefix(n, "var/log/") {
		t.Errorf("the name became %q", n)
	}
}

func TestLoadKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "pseudonym.key")
	a, err := LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := LoadKey(path)
	if err != nil || *a != *b {
		t.Fatalf("the second call gives another key, or %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path); err == nil {
		t.Error("a key that others can read is accepted")
	}
	_ = os.Chmod(path, 0o600)
	if err := os.WriteFile(path, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path); err == nil {
		t.Error("rubbish is accepted as a key")
	}
	if text := a.String() + a.GoString(); strings.Contains(text, "0x") || len(text) > 60 {
		t.Errorf("the key prints itself: %s", text)
	}
}

// A reader that fails in the middle fails the copy.
func TestFailingReader(t *testing.T) {
	s := plain(t)
	boom := errors.New("boom")
	_, err := s.Copy(context.Background(), io.Discard, io.MultiReader(strings.NewReader(padding(300<<10)), iotest.ErrReader(boom)), File{Name: "x"})
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}
