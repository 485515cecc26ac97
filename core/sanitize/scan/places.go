package scan

import "bytes"

// Names that show by the place where they stand: the machine in the lines of
// syslog, the people in a list of users, an address with a wildcard.

// syslogHost takes the machine in a line of syslog that begins at ls:
//
//	Jan 12 06:25:43 web-17 sshd[2211]: ...
//	2026-01-12T06:25:43.123+00:00 web-17 sshd[2211]: ...
func (s *Scanner) syslogHost(buf []byte, ls, to int) {
	line := buf[ls:min(to, ls+160)]
	if isLetter(buf[ls]) {
		s.devicePrompt(buf, ls, to)
	}
	if len(line) < 24 {
		return
	}
	p := 0
	if line[0] == '<' { // <38>
		for p = 1; p < 5 && isDigit(line[p]); p++ {
		}
		if line[p] != '>' {
			return
		}
		line = line[p+1:]
		ls += p + 1
		if len(line) < 24 {
			return
		}
	}
	classic, structured := false, false
	if p > 0 && line[0] == '1' && line[1] == ' ' && len(line) > 32 {
		line, structured = line[2:], true // RFC 5424
		ls += 2
	}
	switch {
	case line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[15] == ' ' && isLetter(line[0]):
		p, classic = 16, true
	case line[4] == '-' && line[7] == '-' && line[10] == 'T' && line[13] == ':' && line[16] == ':' && isDigit(line[0]):
		p = 19
		for p < len(line) && line[p] != ' ' && p < 36 {
			p++
		}
		p++
	default:
		return
	}
	e := min(s.labelEnd(ls+min(p, len(line)), to)-ls, len(line))
	if e-p < 2 || e+2 >= len(line) || line[e] != ' ' || !isAlnum(line[p]) {
		return
	}
	if !s.logger(buf, ls+p, ls+e, classic) {
		return
	}
	if structured {
		s.ident(ls+p, ls+e, Host)
		return
	}
	// The program, with its number in brackets or a colon.
	t := e + 1
	for t < len(line) {
		t = min(s.labelEnd(ls+t, to)-ls, len(line))
		if t == len(line) || line[t] != '/' && line[t] != '@' && line[t] != '(' && line[t] != ')' {
			break
		}
		t++
	}
	if t == e+1 || t+1 >= len(line) {
		return
	}
	if !(line[t] == '[' && isDigit(line[t+1])) && !(line[t] == ':' && line[t+1] == ' ' && (classic || daemons.has(line[e+1:t]))) {
		return
	}
	s.ident(ls+p, ls+e, Host)
}

// daemons write lines of syslog without their number.
var daemons = listOf("kernel", "sudo", "su", "systemd", "cron", "sshd", "dhclient", "snmpd", "rsyslogd", "multipathd", "iscsid", "smartd", "chronyd", "named", "postfix", "dovecot", "rsyncd")

// logger tells whether buf[start:end] may be the machine that wrote a line.
func (s *Scanner) logger(buf []byte, start, end int, classic bool) bool {
	q := isSender
	if classic {
		q = isLogger
	}
	e, ok := s.known.ask(buf, start, end, q)
	if !ok {
		v := buf[start:end]
		yes := bytes.IndexByte(v, '_') < 0 && hostLike(v, classic)
		if e == nil {
			return yes
		}
		e.answer = uint8(btoi(yes))
	}
	return e.answer != 0
}

// hostLike rules out what else stands behind a time.
func hostLike(v []byte, classic bool) bool {
	letter, small, other := false, false, false
	for _, c := range v {
		switch {
		case c >= 'a' && c <= 'z':
			small = true
		case isLetter(c):
			letter = true
		default:
			other = true
		}
	}
	if !letter && !small || !small && !classic {
		return false
	}
	if other {
		return !isToken(v) && !isPublic(v)
	}
	for _, w := range []string{"localhost", "last", "info", "debug", "warn", "warning", "error", "notice", "trace", "fatal", "critical"} {
		if foldIs(v, w) {
			return false
		}
	}
	return true
}

// userList takes the names below users: in YAML,
//
//	users:
//	  - name: ops
//	  - anna
//
// as far as rules may look.
func (s *Scanner) userList(pos int) {
	buf := s.buf
	key := nonSpace(buf, s.ls, s.le)
	if pos != key || s.le-key < 6 || s.le-key > 7 || !foldEqual(buf[key:key+5], "users") && !foldEqual(buf[key:key+5], "user:") || buf[s.le-1] != ':' {
		return
	}
	indent := key - s.ls
	for ls := s.le + 1; ls < s.hi; {
		le := s.hi
		if i := bytes.IndexByte(buf[ls:s.hi], '\n'); i >= 0 {
			le = ls + i
		} else if s.hi < len(buf) {
			return // the line is not whole
		}
		p := nonSpace(buf, ls, le)
		if p < le && (p-ls < indent || p-ls == indent && buf[p] != '-') {
			return
		}
		if p < le && buf[p] == '-' {
			p = nonSpace(buf, p+1, le)
		}
		if p+5 < le && string(buf[p:p+5]) == "name:" {
			p = nonSpace(buf, p+5, le)
		} else if bytes.IndexByte(buf[p:le], ':') >= 0 {
			p = le
		}
		p += quoteAt(buf, p, le)
		e := p
		for e < le && isAccountChar(buf[e]) {
			e++
		}
		if e > p && nonSpace(buf, e+quoteAt(buf, e, le), le) >= le {
			s.addAccount(p, e)
		}
		ls = le + 1
	}
}

// grantHost takes the machine in 'name'@'machine' of MySQL; p is behind the
// quote that opens it. An address with a wildcard is mapped by what is there.
func (s *Scanner) grantHost(p int) {
	buf := s.buf
	e := p
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '.' || buf[e] == '-') {
		e++
	}
	v := buf[p:e]
	if len(v) == 0 || e >= s.le || isToken(v) || foldIs(v, "localhost") {
		return
	}
	if buf[e] == '%' && v[len(v)-1] == '.' && isDigit(v[0]) {
		addr, n := uint32(0), 0
		for part := range bytes.SplitSeq(v[:len(v)-1], []byte{'.'}) {
			if len(part) == 0 || len(part) > 3 || !isNumber(part) || n == 3 {
				return
			}
			x := uint32(0)
			for _, c := range part {
				x = x*10 + uint32(c-'0')
			}
			addr = addr<<8 | x&0xff
			n++
		}
		s.Idents = append(s.Idents, Ident{p, e - 1, addr << (8 * (4 - n)), Net4})
		return
	}
	if buf[e] == '\'' && len(v) > 2 && isLetter(v[0]) {
		s.ident(p, e, Host)
	}
}
