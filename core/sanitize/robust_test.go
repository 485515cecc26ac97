package sanitize

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/latchstring/latchstring/core/sanitize/scan"
)

// ownCases are the cases of the accuracy tests, without their marks.
func ownCases(t testing.TB, files ...string) []family {
	t.Helper()
	var out []family
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join("accuracy", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("⟦", "", "⟧", "", "⟨", "", "⟩", "", "‹", "", "›", "").Replace(string(data))
		for _, block := range strings.Split(text, "\n== ")[1:] {
			head, body, _ := strings.Cut(block, "\n")
			title, file, _ := strings.Cut(head, " ")
			out = append(out, family{title, file, body + "\n"})
		}
	}
	return out
}

// Every place where a buffer may end, as far as the time goes: what remembers
// columns, blocks and keys from line to line must not depend on it.
func TestEverySplitPoint(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s := keyed(t)
	deadline := time.Now().Add(3 * time.Second)
	places := 0
	for _, f := range append(ownCases(t, "placed.txt", "formats.txt", "kept.txt"), loadFamilies(t)...) {
		in := f.bare()
		want := sanitizeText(t, s, f.file, in)
		for off := 0; off <= len(in); off++ {
			if time.Now().After(deadline) {
				t.Logf("%d places in the time there was", places)
				return
			}
			places++
			pad := padding(smallest - scan.Reach - 1 - off)
			if got := runStream(t, s, f.file, strings.NewReader(pad+in), smallest); got != pad+want {
				t.Errorf("%s: another result when the buffer ends %d bytes into it", f.name, off)
				break
			}
		}
	}
}

// A second pass over the cases changes nothing.
func TestOwnCasesIdempotent(t *testing.T) {
	s := plain(t)
	for _, f := range ownCases(t, "placed.txt", "formats.txt", "kept.txt", "config.txt", "code.txt", "logs.txt", "snippets.txt") {
		once := sanitizeText(t, s, f.file, f.text)
		if twice := sanitizeText(t, s, f.file, once); twice != once {
			t.Errorf("%s %s: the second pass changes\n%s\ninto\n%s", f.name, f.file, once, twice)
		}
	}
}

// What a parser of YAML reads before, it reads after, with the same keys.
func TestYAMLStaysValid(t *testing.T) {
	s := keyed(t)
	read := 0
	for _, f := range append(ownCases(t, "config.txt", "placed.txt", "formats.txt", "snippets.txt"), loadFamilies(t)...) {
		in := f.bare()
		var before, after yaml.Node
		if yaml.Unmarshal([]byte(in), &before) != nil || len(before.Content) == 0 || before.Content[0].Kind != yaml.MappingNode {
			continue
		}
		read++
		out := sanitizeText(t, s, f.file, in)
		if err := yaml.Unmarshal([]byte(out), &after); err != nil {
			t.Errorf("%s %s: %v\n%s", f.name, f.file, err, out)
			continue
		}
		if a, b := shape(&before), shape(&after); a != b {
			t.Errorf("%s %s: the keys were\n%s\nand are\n%s", f.name, f.file, a, b)
		}
	}
	if read < 8 {
		t.Errorf("only %d documents of YAML among the cases", read)
	}
}

// shape is the tree of a document without its scalars, but with the number of
// keys.
func shape(n *yaml.Node) string {
	var b strings.Builder
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		switch n.Kind {
		case yaml.MappingNode:
			b.WriteByte('{')
		case yaml.SequenceNode:
			b.WriteByte('[')
		default:
			b.WriteByte('.')
		}
		for _, c := range n.Content {
			walk(c)
		}
		b.WriteByte(' ')
	}
	walk(n)
	return b.String()
}

// BenchmarkHugeLine sanitizes lines without an end, a GB each.
func BenchmarkHugeLine(b *testing.B) {
	const size = 1 << 30
	s := keyed(b)
	b.SetBytes(size)
	for b.Loop() {
		w := &scarce{secret: "hunter2hunter2"}
		src := &endless{text: `{"user":"bob","password":"hunter2hunter2","n":12345,"host":"10.1.2.3"},`, left: size}
		if _, err := s.Copy(context.Background(), w, src, File{Name: "one-line.json"}); err != nil {
			b.Fatal(err)
		}
		if w.leaks > 0 {
			b.Fatalf("%d secrets came through", w.leaks)
		}
		runtime.ReadMemStats(&memory)
		if memory.HeapAlloc > 256<<20 {
			b.Fatalf("a line of 1 GB holds %d MB", memory.HeapAlloc>>20)
		}
	}
}

var memory runtime.MemStats
