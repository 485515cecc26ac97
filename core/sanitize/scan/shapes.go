package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// cryptHash hides a password hash that begins at pos.
func (s *Scanner) cryptHash(pos int) {
	buf := s.buf
	e := pos
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '$' || buf[e] == '.' || buf[e] == '/' || buf[e] == '+' || buf[e] == '=' || buf[e] == '{' || buf[e] == '}' || buf[e] == '_' || buf[e] == '-' || buf[e] == '*' || buf[e] == '#' && buf[pos] == '$' || buf[e] == ',' && e+1 < s.le && !isSpace(buf[e+1])) {
		e++
	}
	if buf[pos] != '$' {
		for e < s.le && (buf[e] == ':' && e+1 < s.le && isAlnum(buf[e+1])) {
			for e++; e < s.le && (isAlnum(buf[e]) || buf[e] == '$' || buf[e] == '/' || buf[e] == '+' || buf[e] == '='); e++ {
			}
		}
	}
	if c := buf[pos] | 0x20; (c == 'd' || c == 'n') && e < s.le && buf[e] == ':' {
		e++ // DHHC-1:00:x: of NVMe
	}
	if tail := pos + len("$A$005$") + 20; buf[pos+1]|0x20 == 'a' && buf[pos+2] == '$' && tail+20 < s.le && e < tail+20 {
		e = tail // of MySQL: twenty bytes of salt, which may be any
		for e < s.le && (isAlnum(buf[e]) || buf[e] == '.' || buf[e] == '/') {
			e++
		}
		if e-tail < 40 {
			return
		}
	}
	if e-pos < 16 {
		return
	}
	if buf[pos] == '{' {
		if c := bytes.IndexByte(buf[pos:e], '}'); c < 0 || e-pos-c < 8 {
			return
		}
		if s.hasWord("content changed") {
			return // Puppet, of files
		}
	}
	if s.Identify && pos-s.ls > 2 && pos-s.ls < 34 && buf[pos-1] == ':' && allAccount(buf[s.ls:pos-1]) {
		s.addAccount(s.ls, pos-1) // NAME:$apr1$x
	}
	if c := buf[pos] | 0x20; c == 'd' || c == 'n' {
		s.hide(pos, e, keyname.Secret, "nvme-key")
		return
	}
	s.hide(pos, e, keyname.Kind("hash"), "password-hash")
	s.mismatch(pos)
}

// mismatch hides the password that a server compared with the hash at pos:
// SHA512-CRYPT(x) != '$6$...' of Dovecot.
func (s *Scanner) mismatch(pos int) {
	from := max(s.ls, pos-200)
	i := bytes.LastIndex(s.buf[from:pos], []byte(") != '"))
	if i < 1 || pos-from-i > 40 {
		return
	}
	if b := bytes.LastIndex(s.buf[from:from+i], []byte("CRYPT(")); b >= 0 {
		s.hide(from+b+len("CRYPT("), from+i, keyname.Password, "compared")
	}
}

// identified hides the literal of SQL's IDENTIFIED BY.
func (s *Scanner) identified(pos int) {
	buf := s.buf
	end := min(s.le, pos+120)
	for i := pos + 10; i < end; i++ {
		if (buf[i] == 'B' || buf[i] == 'b' || buf[i] == 'A' || buf[i] == 'a') && isSpace(buf[i-1]) && i+3 < end && (buf[i+1]|0x20 == 'y' || buf[i+1]|0x20 == 's') && (isSpace(buf[i+2]) || buf[i+2] == '\'') {
			p := nonSpace(buf, i+2, s.le)
			if containsFold(buf[p:min(s.le, p+9)], "password") {
				p = nonSpace(buf, p+8, s.le)
			}
			if containsFold(buf[p:min(s.le, p+7)], "values ") {
				p = nonSpace(buf, p+7, s.le)
			}
			if p >= s.le || (buf[p] != '\'' && buf[p] != '"' || buf[i]|0x20 == 'a') && !s.statement(pos) {
				return // prose: issues identified by valgrind
			}
			w := want{class: keyname.Strong, kind: keyname.Password, rule: "sql"}
			e := s.value(p, w)
			if r := nonSpace(buf, e, s.le); r+8 < s.le && foldEqual(buf[r:r+8], "replace ") {
				s.value(r+8, w) // the old one, of Oracle
			}
			s.keyEnd = max(s.keyEnd, p)
			return
		}
	}
}

// statement is true when SQL that takes a password leads to pos.
func (s *Scanner) statement(pos int) bool {
	before := s.buf[s.ls:pos]
	for _, w := range []string{"user", "alter", "create", "grant", "connect"} {
		if containsFold(before, w) {
			return true
		}
	}
	return false
}

