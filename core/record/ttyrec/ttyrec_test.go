package ttyrec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 250_000_000, time.UTC)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

type rec struct {
	Ms   int
	Text string
}

func readAll(t *testing.T, b []byte) []rec {
	t.Helper()
	var all []rec
	for r := NewReader(bytes.NewReader(b)); ; {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec{int(x.Time.Sub(start).Milliseconds()), string(x.Payload)})
	}
}

func TestWriter(t *testing.T) {
	size := "\x1b[8;24;80t"
	for _, tt := range []struct {
		name string
		do   func(w *Writer)
		want []rec
	}{
		{"nothing", func(w *Writer) { w.Close(at(0)) }, []rec{{0, size}, {0, size}}},
		{"the size comes first", func(w *Writer) {
			w.Resize(at(0), 100, 30)
			w.Write(at(1), []byte("a"))
			w.Resize(at(2), 90, 20)
			w.Close(at(3))
		}, []rec{{0, "\x1b[8;30;100t"}, {1, "a"}, {2, "\x1b[8;20;90t"}, {3, "\x1b[8;20;90t"}}},
		{"no size known", func(w *Writer) { w.Write(at(0), []byte("a")); w.Close(at(0)) }, []rec{{0, size}, {0, "a"}}},
		{"nothing empty", func(w *Writer) { w.Write(at(0), nil); w.Write(at(1), []byte("a")); w.Close(at(1)) }, []rec{{0, size}, {1, "a"}}},
		{"a split character", func(w *Writer) {
			w.Write(at(0), []byte("x\xe2\x82"))
			w.Write(at(10), []byte("\xac!"))
			w.Close(at(10))
		}, []rec{{0, size}, {0, "x"}, {10, "€!"}}},
		{"split in four", func(w *Writer) {
			for i, b := range []byte("😀") {
				w.Write(at(i), []byte{b})
			}
			w.Close(at(4))
		}, []rec{{0, size}, {3, "😀"}, {4, size}}},
		{"the rest comes too late", func(w *Writer) {
			w.Write(at(0), []byte("\xe2\x82"))
			w.Write(at(100), []byte("y"))
			w.Close(at(100))
		}, []rec{{0, size}, {50, "\xe2\x82"}, {100, "y"}}},
		{"the rest never comes", func(w *Writer) { w.Write(at(0), []byte("a\xe2\x82")); w.Close(at(20)) }, []rec{{0, size}, {0, "a"}, {20, "\xe2\x82"}}},
		{"no character at all", func(w *Writer) { w.Write(at(0), []byte("a\x82\x82\xff")); w.Close(at(0)) }, []rec{{0, size}, {0, "a\x82\x82\xff"}}},
		{"time goes back", func(w *Writer) { w.Write(at(9), []byte("a")); w.Write(at(3), []byte("b")); w.Close(at(1)) }, []rec{{9, size}, {9, "a"}, {9, "b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			tt.do(NewWriter(&b))
			if diff := cmp.Diff(tt.want, readAll(t, b.Bytes())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the pieces are, the bytes are the same, no character is split and
// nothing is empty.
func TestWriterProperty(t *testing.T) {
	text := []byte(strings.Repeat("naïve €uro 😀 Ω\r\n\x1b[31mred\x1b[m ", 5000))
	rnd := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	w := NewWriter(&b)
	ms := 0
	for p := text; len(p) > 0; {
		n := min(len(p), 1+rnd.IntN(1<<rnd.IntN(18)))
		if err := w.Write(at(ms), p[:n]); err != nil {
			t.Fatal(err)
		}
		p, ms = p[n:], ms+rnd.IntN(40)
	}
	w.Close(at(ms))
	var got strings.Builder
	last := 0
	for i, r := range readAll(t, b.Bytes()) {
		if r.Text == "" || !utf8.ValidString(r.Text) || r.Ms < last || len(r.Text) > maxPayload {
			t.Fatalf("record %d: %d ms, %d bytes", i, r.Ms, len(r.Text))
		}
		last = r.Ms
		if !strings.HasPrefix(r.Text, "\x1b[8;") {
			got.WriteString(r.Text)
		}
	}
	if got.String() != string(text) {
		t.Error("the bytes are not the same")
	}
}

type counter struct{ writes int }

func (c *counter) Write(p []byte) (int, error) { c.writes++; return len(p), nil }

func TestOneWriteARecord(t *testing.T) {
	var c counter
	w := NewWriter(&c)
	w.Resize(at(0), 80, 24)
	w.Write(at(1), []byte("a"))
	w.Write(at(2), []byte("b"))
	w.Close(at(3))
	if c.writes != 4 {
		t.Errorf("%d writes for 4 records", c.writes)
	}
}

func TestReaderErrors(t *testing.T) {
	head := func(sec, usec, n uint32) []byte {
		var b []byte
		for _, v := range []uint32{sec, usec, n} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	good := append(head(1, 2, 3), "abc"...)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"empty", nil, "EOF"},
		{"half a head", good[:7], ErrTruncated.Error()},
		{"half a payload", good[:14], ErrTruncated.Error()},
		{"no payload", good[:12], ErrTruncated.Error()},
		{"huge", head(1, 2, 1<<31), "no ttyrec file"},
		{"text", []byte("this is no recording, but text"), "no ttyrec file"},
	} {
		if _, err := NewReader(bytes.NewReader(tt.in)).Next(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Write(at(0), []byte("hello"))
	w.Close(at(1))
	f.Add(b.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		used := 0
		for {
			x, err := r.Next()
			if err != nil {
				break
			}
			used += 12 + len(x.Payload)
		}
		if used > len(b) {
			t.Errorf("%d bytes read of %d", used, len(b))
		}
	})
}

func FuzzJoiner(f *testing.F) {
	f.Add([]byte("a€😀"), uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, step, gap uint8) {
		var j Joiner
		var got []byte
		for i, p := 0, b; len(p) > 0; i++ {
			n := min(len(p), int(step)+1)
			late, _, now := j.Add(at(i*int(gap)), p[:n])
			got = append(append(got, late...), now...)
			p = p[n:]
		}
		if got = append(got, j.Rest()...); !bytes.Equal(got, b) {
			t.Errorf("%q became %q", b, got)
		}
	})
}
