package userrules

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// minAnchor is the length of the shortest text that is worth looking for.
const minAnchor = 3

// maxAnchors bounds the alternatives of one expression.
const maxAnchors = 64

// deriveAnchors returns texts one of which every match of the expression
// contains, in lower case, or nil if there are none of three bytes or more.
func deriveAnchors(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	found := required(re.Simplify())
	if !useful(found) {
		return nil
	}
	return found
}

func useful(anchors []string) bool {
	for _, a := range anchors {
		if len(a) < minAnchor {
			return false
		}
	}
	return len(anchors) > 0 && len(anchors) <= maxAnchors
}

// required returns alternatives for a text within every match; nil means that
// nothing is certain.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			// Folding beyond ASCII (the Kelvin sign is a k) is not searched for.
			if r >= utf8.RuneSelf && re.Flags&syntax.FoldCase != 0 {
				return nil
			}
		}
		if re.Flags&syntax.FoldCase != 0 && strings.ContainsAny(strings.ToLower(string(re.Rune)), "ks") {
			return foldable(string(re.Rune))
		}
		return []string{lowerASCII(string(re.Rune))}
	case syntax.OpCharClass:
		return fromClass(re)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		return bestOf(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			one := required(sub)
			if len(one) == 0 || len(all)+len(one) > maxAnchors {
				return nil
			}
			all = append(all, one...)
		}
		return all
	}
	return nil
}

// foldable cuts a case-insensitive literal at the letters that fold to
// characters outside ASCII (k: U+212A, s: U+017F) and returns the longest
// piece.
func foldable(s string) []string {
	best := ""
	for piece := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return r == 'k' || r == 's' }) {
		if len(piece) > len(best) {
			best = piece
		}
	}
	if best == "" {
		return nil
	}
	return []string{lowerASCII(best)}
}

// fromClass: a small class is alternatives of one character, such as [Pp].
func fromClass(re *syntax.Regexp) []string {
	var out []string
	for i := 0; i+1 < len(re.Rune); i += 2 {
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if len(out) == 4 {
				return nil
			}
			c := lowerASCII(string(r))
			if len(out) == 0 || out[len(out)-1] != c {
				out = append(out, c)
			}
		}
	}
	return out
}

// bestOf takes the parts of a concatenation, joins neighbours that are certain
// to a single text each, and returns the alternatives whose shortest is
// longest.
func bestOf(subs []*syntax.Regexp) []string {
	var best []string
	run := ""
	try := func(c []string) {
		if len(c) > 0 && (len(best) == 0 || shortest(c) > shortest(best)) {
			best = c
		}
	}
	for _, sub := range subs {
		if one := exact(sub); one != "" {
			run += one
			try([]string{run})
			continue
		}
		run = ""
		try(required(sub))
	}
	return best
}

// exact returns the one text that re matches up to case, or "".
func exact(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass:
		if one := required(re); len(one) == 1 && utf8.RuneCountInString(one[0]) == max(1, runes(re)) {
			return one[0]
		}
	case syntax.OpCapture:
		return exact(re.Sub[0])
	case syntax.OpConcat:
		all := ""
		for _, sub := range re.Sub {
			one := exact(sub)
			if one == "" {
				return ""
			}
			all += one
		}
		return all
	}
	return ""
}

func runes(re *syntax.Regexp) int {
	if re.Op == syntax.OpLiteral {
		return len(re.Rune)
	}
	return 1
}

func shortest(c []string) int {
	n := len(c[0])
	for _, s := range c[1:] {
		n = min(n, len(s))
	}
	return n
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