// shapes looks at the line's long runs: tokens by their shape, base64 of
// secrets, and lines that hold nothing but a secret.
func (s *Scanner) shapes() {
	if len(s.lineRuns) == 0 {
		return
	}
	buf := s.buf
	done := s.ls
	longest := 0
	for _, r := range s.lineRuns {
		if r < done {
			continue
		}
		start, end, classes := s.runAt(r, done)
		done = end
		// Words without digits and capitals are no tokens.
		if classes&runDigit != 0 || classes&(runUpper|runLower) == runUpper|runLower {
			if classes&runDigit != 0 || !s.standsAlone(start, end) {
				s.run(start, end, classes)
			} else if !s.quiet.has(buf[start:end]) {
				spans := len(s.Spans)
				if s.run(start, end, classes); len(s.Spans) == spans {
					s.quiet.add(buf[start:end])
				}
			}
			longest = max(longest, end-start)
		} else if end-start == 20 && classes&^runOther == runAny|runUpper && awsID(buf[start:end]) {
			s.hide(start, end, keyname.APIKey, "aws-key-id")
		}
	}
	if longest >= 16 && s.le-s.ls <= longest+60 {
		s.lone()
	}
}

// awsID is true for the ids of keys of Amazon that happen to have no digit.
func awsID(v []byte) bool {
	switch string(v[:4]) {
	case "AKIA", "ASIA", "ABIA", "ACCA", "AGPA", "AIDA", "AROA", "AIPA", "ANPA", "ANVA", "APKA", "ASCA":
		return string(v[4:]) != "XXXXXXXXXXXXXXXX"
	}
	return false
}

const (
	runAny   = 1
	runDigit = 2
	runUpper = 4
	runLower = 8
	runOther = 16 // beyond hex digits and dashes
)

// runChars are the characters of tokens, with their class.
var runChars = func() (t [256]uint8) {
	for c := range 256 {
		switch b := byte(c); {
		case isDigit(b):
			t[c] = runAny | runDigit
		case b >= 'A' && b <= 'Z':
			t[c] = runAny | runUpper
			if b > 'F' {
				t[c] |= runOther
			}
		case b >= 'a' && b <= 'z':
			t[c] = runAny | runLower
			if b > 'f' {
				t[c] |= runOther
			}
		case b == '-':
			t[c] = runAny
		case b == '_' || b == '+' || b == '/' || b == '=' || b == '.' || b == '~':
			t[c] = runAny | runOther
		}
	}
	return t
}()

// TokenContext is how far before a run words are looked for.
const TokenContext = 100

// near says whether one of the words of package tokens is in the run or before
// it. They are stems, so the hits of the line know.
func (s *Scanner) near(start, end int) bool {
	from := max(s.ls, start-TokenContext)
	for _, h := range s.hits {
		if h.pos >= from && h.pos < end && nearStems[h.stem] {
			return true
		}
	}
	return false
}

// run looks at one run of token characters.
func (s *Scanner) run(start, end int, classes uint8) {
	if s.Tokens != nil {
		near := s.near(start, end)
		alnum, digit := s.runAlnum, s.runDigit
		for p := start; p < end; {
			from, to, rule, ok := s.Tokens(s.buf, s.ls, s.le, p, end, near, alnum, digit)
			if !ok || to <= p {
				break
			}
			if !endsInToken(s.buf[from:to]) {
				s.hide(from, to, keyname.Token, Rule(rule))
			}
			p, alnum, digit = to, 0, 0
		}
	}
	if classes&runOther == 0 || s.buf[start] == '0' && start+1 < end && s.buf[start+1] == 'x' && hexOnly(s.buf[start+2:end]) {
		s.hexRun(start, end)
	} else if bytes.IndexByte(s.buf[start:end], '=') >= 0 {
		if i := start + bytes.LastIndexByte(s.buf[start:end], '='); end-i > 16 && hexOnly(s.buf[i+1:end]) {
			s.hexRun(i+1, end) // proctitle=6D7973716C00
		}
	}
	if end-start == 40 && classes&runOther == 0 && start > s.ls && s.buf[start-1] == '*' && bytes.IndexFunc(s.buf[start:end], func(r rune) bool { return r >= 'a' }) < 0 {
		s.hide(start-1, end, keyname.Kind("hash"), "password-hash") // of MySQL
	}
	if end-start == 44 && s.buf[end-1] == '=' && start > s.ls && s.buf[start-1] == '\t' {
		s.tunnelDump(start, end)
	}
	if v := s.buf[start:end]; len(v) == 66 && v[0] == '0' && v[1] == 'x' {
		for len(v) > 2 && isHex(v[len(v)-1]) {
			v = v[:len(v)-1]
		}
		if len(v) == 2 && !containsFold(s.buf[s.ls:start], "pcr") {
			s.hide(start, end, keyname.APIKey, "hex-key")
			return
		}
	}
	// No text is written with the first six letters and digits alone in base64.
	if s.depth < 2 && end-start >= 24 && classes&runOther != 0 {
		s.base64(start, end)
	}
}

