package scan

import (
	"bytes"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// In program text an unquoted word is the name of something, and a secret is a
// string: `password = args.password` holds none. So the files of programming
// languages are told by their names or by their first line. Shell scripts and
// makefiles are none of them, since their strings need no quotes.

// sourceEnds are the endings of the names of such files.
var sourceEnds = map[string]bool{
	"py": true, "pyi": true, "pyx": true, "rb": true, "pl": true, "pm": true, "t": true, "php": true, "lua": true, "tcl": true,
	"js": true, "mjs": true, "cjs": true, "jsx": true, "ts": true, "tsx": true, "vue": true,
	"go": true, "rs": true, "c": true, "h": true, "cc": true, "cpp": true, "cxx": true, "hpp": true, "hh": true, "m": true, "mm": true,
	"java": true, "kt": true, "kts": true, "scala": true, "groovy": true, "cs": true, "vb": true, "swift": true, "dart": true,
	"ex": true, "exs": true, "erl": true, "hs": true, "ml": true, "clj": true, "r": true, "jl": true,
}

// interpreters are the programs in the first line of a script.
var interpreters = []string{"python", "perl", "ruby", "node", "php", "lua", "tclsh", "groovy"}

func sourceName(name string) bool {
	i := strings.LastIndexByte(name, '.')
	return i >= 0 && len(name)-i <= 8 && sourceEnds[strings.ToLower(name[i+1:])]
}

// sourceLine tells a script from its first line.
func sourceLine(b []byte) bool {
	if len(b) < 4 || b[0] != '#' || b[1] != '!' {
		return false
	}
	b = b[:min(len(b), 64)]
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	for _, p := range interpreters {
		if bytes.Contains(b, []byte(p)) {
			return true
		}
	}
	return false
}

// Source says whether the file is the text of a program.
func (s *Scanner) Source() bool { return s.source }

// statement words open a block of program text; what they end in is no key.
var statementWords = []string{"class", "def", "if", "elif", "for", "while", "with", "except", "case", "interface", "struct", "enum", "async", "fn", "func", "function", "import", "from", "package", "module", "namespace", "return", "raise", "throw"}

// declares is true when the name at ks stands in the head of a class, a
// function or a loop: class Token:
func (s *Scanner) declares(ks int) bool {
	p := nonSpace(s.buf, s.ls, ks)
	e := p
	for e < ks && isLetter(s.buf[e]) {
		e++
	}
	if e == p || e >= ks || s.buf[e] != ' ' {
		return false
	}
	for _, w := range statementWords {
		if string(s.buf[p:e]) == w {
			return true
		}
	}
	return false
}

// documented is true for the field of a comment that describes a parameter:
// :param token: the one that was issued.
func (s *Scanner) documented(ks int) bool {
	i := ks - 1
	if i <= s.ls || s.buf[i] != ' ' {
		return false
	}
	e := i
	for i > s.ls && isAlnum(s.buf[i-1]) {
		i--
	}
	w := s.buf[i:e]
	if len(w) == 0 || i == s.ls || s.buf[i-1] != ':' && s.buf[i-1] != '@' && s.buf[i-1] != '\\' {
		// :param str token:
		if len(w) > 0 && i > s.ls+1 && s.buf[i-1] == ' ' && e > i {
			return s.documented(i)
		}
		return false
	}
	for _, t := range []string{"param", "parameter", "arg", "argument", "keyword", "kwarg", "key", "type", "ivar", "cvar", "var", "vartype", "raises", "attr", "property"} {
		if string(w) == t {
			return true
		}
	}
	return false
}

// inString is true when the name at ks stands inside of a string and is not the
// string itself: "user=app password=x".
func (s *Scanner) inString(ks, keyQuote int) bool {
	if keyQuote > 0 && ks > s.ls && quoteAt(s.buf, ks-1, s.le) > 0 {
		return false
	}
	return s.openQuote(ks) != 0
}

// openQuote is the quote of the string that ks stands in, 0 outside of strings.
func (s *Scanner) openQuote(ks int) byte {
	open := byte(0)
	for i := s.ls; i < ks; i++ {
		switch c := s.buf[i]; {
		case c == '\\':
			i++
		case open == 0 && (c == '"' || c == '\'' || c == '`'):
			open = c
		case c == open:
			open = 0
		}
	}
	return open
}

// commented is true when a comment begins before p.
func (s *Scanner) commented(p int) bool {
	if s.comment() {
		return true
	}
	line := s.buf[s.ls:p]
	return bytes.Contains(line, []byte(" # ")) || bytes.Contains(line, []byte("// ")) || bytes.Contains(line, []byte("/*"))
}

// programText is true for a value without quotes that is an expression.
func programText(v []byte) bool {
	if len(v) == 0 || isDigit(v[0]) {
		return false
	}
	digits, seams, upper, lower := 0, 0, 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
		case isLetter(c):
			lower++
		case c == '_' || c == '.' || c == '[' || c == ']' || c == '(' || c == ')' || c == '*' || c == '&' || c == '>' || c == '-' || c == ':' || c == '<' || c == '{' || c == '}' || c == '|' || c == ',' || c == ';' || c == '?' || c == '"' || c == '\'':
			seams++
		default:
			return false
		}
	}
	if digits == 0 {
		return true
	}
	return digits*3 <= lower+upper && (seams > 0 || upper == 0 || lower == 0) && !(seams == 0 && lower > 0 && len(v) >= 7)
}

