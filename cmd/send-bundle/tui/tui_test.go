package tui

import (
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for in, want := range map[string]Key{
		"\x1b[A": {Name: Up}, "\x1bOB": {Name: Down}, "\x1b[5~": {Name: PageUp}, "\r": {Name: Enter}, "\x7f": {Name: Backspace},
		"x": {Rune: 'x'}, "é": {Rune: 'é'}, "\x03": {Name: Interrupt}, "\x1b[15~": {Name: Unknown}, "\x1b[1;5C": {Name: Unknown}, "\x01": {Name: Unknown},
	} {
		k, n := decode([]byte(in+"rest"), false)
		if k != want || n != len(in) {
			t.Errorf("decode(%q) = %+v, %d", in, k, n)
		}
		// However the bytes come in, nothing is taken too early.
		for cut := 1; cut < len(in); cut++ {
			if k, n := decode([]byte(in[:cut]), false); n != 0 {
				t.Errorf("decode(%q) = %+v, %d", in[:cut], k, n)
			}
		}
	}
	if k, n := decode([]byte("\x1b"), true); k.Name != Escape || n != 1 {
		t.Errorf("escape: %+v, %d", k, n)
	}
	if _, n := decode(nil, true); n != 0 {
		t.Error("a key of nothing")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x1b[A\x1b[1;5Cx\xff\x1b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for len(in) > 0 {
			_, n := decode(in, true)
			if n <= 0 || n > len(in) {
				t.Fatalf("%d of %q", n, in)
			}
			in = in[n:]
		}
	})
}

// What is drawn cannot steer the terminal.
func TestCut(t *testing.T) {
	if got := Cut("a\x1b[2Jb\nc\u202ed\xff", 20); got != "a?[2Jb?c?d?" {
		t.Errorf("%q", got)
	}
	if got := Cut(strings.Repeat("é", 100), 10); got != strings.Repeat("é", 9)+"…" {
		t.Errorf("%q", got)
	}
}

func TestList(t *testing.T) {
	var l List
	keys := func(ks ...string) {
		for _, k := range ks {
			l.Move(Key{Name: k}, 10, 4)
		}
	}
	keys(Up)
	if l.Cursor != 0 {
		t.Error(l)
	}
	keys(Down, Down, Down, Down)
	if l.Cursor != 4 || l.Top != 1 {
		t.Error(l)
	}
	keys(End)
	if l.Cursor != 9 || l.Top != 6 {
		t.Error(l)
	}
	keys(PageUp, PageUp, PageUp)
	if l.Cursor != 0 || l.Top != 0 {
		t.Error(l)
	}
	l.Clamp(0, 4)
	if l.Cursor != 0 || l.Top != 0 {
		t.Error(l)
	}
}
