package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// jwkSecrets are the members of a JSON Web Key that are not public (RFC 7518).
var jwkSecrets = []string{"d", "p", "q", "dp", "dq", "qi", "k"}

// webKey hides the private members of the JSON Web Key that has its kty at pos.
func (s *Scanner) webKey(pos int) {
	buf := s.buf
	if pos == s.lo || quoteAt(buf, pos+3, s.hi) == 0 {
		return
	}
	from := max(s.lo, pos-3000)
	b := bytes.LastIndexByte(buf[from:pos], '{')
	if b < 0 {
		b = 0
	}
	end := min(s.hi, pos+3800)
	if e := bytes.IndexByte(buf[pos:end], '}'); e >= 0 {
		end = pos + e
	}
	for i := from + b; i < end; i++ {
		if buf[i] != '"' {
			continue
		}
		e := i + 1
		for e < end && isLetter(buf[e]) {
			e++
		}
		n := quoteAt(buf, e, end)
		if n == 0 || e-i > 3 || e == i+1 {
			continue
		}
		v := e + n
		for v < end && (isBlank(buf[v]) || buf[v] == ':') {
			v++
		}
		q := quoteAt(buf, v, end)
		if q == 0 || v == e+n {
			continue
		}
		for _, name := range jwkSecrets {
			if string(buf[i+1:e]) == name {
				if ve, _ := closeQuote(buf, v+q, end, buf[v:v+q]); ve > 0 {
					s.judge(v+q, ve, want{class: keyname.Strong, kind: privateKind, rule: "jwk"}, true)
				}
			}
		}
		i = v + q - 1
	}
}

// member takes the value of {"sensitive": true, "value": "x"} behind the brace
// at p, as Terraform writes outputs.
func (s *Scanner) member(p int, w want) {
	buf := s.buf
	end := min(s.hi, p+400)
	for i := p + 1; i < end; i++ {
		switch buf[i] {
		case '{', '}', '[':
			return
		case ':':
			// {"github.com": "x"} below the name of a secret
			v := nonSpace(buf, i+1, end)
			if v < end && buf[v] == '"' && buf[i-1] == '"' {
				e := bytes.IndexByte(buf[v+1:end], '"')
				if e < 0 {
					return
				}
				if t := buf[v+1 : v+1+e]; (foldIs(w.key, "bearer") || bytes.HasSuffix(w.key, []byte("-oauth"))) && len(t) > 4 || w.kind == keyname.Token && len(t) >= 16 && looksRandom(t) && (!isUUID(t) || foldIs(w.key, "tokens") && !bytes.HasSuffix(buf[i-3:i], []byte(`id"`))) {
					s.judge(v+1, v+1+e, w, true)
				}
				i = v + 1 + e
			}
		case 'v':
			if i+5 < end && string(buf[i:i+5]) == "value" && quoteAt(buf, i+5, end) > 0 && !isAlnum(buf[i-1]) {
				w.rule = "name-value"
				s.valueAfter(i+5, end, w)
				return
			}
		}
	}
}

// aclSecrets hides >password and #hash among the rules of a user of Redis.
func (s *Scanner) aclSecrets() {
	line := s.buf[s.ls:s.le]
	if !containsFold(line, "user ") && !containsFold(line, "\"setuser\"") {
		return
	}
	if i := bytes.Index(line, []byte("user ")); i >= 0 && s.Identify {
		s.accountAt(s.ls+i+len("user "), ' ')
	}
	for p := s.ls; p < s.le; {
		p = nonSpace(s.buf, p, s.le)
		e := p
		for e < s.le && !isSpace(s.buf[e]) {
			e++
		}
		end := e
		if e-p > 3 && s.buf[p] == '"' && s.buf[e-1] == '"' {
			p, e = p+1, e-1 // as MONITOR shows it
		}
		if e-p > 1 && p > s.ls && (s.buf[p] == '>' || s.buf[p] == '<' || (s.buf[p] == '#' || s.buf[p] == '!') && e-p == 65) {
			s.hideText(p+1, e, keyname.Password, "redis-acl")
		}
		p = end
	}
}

// timeKey hides the key in a line of chrony's or ntpd's file of keys:
// NUMBER TYPE KEY.
func (s *Scanner) timeKey() {
	var at [3][2]int
	p := s.ls
	for i := range at {
		p = nonSpace(s.buf, p, s.le)
		e := p
		for e < s.le && !isSpace(s.buf[e]) {
			e++
		}
		at[i] = [2]int{p, e}
		p = e
	}
	id, typ, key := s.buf[at[0][0]:at[0][1]], s.buf[at[1][0]:at[1][1]], at[2]
	if !isNumber(id) || len(id) > 10 || len(typ) == 0 || !isLetter(typ[0]) || len(typ) > 12 {
		return
	}
	if i := bytes.IndexByte(s.buf[key[0]:key[1]], ':'); i == 3 || i == 5 {
		key[0] += i + 1
	}
	s.hideText(key[0], key[1], keyname.APIKey, "time-key")
}

// vaultLine hides a line of hex digits of an Ansible vault.
func (s *Scanner) vaultLine() bool {
	b, e := s.ls, s.le
	for b < e && !isHex(s.buf[b]) && (isSpace(s.buf[b]) || s.buf[b] == '#') {
		b++
	}
	for e > b && isSpace(s.buf[e-1]) {
		e--
	}
	if b == e {
		s.leave()
		return false
	}
	if !isToken(s.buf[b:e]) {
		for _, c := range s.buf[b:e] {
			if !isHex(c) {
				s.leave()
				return false
			}
		}
		s.hide(b, e, keyname.Secret, "ansible-vault")
	}
	return true
}

// monitored hides the last string behind "auth" as MONITOR of Redis shows it:
// 1339518083.107412 [0 127.0.0.1:60866] "auth" "bob" "x".
func (s *Scanner) monitored(ks, ke int) bool {
	if !s.before(ks, "] \"") || ke+3 >= s.le || string(s.buf[ke:ke+3]) != `" "` || s.buf[s.le-1] != '"' {
		return false
	}
	b := bytes.LastIndex(s.buf[ke:s.le-1], []byte(` "`))
	if b < 0 {
		return false
	}
	s.judge(ke+b+2, s.le-1, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
	return true
}

// resp hides what follows AUTH where a trace shows what goes to Redis:
// AUTH\r\n$8\r\nx\r\n.
func (s *Scanner) resp(p int) bool {
	const eol = `\r\n`
	from, to := 0, 0
	for n := 0; n < 2 && p+6 < s.le && string(s.buf[p:p+5]) == eol+"$"; n++ {
		size := 0
		for p += 5; p < s.le && isDigit(s.buf[p]) && size < 1000; p++ {
			size = size*10 + int(s.buf[p]-'0')
		}
		if p+4+size > s.le || string(s.buf[p:p+4]) != eol {
			break
		}
		if bytes.HasPrefix(s.buf[p+4:s.le], []byte("REDACTED_")) {
			return true
		}
		from, to = p+4, p+4+size
		p = to
	}
	if to == from {
		return false
	}
	s.hide(from, to, keyname.Password, "command")
	return true
}
