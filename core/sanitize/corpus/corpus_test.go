package corpus

import (
	"bytes"
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"
)

const testSize = 4 << 20

func generate(t *testing.T, o Options) ([]byte, []Secret) {
	t.Helper()
	var b bytes.Buffer
	truth, err := New(o).Write(&b, testSize)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), truth
}

func TestDeterministic(t *testing.T) {
	a, at := generate(t, Options{Seed: 7})
	b, bt := generate(t, Options{Seed: 7})
	c, _ := generate(t, Options{Seed: 8})
	if sha256.Sum256(a) != sha256.Sum256(b) || len(at) != len(bt) {
		t.Error("the same seed gave different text")
	}
	if bytes.Equal(a, c) {
		t.Error("different seeds gave the same text")
	}
}

var ipv4 = regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b`)

func TestShape(t *testing.T) {
	text, truth := generate(t, Options{})
	if len(text) < testSize || len(text) > testSize+64<<10 {
		t.Errorf("%d bytes, want about %d", len(text), testSize)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	withIP := 0
	for _, l := range lines {
		if ipv4.MatchString(l) {
			withIP++
		}
	}
	if share := float64(withIP) / float64(len(lines)); share < 0.15 || share > 0.25 {
		t.Errorf("%.1f %% of the lines hold an IPv4 address, want about a fifth", 100*share)
	}
	if len(Kinds()) < 16 {
		t.Errorf("only %d kinds", len(Kinds()))
	}
	if n := len(lines) / defaultEvery; len(truth) < n/2 || len(truth) > n*2 {
		t.Errorf("%d secrets in %d lines", len(truth), len(lines))
	}
	kinds := map[string]bool{}
	for _, s := range truth {
		kinds[s.Kind] = true
		first, _, _ := strings.Cut(s.Value, "\n")
		if !strings.Contains(lines[s.Line-1], first) {
			t.Errorf("%s is not in line %d: %q", s.Kind, s.Line, lines[s.Line-1])
		}
	}
	if len(kinds) < 12 {
		t.Errorf("only %d kinds of secrets: %v", len(kinds), kinds)
	}
}

func TestNoSecrets(t *testing.T) {
	if _, truth := generate(t, Options{LinesPerSecret: -1}); len(truth) != 0 {
		t.Errorf("%d secrets", len(truth))
	}
}

// Two writes in a row go on where the first ended.
func TestLineNumbersGoOn(t *testing.T) {
	g := New(Options{Seed: 3})
	var b bytes.Buffer
	first, err := g.Write(&b, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.Write(&b, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for _, s := range append(first, second...) {
		head, _, _ := strings.Cut(s.Value, "\n")
		if !strings.Contains(lines[s.Line-1], head) {
			t.Errorf("line %d lacks its secret", s.Line)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	g := New(Options{})
	b.SetBytes(1 << 20)
	var w bytes.Buffer
	for b.Loop() {
		w.Reset()
		if _, err := g.Write(&w, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