func hexOnly(v []byte) bool {
	for _, c := range v {
		if !isHex(c) {
			return false
		}
	}
	return true
}

// shortToken hides the keys of Artifactory, which may be shorter than a run.
func (s *Scanner) shortToken(pos int) {
	e := pos
	for e < s.le && isAlnum(s.buf[e]) {
		if e < pos+3 && s.buf[e] >= 'a' && s.buf[e] <= 'z' {
			return
		}
		e++
	}
	if e-pos < 13 || pos > s.ls && (isAlnum(s.buf[pos-1]) || s.buf[pos-1] == '_' || s.buf[pos-1] == '-') {
		return
	}
	mixed := 0
	for _, c := range s.buf[pos+3 : e] {
		mixed += btoi(c < 'A' || c > 'Z')
	}
	if mixed > 0 {
		s.hide(pos, e, keyname.Token, "artifactory-key")
	}
}

// appendRuns finds the ends of the first sixteen characters of each long run.
func appendRuns(dst []int, buf []byte, start, end int) []int {
	n := 0
	for i := start; i < end; i++ {
		if c := buf[i]; isAlnum(c) || c == '_' || c == '-' {
			if n++; n == 16 {
				dst = append(dst, i)
			}
		} else {
			n = 0
		}
	}
	return dst
}

// base64 decodes the parts of a run and hides those that hold a secret.
func (s *Scanner) base64(start, stop int) {
	buf := s.buf
	for p := start; p < stop; {
		for p < stop && !isAlnum(buf[p]) {
			p++
		}
		from := p
		p = partEnd(buf, p, stop)
		n := p - from
		for p < stop && buf[p] == '=' {
			p++
		}
		switch v := buf[from : from+n]; {
		case packed(v):
			s.hide(from, p, keyname.Secret, "base64-packed")
		case n >= 16 && v[0] == 'A' && v[1] <= 'P' && saslPlain(v):
			s.hide(from, p, keyname.Password, "mail-login")
		case n >= 24 && readable(v[:24]) && s.secretInside(v):
			s.hide(from, p, keyname.Secret, "base64")
		}
		if p == from {
			p++
		}
	}
}

// partEnd is where the next dot, tilde or equals sign is, or stop.
func partEnd(buf []byte, p, stop int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; p+8 <= stop; p += 8 {
		// A byte that is one of them becomes zero, and borrows from its top bit.
		w := binary.LittleEndian.Uint64(buf[p:])
		dot, tilde, equals := w^'.'*ones, w^'~'*ones, w^'='*ones
		m := ((dot-ones)&^dot | (tilde-ones)&^tilde | (equals-ones)&^equals) & high
		if m != 0 {
			return p + bits.TrailingZeros64(m)/8
		}
	}
	for p < stop && buf[p] != '.' && buf[p] != '~' && buf[p] != '=' {
		p++
	}
	return p
}

// readable tells whether the beginning of v is base64 of text.
func readable(v []byte) bool {
	// The first letter alone rules out many words: no text begins with
	// a control character or in the middle of one.
	x, y, z := sextet[v[0]], sextet[v[1]], sextet[v[2]]
	if x|y|z > 63 || x < 2 || x >= 0x80>>2 && x < 0xc0>>2 || x >= 0xf8>>2 {
		return false
	}
	// So do the first two: no other control character, and a byte that goes on
	// stands behind one that begins a letter and nowhere else.
	one, two := x<<2|y>>4, y<<4|z>>2
	if strange(one) || strange(two) && two != 0 || (one >= 0x80) != (two&0xc0 == 0x80) {
		return false
	}
	var out [18]byte
	n := decode64(out[:0], v)
	if len(n) < 16 {
		return false
	}
	if wideText(n) {
		return true
	}
	high := false
	for _, c := range n {
		if strange(c) {
			return false
		}
		high = high || c >= 0x80
	}
	if !high {
		return true
	}
	// Other scripts; the last character may be cut.
	for cut := 0; cut < utf8.UTFMax; cut++ {
		if utf8.Valid(n[:len(n)-cut]) {
			return true
		}
	}
	return false
}

