package journal

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// The files were made by systemd-journal-remote of systemd 252, regular and
// compact (with keyed hashes), and want.txt by its journalctl in UTC.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".journal.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func utc(t testing.TB) {
	was := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = was })
}

func lines(t testing.TB, b []byte, n int, since time.Time) (out []string, failed int) {
	t.Helper()
	j, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range j.Last(n, since) {
		if err != nil {
			failed++
			continue
		}
		out = append(out, e.Line())
	}
	return out, failed
}

// What journalctl shows, to the byte.
func TestAsJournalctl(t *testing.T) {
	utc(t)
	want, err := os.ReadFile("testdata/want.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"regular", "compact"} {
		got, failed := lines(t, fixture(t, name), 1000, time.Time{})
		if text := strings.Join(got, "\n") + "\n"; text != string(want) || failed > 0 {
			t.Errorf("%s: %d lines, %d failed, the last\n%s", name, len(got), failed, text[max(0, len(text)-300):])
		}
	}
}

func TestLastAndSince(t *testing.T) {
	utc(t)
	b := fixture(t, "compact")
	if got, _ := lines(t, b, 5, time.Time{}); len(got) != 5 || !strings.Contains(got[0], "line number 297") || !strings.Contains(got[4], "big: compressed") {
		t.Errorf("the last five: %q", got)
	}
	if got, _ := lines(t, b, 1000, time.Date(2026, 1, 1, 0, 4, 59, 0, time.UTC)); len(got) != 3 || !strings.Contains(got[0], "line number 299") {
		t.Errorf("since: %q", got)
	}
}

// REQ J1: damage costs what it has damaged.
func TestDamaged(t *testing.T) {
	utc(t)
	good := fixture(t, "regular")
	for name, bad := range map[string][]byte{
		"empty": {}, "short": good[:100], "text": []byte(strings.Repeat("no journal ", 100)),
		"newer": append(append(append([]byte{}, good[:12]...), 0xff), good[13:]...),
	} {
		if _, err := Open(bytes.NewReader(bad), int64(len(bad))); err == nil {
			t.Errorf("%s is taken for a journal", name)
		}
	}
	all, _ := lines(t, good, 1000, time.Time{})
	for _, at := range []int{len(good) / 50, len(good) / 100} {
		bad := bytes.Clone(good)
		clear(bad[at : at+200])
		got, failed := lines(t, bad, 1000, time.Time{})
		if len(got)+failed < len(all)/2 {
			t.Errorf("200 bytes lost at %d: %d lines, %d failed of %d", at, len(got), failed, len(all))
		}
	}
	// A list that goes back to itself ends.
	bad := bytes.Clone(good)
	first := binary.LittleEndian.Uint64(bad[176:])
	binary.LittleEndian.PutUint64(bad[first+16:], first)
	if _, failed := lines(t, bad, 1000, time.Time{}); failed == 0 {
		t.Error("a list without end is no mistake")
	}
}

func TestExpand(t *testing.T) {
	text := []byte(strings.Repeat("MESSAGE=again and again ", 100))
	var x bytes.Buffer
	w, err := xz.NewWriter(&x)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(text)
	w.Close()
	z, _ := zstd.NewWriter(nil)
	for flag, b := range map[byte][]byte{0: text, flagXZ: x.Bytes(), flagZstd: z.EncodeAll(text, nil)} {
		if got, err := expand(flag, b); err != nil || !bytes.Equal(got, text) {
			t.Errorf("flag %d: %.40q, %v", flag, got, err)
		}
	}
	// "abc", then 9 bytes from 3 back, then "!" at the end: by hand, from the
	// description of the block format.
	block := append(binary.LittleEndian.AppendUint64(nil, 13), 0x35, 'a', 'b', 'c', 3, 0, 0x10, '!')
	if got, err := expand(flagLZ4, block); err != nil || string(got) != "abcabcabcabc!" {
		t.Errorf("lz4: %q, %v", got, err)
	}
	for _, bad := range [][]byte{nil, {1, 2, 3}, append(make([]byte, 8), 0xff), append(binary.LittleEndian.AppendUint64(nil, 100), 0x10, 'a', 9, 0)} {
		if got, err := expand(flagLZ4, bad); err == nil && len(got) > 0 {
			t.Errorf("%x: %q", bad, got)
		}
	}
	if _, err := expand(flagXZ|flagLZ4, text); err == nil {
		t.Error("compressed in two ways")
	}
	bomb := z.EncodeAll(make([]byte, 64<<20), nil)
	if got, err := expand(flagZstd, bomb); err != nil || len(got) != maxField {
		t.Errorf("a bomb: %d bytes, %v", len(got), err)
	}
}

// Whatever a file holds: no panic, an end, and no more memory than is allowed.
func FuzzJournal(f *testing.F) {
	for _, name := range []string{"regular", "compact"} {
		b := fixture(f, name)
		f.Add(b[:100<<10])
		f.Add(b[:4<<10])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		n := 0
		for e, err := range j.Last(100, time.Time{}) {
			if n++; n > 101 {
				t.Fatal("more than was asked for")
			}
			if err == nil && strings.Contains(e.Line(), "\x00LPKSHHRH") {
				t.Fatal("the header is a line")
			}
		}
	})
}

func FuzzLZ4(f *testing.F) {
	f.Add([]byte{0x35, 'a', 'b', 'c', 3, 0, 0x10, '!'}, 13)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		size = min(max(size, 0), maxField)
		if out, err := unlz4(b, size); err == nil && len(out) > size {
			t.Fatalf("%d bytes of %d", len(out), size)
		}
	})
}
