package sanitize

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

type family struct{ name, file, text string }

// loadFamilies reads testdata/families.txt.
func loadFamilies(t testing.TB) []family {
	t.Helper()
	data, err := os.ReadFile("testdata/families.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []family
	for _, block := range strings.Split(string(data), "\n=== ")[1:] {
		head, text, _ := strings.Cut(block, "\n")
		name, file, _ := strings.Cut(head, " | ")
		out = append(out, family{name, file, text + "\n"})
	}
	return out
}

var (
	markedSecret = regexp.MustCompile(`⟦([^⟧]*)⟧`)
	anyToken     = regexp.MustCompile(`"?REDACTED_[a-z_]+_\d+"?`)
)

// bare is the input of a case: without the marks.
func (f family) bare() string { return strings.NewReplacer("⟦", "", "⟧", "").Replace(f.text) }

// want is the output of a case, with § for each token.
func (f family) want() string { return markedSecret.ReplaceAllString(f.text, "§") }

// REQ: every family of files in which secrets are found, with all else kept.
func TestFamilies(t *testing.T) {
	s := plain(t)
	for _, f := range loadFamilies(t) {
		t.Run(strings.ReplaceAll(f.name, " ", "_"), func(t *testing.T) {
			out := sanitizeText(t, s, f.file, f.bare())
			got := anyToken.ReplaceAllStringFunc(out, func(tok string) string {
				if strings.HasPrefix(tok, `"`) != strings.HasSuffix(tok, `"`) {
					if strings.HasPrefix(tok, `"`) {
						return `"§`
					}
					return `§"`
				}
				if strings.HasPrefix(tok, `"`) {
					return `"§"`
				}
				return "§"
			})
			want := f.want()
			g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
			if len(g) != len(w) {
				t.Fatalf("%d lines instead of %d:\n%s", len(g), len(w), out)
			}
			for i := range g {
				if g[i] != w[i] && g[i] != strings.ReplaceAll(w[i], ": §,", `: "§",`) {
					t.Errorf("line %d:\n got %s\nwant %s", i+1, g[i], w[i])
				}
			}
		})
	}
}
