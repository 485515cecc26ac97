package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Mistake is one thing that is wrong with a policy file.
type Mistake struct {
	Source  Source `json:"source"`
	What    string `json:"what"`              // one sentence, lower case
	Hint    string `json:"hint,omitempty"`    // what to do, or what was probably meant
	Snippet string `json:"snippet,omitempty"` // the line, with marks under what is meant

	bundles bool // it may hide a rule about bundles
}

func (m Mistake) String() string {
	s := m.Source.String() + ": " + m.What
	if m.Hint != "" {
		s += "; " + m.Hint
	}
	if m.Snippet != "" {
		s += "\n" + m.Snippet
	}
	return s
}

// LoadError holds every mistake of every policy file. The [*Policy] that comes
// with it denies remote access, and bundles too where a mistake may hide a rule
// about them.
type LoadError struct{ Mistakes []Mistake }

func (e *LoadError) Error() string {
	var b strings.Builder
	if n := len(e.Mistakes); n == 1 {
		b.WriteString("the policy does not load, so remote access stays off:")
	} else {
		fmt.Fprintf(&b, "the policy does not load, so remote access stays off; %d mistakes:", n)
	}
	for _, m := range e.Mistakes {
		b.WriteString("\n" + m.String())
	}
	return b.String()
}

// ExitCode is the exit code of a command that ends with this error.
func (e *LoadError) ExitCode() int { return 4 }

func (e *LoadError) sort() {
	slices.SortStableFunc(e.Mistakes, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Source.File, b.Source.File), cmp.Compare(a.Source.Line, b.Source.Line), cmp.Compare(a.Source.Column, b.Source.Column))
	})
	e.Mistakes = slices.CompactFunc(e.Mistakes, func(a, b Mistake) bool { return a.Source == b.Source && a.What == b.What })
}

// fault makes of mistakes what is refused because of them.
func (e *LoadError) fault() *fault {
	f := &fault{}
	for _, m := range e.Mistakes {
		rule := Rule{Key: "policy file", Value: m.What, Source: m.Source}
		if f.rule.Key == "" {
			f.rule = rule
		}
		if m.bundles && !f.bundles {
			f.bundles, f.bundleRule = true, rule
		}
	}
	return f
}

// snippet shows the line of a range with marks under it.
func snippet(src []byte, r hcl.Range) string {
	start := r.Start.Byte
	if start > len(src) {
		return ""
	}
	begin := bytes.LastIndexByte(src[:start], '\n') + 1
	end := len(src)
	if i := bytes.IndexByte(src[start:], '\n'); i >= 0 {
		end = start + i
	}
	line := src[begin:end]
	const most = 160
	if len(line) > most || start-begin > most {
		return ""
	}
	n := max(1, min(r.End.Byte, end)-start)
	if r.End.Line > r.Start.Line {
		n = max(1, end-start)
	}
	lead := strings.Map(func(c rune) rune {
		if c == '\t' {
			return c
		}
		return ' '
	}, string(src[begin:start]))
	return fmt.Sprintf("%5d | %s\n      | %s%s", r.Start.Line, printable(line), lead, strings.Repeat("^", len([]rune(string(src[start:min(len(src), start+n)])))))
}

// printable keeps control bytes of a hostile file out of terminals.
func printable(b []byte) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return '?'
		}
		return c
	}, string(b))
}

// nearest returns the word that was probably meant, or the empty text.
func nearest(word string, known []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+max(1, len(word)/3)
	for _, k := range known {
		d := distance(word, k)
		if d < least || d == least && best != "" && strings.HasPrefix(k, word) {
			best, least = k, d
		}
	}
	return best
}

// distance is the edit distance in which two swapped neighbours count once.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	two, one, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(one[j]+1, cur[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], two[j-2]+1)
			}
		}
		two, one, cur = one, cur, two
	}
	return one[len(b)]
}