// strange is true for control characters that text does not have.
func strange(c byte) bool {
	return (c < 0x20 || c == 0x7f) && c != '\n' && c != '\t' && c != '\r'
}

// sextet has the values of the characters of both alphabets of base64, and
// 0xff for the others.
var sextet = func() (t [256]uint8) {
	for c := range 256 {
		switch b := byte(c); {
		case b >= 'A' && b <= 'Z':
			t[c] = b - 'A'
		case b >= 'a' && b <= 'z':
			t[c] = b - 'a' + 26
		case isDigit(b):
			t[c] = b - '0' + 52
		case b == '+' || b == '-':
			t[c] = 62
		case b == '/' || b == '_':
			t[c] = 63
		default:
			t[c] = 0xff
		}
	}
	return t
}()

// decode64 decodes both alphabets, as far as it goes.
func decode64(dst, v []byte) []byte {
	acc, bits := uint32(0), 0
	for _, c := range v {
		x := uint32(sextet[c])
		if x > 63 {
			return dst
		}
		acc = acc<<6 | x
		if bits += 6; bits >= 8 {
			bits -= 8
			dst = append(dst, byte(acc>>bits))
		}
	}
	return dst
}

func (s *Scanner) secretInside(v []byte) bool {
	s.nested()
	s.decoded = narrow(decode64(s.decoded[:0], v))
	s.inner.Scan(s.decoded, 0, len(s.decoded))
	return len(s.inner.Spans) > 0
}

// lone hides what stands alone on its line and is plainly made by chance: the
// content of a token file, a line of a key whose first line was lost, a cell of
// a table.
func (s *Scanner) lone() {
	if s.le-s.ls > 400 || s.State.Mode == InPublic {
		return
	}
	line := s.buf[s.ls:s.le]
	core := pemCore(line)
	cell := len(core) > 0 && bytes.HasPrefix(bytes.TrimSpace(line), []byte("|")) && bytes.HasSuffix(bytes.TrimSpace(line), []byte("|"))
	if cell {
		core = bytes.TrimSpace(bytes.Trim(core, "|"))
	}
	if s.source && isIdent(core) && bytes.IndexByte(core, '.') < 0 && !bytes.ContainsAny(line, "\"'`") {
		return // a name among others in a program
	}
	if len(core) < 16 || len(line)-len(core) > 60 || len(bytes.TrimSpace(line)) > len(core)+14 {
		return
	}
	var upper, lower, digit, other, turns int
	var prev byte
	for i, c := range core {
		k := byte(0)
		switch {
		case isDigit(c):
			digit++
			k = 1
		case c >= 'A' && c <= 'Z':
			upper++
			k = 2
		case c >= 'a' && c <= 'z':
			lower++
			k = 3
		case c == '+' || c == '/' || c == '=' && i >= len(core)-2:
			other++
		case cell && (c == '_' || c == '-' || c == '.'):
			other++
		case (c == '_' || c == '-') && len(core) >= 48:
			other++
		default:
			return
		}
		if k != prev && k != 0 && prev != 0 {
			turns++
		}
		prev = k
	}
	if isToken(core) || bytes.HasPrefix(core, []byte("AAAA")) || isPath(core) {
		return
	}
	n := len(core)
	ok := false
	switch {
	case upper > 0 && lower > 0 && digit > 0 && turns >= n/4 && (n >= 40 || other == 0 && n >= 20):
		ok = true
	case cell && digit > 0 && lower+upper > 0 && n >= 16 && turns >= n/6:
		ok = true
	case cell && digit == n && n >= 20:
		ok = true
	}
	if ok {
		at := s.ls + bytes.Index(line, core)
		s.hide(at, at+n, keyname.Token, "lone-token")
	}
}

// nested makes the inner scanner ready.
func (s *Scanner) nested() {
	if s.inner == nil {
		s.inner = New()
		s.inner.depth = s.depth + 1
	}
	s.inner.Tokens, s.inner.Kernel = s.Tokens, s.Kernel
	s.inner.Reset("")
}

// seen scans the line as a terminal shows it: without colours and invisible
// characters, which may stand inside of a name or a secret.
func (s *Scanner) seen() {
	if !s.view.Build(s.buf[s.ls:s.le]) {
		return
	}
	s.nested()
	s.inner.Scan(s.view.Text, 0, len(s.view.Text))
	for _, sp := range s.inner.Spans {
		from, to := s.view.Span(sp.Start, sp.End)
		sp.Start, sp.End = s.ls+from, s.ls+to
		s.Spans = append(s.Spans, sp)
	}
}
