package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Many files come as one text: head and tail write ==> /etc/ppp/chap-secrets <==,
// people write # /etc/postfix/sasl_passwd, a session shows cat ~/.pgpass. What
// follows such a heading, up to the next empty line, has the form of that file.

// maxFileLines bounds what belongs to a heading.
const maxFileLines = 400

// heading takes the line as a heading, if the name of a file ends at ke.
func (s *Scanner) heading(ks, ke int) {
	buf := s.buf
	if s.State.Mode != Normal || s.le-s.ls > 160 || s.form != formText {
		return
	}
	for _, c := range buf[ke:s.le] {
		if c != ' ' && c != '=' && c != '<' && c != '-' && c != ':' && c != '#' && c != '*' && c != '\'' && c != '"' && c != ']' {
			return
		}
	}
	b := ks
	for b > s.ls && !isSpace(buf[b-1]) && buf[b-1] != '"' && buf[b-1] != '\'' && buf[b-1] != '[' {
		b--
	}
	switch first := nonSpace(buf, s.ls, s.le); {
	case (s.before(b, "cat ") || s.before(b, "less ") || s.before(b, "more ")) && s.atPrompt(b-5):
	case bytes.IndexByte([]byte("#;=>-*["), buf[first]) >= 0 && bytes.Count(buf[first:b], []byte{' '}) <= 2 && lettersIn(buf[first:b]) <= 5:
	default:
		return
	}
	f := formOf(string(buf[b:ke]))
	if f == formText {
		return
	}
	s.enter(InFile, keyname.Password, 0, maxFileLines, byte(f))
}

// atPrompt is true where a command may begin: at the beginning of the line or
// behind the prompt of a shell or what marks a heading.
func (s *Scanner) atPrompt(p int) bool {
	for p >= s.ls && (isSpace(s.buf[p]) || isLetter(s.buf[p])) {
		if isLetter(s.buf[p]) && p > s.ls && !isSpace(s.buf[p-1]) && !isLetter(s.buf[p-1]) {
			return false
		}
		p--
	}
	return p < s.ls || bytes.IndexByte([]byte("$#>=%]:;&|"), s.buf[p]) >= 0
}

// fileTail is how far the name of a file goes on at the front of v.
func fileTail(v []byte) int {
	n := 0
	for n < len(v) && isKeyChar(v[n]) {
		n++
	}
	return n
}

func lettersIn(v []byte) int {
	n := 0
	for _, c := range v {
		n += btoi(isLetter(c))
	}
	return n
}

// fileLine deals with a line below such a heading.
func (s *Scanner) fileLine(body []byte) {
	f := form(s.State.Quote)
	if s.State.Left--; len(body) == 0 || s.State.Left < 0 || body[0] == '=' && len(body) > 2 && body[1] == '=' {
		s.leave()
		return
	}
	if body[0] == '#' || body[0] == ';' {
		if bytes.IndexByte(body, '.') > 0 || bytes.IndexByte(body, '/') > 0 {
			s.leave() // another heading
		}
		return
	}
	was := s.form
	s.form = f
	s.fields()
	s.form = was
	if f == formToken {
		s.leave()
	}
}

// keyMap takes the line as the head of a map of nginx from what a header must
// hold to something else: map $http_x_api_key $client {
func (s *Scanner) keyMap(ks, ke int) bool {
	if s.State.Mode != Normal || s.le-s.ls > 200 || s.buf[s.le-1] != '{' || ks-s.ls < 5 {
		return false
	}
	p := nonSpace(s.buf, s.ls, s.le)
	if p+5 > ks || string(s.buf[p:p+5]) != "map $" || p+5 != ks {
		return false
	}
	s.enter(InKeys, keyname.Token, 0, maxFileLines, 0)
	return true
}

// mapLine hides what such a map lists: the first word of each line.
func (s *Scanner) mapLine(body []byte) {
	if s.State.Left--; s.State.Left < 0 || len(body) > 0 && body[0] == '}' {
		s.leave()
		return
	}
	if len(body) == 0 || body[0] == '#' || body[0] == '~' {
		return
	}
	w := want{class: keyname.Strong, kind: keyname.Token, rule: "map"}
	p := s.le - len(body)
	if quoteAt(s.buf, p, s.le) > 0 {
		if len(body) > 1 && body[1] != '~' {
			s.value(p, w)
		}
		return
	}
	e := p
	for e < s.le && !isSpace(s.buf[e]) {
		e++
	}
	switch string(s.buf[p:e]) {
	case "default", "hostnames", "include", "volatile":
	default:
		s.judge(p, e, w, true)
	}
}