// Worth says whether what a span hid is a value that may be looked for in other
// files. Program text is none: names, calls, halves of expressions, sentences.
func (s *Scanner) Worth(buf []byte, sp Span) bool {
	v := buf[sp.Start:sp.End]
	quoted := sp.Start > 0 && (buf[sp.Start-1] == '"' || buf[sp.Start-1] == '\'' || buf[sp.Start-1] == '`')
	if s.source && !quoted && sp.Kind != keyname.Token && !looksRandom(v) {
		return false
	}
	return !codeLike(v)
}

// codeLike is true for text that only a program or a sentence would hold.
func codeLike(v []byte) bool {
	if n := len(v); n > 0 && (v[n-1] == '[' || v[n-1] == '(' || v[n-1] == '{') && bytes.IndexByte(v, ' ') < 0 {
		return true
	}
	// Strings that follow each other, seen from the wrong side of their quotes.
	for _, t := range []string{`", "`, `', '`, `": "`, `': '`, `" + "`, `"]`, `']`, `")`, `')`} {
		if bytes.Contains(v, []byte(t)) {
			return true
		}
	}
	if n := len(v); n > 1 && (v[n-1] == '"' || v[n-1] == '\'' || v[0] == ',' && isSpace(v[1])) && v[n-2] != '\\' {
		return true
	}
	// names with dots or arrows between: self.token, a->key, A::B
	dots, digits := 0, 0
	plain := len(v) > 0 && (isLetter(v[0]) || v[0] == '_')
	for i, c := range v {
		switch {
		case isLetter(c) || c == '_':
		case isDigit(c):
			digits++
		case c == '.' || c == ':' || c == '>' && i > 0 && v[i-1] == '-' || c == '-' && i+1 < len(v) && v[i+1] == '>':
			dots++
		case (c == '(' || c == '[') && i > 1:
			return plain && bytes.IndexAny(v[i:], ")]") == len(v)-i-1 && digits == 0
		default:
			plain = false
		}
		if !plain {
			break
		}
	}
	if plain && dots > 0 && digits == 0 {
		return true
	}
	return bytes.Count(v, []byte{' '}) >= 3 && manyWords(v) && prose(v)
}

// prose is true for a sentence: a passphrase has no such little words.
func prose(v []byte) bool {
	for w := range bytes.FieldsSeq(v) {
		for _, t := range []string{"the", "a", "an", "to", "is", "are", "was", "for", "of", "and", "or", "this", "that", "from", "with", "not", "be", "in", "on", "it", "as", "by", "if"} {
			if foldIs(w, t) {
				return true
			}
		}
	}
	return false
}
