package secret

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"K7M-2Q9-XPT":              "K7M2Q9XPT",
		" k7m 2q9 xpt\r\n":         "K7M2Q9XPT",
		"k7m–2q9—xpt":              "K7M2Q9XPT", // dashes of a word processor
		"oOiIlL":                   "001111",    // what is read aloud alike
		"\u200bK7M\u00a02Q9\u00ad": "K7M2Q9",    // pasted from a web page
		"Ｋ７Ｍ":                      "K7M",       // full width
		"Übung":                    "ÜBUNG",
		"U\u0308bung":              "ÜBUNG", // the same, as another system types it
		"correct horse_battery":    "C0RRECTH0RSEBATTERY",
	} {
		got, err := Normalise([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]error{
		"": ErrEmpty, " - \n": ErrEmpty, "\x00abc": ErrText, "a\x1b[2J": ErrText, "\xff\xfe": ErrText,
		strings.Repeat("a", MaxLength+1): ErrTooLong, "a\u0007b": ErrText,
	} {
		if _, err := Normalise([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"K7M-2Q9-XPT", "ŉ ǰ ﬁ ß", "İıſK", "１２３", "\u0345\u03b1", "o\u0308", "", "℀"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		n, err := Normalise(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		if len(n) == 0 || len(n) > 4*MaxLength {
			t.Fatalf("%q gives %d bytes", in, len(n))
		}
		if len(n) <= MaxLength {
			again, err := Normalise(n)
			if err != nil || !bytes.Equal(again, n) {
				t.Fatalf("%q gives %q, and that %q, %v", in, n, again, err)
			}
			upper, err := Normalise(bytes.ToUpper(n))
			if err == nil && !bytes.Equal(upper, n) {
				t.Fatalf("%q and its upper case differ: %q", n, upper)
			}
		}
		Check(in, Context{SystemNames: []string{"box17"}})
		Mistyped(in)
		Spoken(in)
	})
}

func TestGenerate(t *testing.T) {
	seen := map[string]bool{}
	count := map[byte]int{}
	for range 500 {
		s := Generate()
		if len(s) != 11 || s[3] != '-' || s[7] != '-' {
			t.Fatalf("%q", s)
		}
		if err := Check(s, Context{}); err != nil || Mistyped(s) {
			t.Fatalf("%q: %v, mistyped %v", s, err, Mistyped(s))
		}
		n, err := Normalise(s)
		if err != nil || strings.ReplaceAll(string(s), "-", "") != string(n) {
			t.Fatalf("%q is normalised to %q, %v", s, n, err)
		}
		if seen[string(n)] {
			t.Fatal("the same secret twice")
		}
		seen[string(n)] = true
		for _, c := range n[:8] {
			count[c]++
		}
	}
	for i := range alphabet { // 125 each are expected
		if c := count[alphabet[i]]; c < 60 || c > 200 {
			t.Errorf("%c comes %d times among 4000", alphabet[i], c)
		}
	}
}

// Any one wrong character and any swap of neighbours is noticed before it costs
// a try.
func TestMistyped(t *testing.T) {
	good, err := Normalise(Generate())
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for j := range alphabet {
			bad := bytes.Clone(good)
			bad[i] = alphabet[j]
			if bad[i] != good[i] && !Mistyped(bad) {
				t.Errorf("%s for %s is not noticed", bad, good)
			}
		}
		if i > 0 && good[i] != good[i-1] {
			bad := bytes.Clone(good)
			bad[i], bad[i-1] = bad[i-1], bad[i]
			if !Mistyped(bad) {
				t.Errorf("%s for %s is not noticed", bad, good)
			}
		}
	}
	for _, s := range []string{"correct horse battery", "K7M2", "Schlüssel", ""} {
		if Mistyped([]byte(s)) {
			t.Errorf("%q cannot be a generated one", s)
		}
	}
}

func TestReadAloud(t *testing.T) {
	lines, err := Spoken([]byte("k7m-2q9-xpt"))
	if err != nil || strings.Join(lines, "|") != "Kilo seven Mike|two Quebec nine|X-ray Papa Tango" {
		t.Errorf("%q, %v", lines, err)
	}
	g, err := Groups([]byte("correct horse battery"))
	if err != nil || strings.Join(g, "-") != "C0RR-ECTH-0RSE-BATT-ERY" {
		t.Errorf("%q, %v", g, err)
	}
}

// REQ B3
func TestCheck(t *testing.T) {
	c := Context{SystemNames: []string{"box17", "IBOX-4711-A"}, People: []string{"Mustermann"}}
	for s, reason := range map[string]string{
		"abc":             "3 characters",
		"a-b-c-d-e-f":     "6 characters",
		"aaaaaaaaaa":      "repeats itself",
		"xyxyxyxyxy":      "repeats itself",
		"foobarfoobar":    "repeats itself",
		"aabbaabb11":      "different characters",
		"12345678901":     "runs along",
		"abcdefghijk":     "runs along",
		"qwertyuiop":      "runs along",
		"1qaz2wsx3edc":    "runs along",
		"zyxwvutsrq":      "runs along",
		"Password1":       "word that everybody tries",
		"P@ssw0rd!":       "word that everybody tries",
		"Welcome2026":     "everybody tries",
		"summer-2026":     "everybody tries",
		"infinibox1":      "word that everybody tries",
		"Supp0rt123":      "word that everybody tries",
		"support session": "everybody tries",
		"box17box17x":     "a name of this system",
		"ibox4711a-1":     "a name of this system",
		"mustermann12":    "somebody or something involved",
		"19840214":        "date",
		"83610594":        "",
		"20190825":        "date",
		"7294":            "4 characters",
	} {
		err := Check([]byte(s), c)
		var weak *WeakError
		switch {
		case reason == "" && err != nil:
			t.Errorf("%q: %v", s, err)
		case reason != "" && (!errors.As(err, &weak) || !strings.Contains(weak.Reason, reason)):
			t.Errorf("%q: %v, want %q", s, err, reason)
		}
	}
	for _, s := range []string{
		"correct horse battery staple", "K7M-2Q9-XPT", "blue kettle 93", "tgh4 mm9x", "Zwetschgenkuchen", "kaffee um vier",
		"no password here, move on",
	} {
		if err := Check([]byte(s), c); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	if err := Check([]byte("\x00"), c); !errors.Is(err, ErrText) {
		t.Error(err)
	}
}

// cheap makes the hash quick: the file says how slow it was.
func cheap(h *History) *History {
	h.cost = cost{Passes: 1, Memory: 64}
	return h
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	h := cheap(OpenHistory(path))
	nth := func(i int) []byte { return fmt.Appendf(nil, "blue-kettle-%d", i) }
	for i := range 12 {
		if err := h.Remember(nth(i)); err != nil {
			t.Fatal(err)
		}
	}
	h = OpenHistory(path) // another process, which goes by the file
	for i := range 12 {
		used, err := h.Used(bytes.ToUpper(nth(i)))
		if err != nil || used != (i >= 2) {
			t.Errorf("secret %d: used %v, %v", i, used, err)
		}
		if i >= 2 {
			if err := h.Remember(nth(i)); !errors.Is(err, ErrUsed) {
				t.Errorf("secret %d: %v", i, err)
			}
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(bytes.ToLower(b), []byte("kettle")) {
		t.Error("a secret is in the file")
	}
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
}

func TestHistoryFailsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	for _, s := range []string{
		"", "{", `{"v":2}`, `{"v":1,"kdf":"md5"}`,
		`{"v":1,"kdf":"argon2id","cost":{"passes":1,"memory":4294967295},"salt":"AAAAAAAAAAAAAAAAAAAAAA==","hashes":[]}`,
		`{"v":1,"kdf":"argon2id","cost":{"passes":1,"memory":64},"salt":"AAAAAAAAAAAAAAAAAAAAAA==","hashes":["AA=="]}`,
	} {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := OpenHistory(path).Remember([]byte("blue-kettle-1")); err == nil {
			t.Errorf("%q is taken for a history", s)
		}
	}
}

func FuzzHistory(f *testing.F) {
	f.Add([]byte(`{"v":1,"kdf":"argon2id","cost":{"passes":1,"memory":64},"salt":"AAAAAAAAAAAAAAAAAAAAAA==","hashes":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := parseHistory(b); err == nil && len(h.Hashes) > Remembered {
			t.Fatal("too many")
		}
	})
}

func BenchmarkRemember(b *testing.B) {
	h := OpenHistory(filepath.Join(b.TempDir(), "secrets.json"))
	for b.Loop() {
		if _, err := h.Used([]byte("blue-kettle-1")); err != nil {
			b.Fatal(err)
		}
	}
}
