package scan

import (
	"bytes"
	"strings"
	"testing"
)

// scanOnce counts what is hidden in the text.
func scanOnce(s *Scanner, text string) int {
	buf := append([]byte(text), make([]byte, 128)...)[:len(text)]
	s.Spans = s.Spans[:0]
	s.Scan(buf, 0, len(buf))
	return len(s.Spans)
}

// A run that held no secret is remembered, but not what stood around it: the
// same letters as a part of a token are looked at again.
func TestQuietRunsAreAskedAgainElsewhere(t *testing.T) {
	find := func(buf []byte, from, to, start, end int, near bool, _, _ uint64) (int, int, string, bool) {
		if i := bytes.Index(buf[from:to], []byte("ConsumerCoordinator:!")); i >= 0 {
			return from + i, from + i + 20, "test", true
		}
		return 0, 0, "", false
	}
	s := New()
	s.Tokens = find
	for range 3 {
		if n := scanOnce(s, "a internals.ConsumerCoordinator b\n"); n != 0 {
			t.Fatalf("%d spans in a harmless line", n)
		}
		for _, line := range []string{"a internals.ConsumerCoordinator:!\n", "a internals.ConsumerCoordinator:!"} {
			if scanOnce(s, line) == 0 {
				t.Errorf("%q: the run was not looked at", line)
			}
		}
	}
	calls := 0
	s.Tokens = func(buf []byte, from, to, start, end int, near bool, _, _ uint64) (int, int, string, bool) {
		calls++
		return find(buf, from, to, start, end, near, 0, 0)
	}
	scanOnce(s, "a internals.ConsumerCoordinator b\n")
	if calls != 0 {
		t.Error("a run that is known was looked at again")
	}
	scanOnce(s, "a internals.ConsumerCoordinator2 b\n")
	if calls != 1 {
		t.Error("a run with a digit was not looked at")
	}
}

// A run with a secret is never remembered.
func TestRunsWithSecretsAreNotQuiet(t *testing.T) {
	s := New()
	s.Tokens = func(buf []byte, from, to, start, end int, near bool, _, _ uint64) (int, int, string, bool) {
		return start, end, "test", bytes.Contains(buf[start:end], []byte("SecretThing"))
	}
	for range 3 {
		if scanOnce(s, "x aVeryLongSecretThingWithLetters y\n") == 0 {
			t.Fatal("a token went unseen")
		}
	}
}

func TestQuietTellsRunsApart(t *testing.T) {
	q := &quiet{}
	base := strings.Repeat("abcdefgh", 7)
	for n := 8; n <= len(base); n++ {
		q.add([]byte(base[:n]))
		for at := range n {
			v := []byte(base[:n])
			v[at] ^= 0x20
			if q.has(v) {
				t.Fatalf("%q passes for %q", v, base[:n])
			}
		}
		if !q.has([]byte(base[:n])) {
			t.Fatalf("%q was forgotten", base[:n])
		}
	}
	if long := bytes.Repeat([]byte("x"), 64); true {
		if q.add(long); q.has(long) {
			t.Error("a run that is too long was remembered")
		}
	}
}

// Names with a dash or a digit early, and names at the edges of blocks.
func TestNamesOfAllShapes(t *testing.T) {
	names := []string{"db-1", "a-b", "7up", "zed", "x_y", "web"}
	for _, all := range [][]string{names, {"web"}, {"zed"}, {"7up"}, {"a-b"}} {
		s := New()
		s.Identify, s.Names = true, NewNames(all, nil, nil)
		for pad := range 140 {
			for _, name := range all {
				text := strings.Repeat(".", pad) + " " + name + " end\n"
				buf := append([]byte(text), make([]byte, 256)...)[:len(text)]
				s.Reset("")
				s.Scan(buf, 0, len(buf))
				if len(s.Idents) != 1 || string(buf[s.Idents[0].Start:s.Idents[0].End]) != name {
					t.Fatalf("%d blanks, %q of %q: %v", pad, name, all, s.Idents)
				}
			}
		}
	}
}
