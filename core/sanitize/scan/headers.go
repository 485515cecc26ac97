package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

func cookieName(w want) bool {
	return foldIs(w.key, "cookie") || foldIs(w.key, "set-cookie") || foldIs(w.key, "cookies") || foldIs(w.key, "cookie2") || foldIs(w.key, "set-cookie2")
}

var cookieAttrs = []string{"path", "domain", "expires", "max-age", "samesite", "version", "priority", "comment"}

// tasteCookie is true for cookies that hold what somebody likes to see, and
// nobody else may not: lang=de, theme=dark, tz=CET.
func tasteCookie(name, v []byte) bool {
	v = bytes.TrimRight(v, " \"'")
	if len(v) > 12 || bytes.ContainsAny(v, "0123456789") && len(v) > 3 {
		return false
	}
	for _, t := range []string{"lang", "language", "locale", "theme", "tz", "timezone", "country", "currency", "region", "consent", "dark", "dark_mode", "layout"} {
		if foldIs(name, t) {
			return true
		}
	}
	return isSwitch(v)
}

// cookies hides the values of a Cookie or Set-Cookie header.
func (s *Scanner) cookies(p int, w want) {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	end := s.le
	if n := quoteAt(buf, p, s.le); n > 0 {
		if ve, _ := closeQuote(buf, p+n, s.le, buf[p:p+n]); ve >= 0 {
			end = ve
		}
		p += n
	} else if p > 0 {
		// inside a quoted argument: -H 'Cookie: a=b'
		for i := p; i < s.le; i++ {
			if (buf[i] == '\'' || buf[i] == '"') && (i+1 == s.le || isSpace(buf[i+1]) || buf[i+1] == ',') {
				end = i
				break
			}
		}
	}
	for p < end {
		e := bytes.IndexByte(buf[p:end], ';')
		if e < 0 {
			e = end - p
		}
		part := buf[p : p+e]
		if i := bytes.IndexByte(part, '='); i > 0 {
			name := bytes.TrimSpace(part[:i])
			attr := false
			for _, a := range cookieAttrs {
				attr = attr || foldIs(name, a)
			}
			if !attr && bytes.IndexByte(name, ' ') < 0 && !tasteCookie(name, part[i+1:]) {
				s.hideText(p+i+1, p+e, keyname.Cookie, "cookie")
			}
		}
		p += e + 1
	}
}

// signed hides what proves the secret in a list of parameters, from p on.
func (s *Scanner) signed(p int, w want) bool {
	found := false
	for _, name := range []string{"response=", "signature=", "mac=", "credential="} {
		i := indexFold(s.buf[p:s.le], name)
		if i < 0 {
			continue
		}
		b := p + i + len(name)
		b += quoteAt(s.buf, b, s.le)
		e := b
		for e < s.le && (isAlnum(s.buf[e]) || s.buf[e] == '+' || s.buf[e] == '=') {
			e++
		}
		s.hideText(b, e, w.kind, "authorization")
		found = found || name[0] != 'c'
	}
	return found
}

// tokenProse are words that go on with a sentence about a token, tokenEnds those
// that end it.
var tokenProse = listOf("has", "is", "was", "not", "could", "cannot", "did", "does", "must", "for", "from", "in", "will")

var tokenEnds = listOf("missing", "invalid", "expired", "required", "rejected", "denied", "failed", "none", "null")

// authorization hides the credentials of an Authorization header, not the
// scheme.
func (s *Scanner) authorization(p int, w want) {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	if n := quoteAt(buf, p, s.le); n > 0 {
		s.quoted(p, n, want{class: keyname.Strong, kind: keyname.Token, rule: "authorization"})
		return
	}
	if p+1 < s.le && buf[p] == '[' && quoteAt(buf, p+1, s.le) > 0 {
		s.quoted(p+1, quoteAt(buf, p+1, s.le), want{class: keyname.Strong, kind: keyname.Token, rule: "authorization"})
		return
	}
	if p+1 < s.le && buf[p] == '[' && isLetter(buf[p+1]) {
		p++ // the list of values of a map of headers
	}
	e := p
	for e < s.le && isAlnum(buf[e]) || e < s.le && buf[e] == '-' {
		e++
	}
	v := nonSpace(buf, e, s.le)
	if e < s.le && isSpace(buf[e]) && v < s.le {
		if foldIs(buf[p:e], "digest") || foldIs(buf[p:e], "aws4-hmac-sha256") || foldIs(buf[p:e], "hawk") {
			if !s.signed(v, w) {
				s.hideText(v, s.le, w.kind, "authorization")
			}
			return
		}
		if next := firstWord(buf[v:s.le]); letters(next) && nonSpace(buf, v+len(next), s.le) < s.le && tokenProse.has(next) {
			return // the token has expired
		}
		if next := trimEnd(firstWord(buf[v:s.le]), ".,;"); tokenEnds.has(next) {
			return // is missing
		}
		p = v
	}
	e = p
	for e < s.le && buf[e] != '"' && buf[e] != '\'' && buf[e] != '\\' && buf[e] != '<' && buf[e] != '`' && buf[e] != '}' && buf[e] != ']' {
		if buf[e] == '[' && e+1 < s.le && buf[e+1] == '\\' {
			break
		}
		if isSpace(buf[e]) && (e == p || buf[e-1] != ',') {
			break
		}
		e++
	}
	w.rule, w.class = "authorization", keyname.Strong
	s.judge(p, e, w, true)
}
