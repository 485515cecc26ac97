package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// url hides the password in scheme://user:password@host; pos is at the colon.
func (s *Scanner) url(pos int) {
	buf := s.buf
	if pos == s.ls || !isAlnum(buf[pos-1]) && !(buf[pos-1] == '\\' && pos-1 > s.ls && isAlnum(buf[pos-2])) {
		return // properties escape the colon
	}
	from := pos + 3
	// The authority reaches to the last @ before white space, a quote or, for
	// an @ without password before it, a slash.
	at, colon, stop := -1, -1, s.le
	slash := -1
	tmpl := 0
	for i := from; i < s.le && i < from+1024; i++ {
		c := buf[i]
		if c == '{' || c == '<' && i+1 < s.le && isLetter(buf[i+1]) && at < 0 && slash < 0 {
			tmpl++
		}
		if isSpace(c) && tmpl == 0 || c == '"' || c == '`' || c == '<' && tmpl == 0 || c == '\'' && (i+1 >= s.le || !isAlnum(buf[i+1])) || c == '|' && false || c == '\\' && i+1 < s.le && (buf[i+1] == '"' || buf[i+1] == 'n') {
			stop = i
			break
		}
		switch c {
		case '}', '>':
			if tmpl > 0 {
				tmpl--
			}
		case '@':
			if slash < 0 || colon >= 0 && colon < slash && !s.portAt(colon, slash) && at < 0 {
				at = i
			}
		case ':':
			if colon < 0 && tmpl == 0 {
				colon = i
			}
		case '/', '?', '#':
			if slash < 0 && tmpl == 0 {
				slash = i
				if at >= 0 {
					stop = i
					i = s.le
				}
			}
		case ',':
			// a list of hosts: only the first part has the password
			if at >= 0 {
				stop = i
				i = s.le
			}
		}
	}
	if s.Identify {
		s.urlNames(from, at, colon)
	}
	if at < 0 {
		return
	}
	if colon < 0 || colon > at {
		user := buf[from:at]
		if looksRandom(user) && len(user) >= 16 && !camelWords(user) && !isToken(user) && !s.spare(user, keyname.Strong) {
			s.hide(from, at, keyname.Token, "url-user")
		}
		return
	}
	if stop < s.le && buf[stop] == ',' {
		s.moreHosts(stop + 1)
	}
	pw := buf[colon+1 : at]
	if s.spare(pw, keyname.Strong) || isTemplate(pw) {
		// ${VAR:-default}: the scanner of keys sees the default
		return
	}
	s.hide(colon+1, at, keyname.Password, "url-password")
}

// moreHosts hides the passwords of the other hosts of a list, from p on:
// amqp://a:x@h1,b:y@h2.
func (s *Scanner) moreHosts(p int) {
	for p < s.le {
		at, colon, e := -1, -1, p
		for e < s.le && s.buf[e] != ',' && s.buf[e] != '/' && s.buf[e] != '?' && s.buf[e] != '"' && s.buf[e] != '\'' && !isSpace(s.buf[e]) {
			if s.buf[e] == ':' && colon < 0 {
				colon = e
			} else if s.buf[e] == '@' {
				at = e
			}
			e++
		}
		if colon > p && at > colon {
			s.hideText(colon+1, at, keyname.Password, "url-password")
		}
		if e >= s.le || s.buf[e] != ',' {
			return
		}
		p = e + 1
	}
}

// codedURL hides the password in https%3A%2F%2Fuser%3Apassword%40host.
func (s *Scanner) codedURL(pos int) {
	p := pos + len("%3a%2f%2f")
	colon := -1
	for i := p; i+3 <= s.le && i < p+200; i++ {
		switch c := s.buf[i]; {
		case isSpace(c) || c == '&' || c == '"' || c == '\'':
			return
		case c != '%':
		case foldEqual(s.buf[i:i+3], "%2f") && colon < 0:
			return
		case foldEqual(s.buf[i:i+3], "%3a") && colon < 0:
			colon = i + 3
		case string(s.buf[i:i+3]) == "%40":
			if colon > 0 {
				s.hideText(colon, i, keyname.Password, "url-password")
			}
			return
		}
	}
}

// portAt is true when the digits between a colon and a slash are a port.
func (s *Scanner) portAt(colon, slash int) bool {
	return slash == colon+1 || slash-colon <= 6 && isNumber(s.buf[colon+1:slash])
}

// isTemplate is true for placeholders inside an URL.
func isTemplate(v []byte) bool {
	if len(v) < 2 {
		return false
	}
	a, b := v[0], v[len(v)-1]
	return a == '{' && b == '}' || a == '<' && b == '>' || a == '[' && b == ']' || a == '$' && (v[1] == '(' || v[1] == '{') && (b == ')' || b == '}') || a == '%' && b == '%'
}

// thin hides the password in jdbc:oracle:thin:user/password@host, from p on.
func (s *Scanner) thin(p int) {
	at := bytes.IndexByte(s.buf[p:s.le], '@')
	if at < 0 {
		return
	}
	if i := bytes.IndexByte(s.buf[p:p+at], '/'); i > 0 && bytes.IndexByte(s.buf[p:p+at], ' ') < 0 {
		if s.Identify {
			s.whomArg(p, p+i)
		}
		s.hideText(p+i+1, p+at, keyname.Password, "dsn")
	}
}

// dsn hides the password in user:password@tcp(host)/db.
func (s *Scanner) dsn(pos int) {
	b := pos
	for b > s.ls && !isSpace(s.buf[b-1]) && s.buf[b-1] != '"' && s.buf[b-1] != '\'' && s.buf[b-1] != '`' && s.buf[b-1] != '=' && s.buf[b-1] != '/' {
		b--
	}
	if i := bytes.IndexByte(s.buf[b:pos], ':'); i > 0 {
		if s.Identify {
			s.whomArg(b, b+i)
		}
		s.hideText(b+i+1, pos, keyname.Password, "dsn")
	}
}

// shortParameter takes the value at p of a parameter p, where another says who logs
// in: GET /login?u=anna&p=x.
func (s *Scanner) shortParameter(pos, p int) {
	buf := s.buf
	from := pos
	for from > s.ls && !isSpace(buf[from-1]) && buf[from-1] != '"' && pos-from < 300 {
		from--
	}
	query := buf[from:pos]
	if i := bytes.IndexByte(query, '?'); i >= 0 {
		query = query[i+1:]
	}
	first := false
	for param := range bytes.SplitSeq(query, []byte{'&'}) {
		name, _, _ := bytes.Cut(param, []byte{'='})
		first = first || logins.has(name)
	}
	e := p
	for e < s.le && !isSpace(buf[e]) && buf[e] != '&' && buf[e] != '"' && buf[e] != '\'' && buf[e] != '#' && buf[e] != '<' {
		e++
	}
	if first && e-p >= 4 && !isNumber(buf[p:e]) && buf[p] != '$' && buf[p] != '{' && buf[p] != '%' {
		s.judge(p, e, want{class: keyname.Strong, kind: keyname.Password, rule: "url-parameter"}, true)
	}
}

// logins are parameters that say who somebody is.
var logins = listOf("u", "user", "username", "login", "uid", "name", "usr", "email", "account", "acct", "un", "userid")
