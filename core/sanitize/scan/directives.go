package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Directives of single programs whose secret is not simply the next word.

// directiveWords deals with the name in w when it is followed by words from sep
// on. True if that was all there is to it.
func (s *Scanner) directiveWords(ks, sep int, w want) bool {
	buf := s.buf
	k := w.key
	word := func(p int) (int, int) {
		p = nonSpace(buf, p, s.le)
		e := p
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		return p, e
	}
	if w.class == keyname.Strong && (s.sentWord(ks, sep, w) || s.sentLine(ks, sep, w) || s.bootLoader(ks, sep, w)) {
		return true
	}
	w.class = keyname.Strong
	switch {
	case foldIs(k, "insecure-password"):
		b, e := word(sep) // of HAProxy: user NAME insecure-password x
		w.rule = "directive"
		s.judge(b, e, w, true)
		return true
	case foldIs(k, "key") && ks == nonSpace(buf, s.ls, s.le):
		// key 0a5c 7 0123456789ABCDEF of MACsec
		_, e := word(sep)
		b, n := word(e)
		if n-b == 1 && isDigit(buf[b]) {
			if b, e = word(n); e-b >= 8 && hexOnly(buf[b:e]) {
				w.kind, w.rule = keyname.APIKey, "device"
				s.judge(b, e, w, true)
				return true
			}
		}
	case foldIs(k, "password") && s.before(ks, "add ") && bytes.HasSuffix(bytes.TrimRight(buf[s.ls:s.le], " "), []byte("}")):
		// add password HOST {x} {y} of RANCID
		for p := sep; p < s.le; p++ {
			if buf[p] == '{' {
				if e := bytes.IndexByte(buf[p:s.le], '}'); e > 1 {
					w.rule = "directive"
					s.judge(p+1, p+e, w, true)
					p += e
				}
			}
		}
		return true
	case foldIs(k, "password") && s.before(ks, "input ") && sep-ks-len(k) >= 2:
		// Input Password    id:pass    x
		for sep+1 < s.le && !(isSpace(buf[sep]) && isSpace(buf[sep+1])) {
			sep++
		}
		if b, e := word(sep); b < e {
			w.rule = "directive"
			s.judge(b, e, w, true)
		}
		return true
	case foldIs(k, "key") && s.before(ks, "isakmp "):
		if b, e := word(sep); e-b > 1 {
			w.kind, w.rule = keyname.Secret, "device"
			s.judge(b, e, w, true) // crypto isakmp key x address 10.0.0.1
			return true
		}
	case string(k) == "PASSWORD" && ks == s.ls:
		// PASSWORD kibana = x
		_, e := word(sep)
		if p := nonSpace(buf, e, s.le); p+2 < s.le && buf[p] == '=' && isSpace(buf[p+1]) {
			w.rule = "directive"
			s.value(p+1, w)
			return true
		}
	case string(k) == "PIN" && buf[sep] == '%' && s.before(ks, ": "):
		_, e := word(sep) // : PIN %smartcard:50 1274
		b, e := word(e)
		w.kind, w.rule = keyname.Password, "directive"
		s.judge(b, e, w, true)
		return true
	case foldIs(k, "auth"):
		if p := bytes.Index(buf[sep:s.le], []byte(" priv ")); p > 0 && containsFold(buf[s.ls:ks], "snmp") {
			w.kind, w.rule = keyname.Password, "snmp"
			told := false
			for _, at := range [...]int{sep, sep + p + len(" priv ")} {
				b, e := word(at)
				for protocol(buf[b:e]) && e < s.le {
					b, e = word(e)
				}
				if s.tellable(buf[b:e], false) {
					s.judge(b, e, w, true) // SNMP v3 auth x priv y
					told = true
				}
			}
			if told {
				return true
			}
		}
		if s.hasWord(" priv ") && s.usmUser() {
			return true // username NAME auth md5 x priv x
		}
		// stats auth USER:PASSWORD
		if b, e := word(sep); s.before(ks, "stats ") {
			for e < s.le && buf[e-1] == '\\' { // an escaped blank
				for e++; e < s.le && !isSpace(buf[e]); e++ {
				}
			}
			if i := bytes.IndexByte(buf[b:e], ':'); i > 0 && i+1 < e-b {
				w.kind, w.rule = keyname.Password, "directive"
				if s.Identify {
					s.addAccount(b, b+i)
				}
				s.judge(b+i+1, e, w, true)
				return true
			}
		}
		if b, e := word(sep); ks == s.ls && e-b == 1 && isDigit(buf[b]) && e == s.le {
			s.heartbeat(w)
			return true
		}
		// AUTH [user] password of Redis, AUTH PLAIN base64 of mail
		return s.authCommand(ks, sep, w)
	case string(k) == "_auth":
		// npm config set _auth x
		if b, e := word(sep); s.before(ks, "set ") && e-b >= 8 {
			w.kind, w.rule = keyname.Credential, "directive"
			s.judge(b, e, w, true)
			return true
		}
	case foldIs(k, "credentials"):
		// default credentials NAME/PASSWORD
		b, e := word(sep)
		if i := bytes.IndexByte(buf[b:e], '/'); i > 1 && isIdent(buf[b:b+i]) && mixedWord(buf[b+i+1:e]) {
			w.kind, w.rule = keyname.Password, "directive"
			s.judge(b+i+1, e, w, true)
			return true
		}
	case foldIs(k, "auth-pass"):
		if s.before(ks, "sentinel ") {
			_, e := word(sep)
			b, e := word(e)
			w.rule = "directive"
			s.judge(b, e, w, true)
			return true
		}
	case foldIs(k, "authcommunity"):
		_, e := word(sep)
		b, e := word(e)
		w.rule = "directive"
		s.judge(b, e, w, true)
		return true
	case foldIs(k, "psk"), foldIs(k, "xauth"), foldIs(k, "eap"):
		if s.Identify && !foldIs(k, "psk") && s.before(ks, " : ") {
			s.accountAt(nonSpace(buf, s.ls, ks), ' ')
		}
		if s.before(ks, ": ") && quoteAt(buf, sep, s.le) == 0 {
			b, e := word(sep)
			if rest := nonSpace(buf, e, s.le); rest < s.le && isLetter(buf[rest]) && !mixedWord(buf[b:e]) {
				return true // PSK mismatch for peer
			}
			w.rule = "directive"
			s.judge(b, e, w, true)
			return true
		}
	case foldIs(k, "community"):
		if b, e := word(sep); foldIs(buf[b:e], "add") || foldIs(buf[b:e], "set") {
			if i := bytes.Index(buf[e:s.le], []byte(" name=")); i >= 0 {
				w.rule = "directive"
				s.value(e+i+6, w)
				return true
			}
			if f := bytes.Fields(buf[e:s.le]); len(f) > 2 && foldIs(buf[b:e], "add") && (foldIs(f[1], "ro") || foldIs(f[1], "rw")) && f[0][0] == '-' {
				w.rule = "directive"
				s.judge(s.le-len(f[len(f)-1]), s.le, w, true) // snmp community add -type ro x
				return true
			}
		}
	}
	return false
}

// heartbeat reads the keys of Heartbeat below auth 1: 1 sha1 x.
func (s *Scanner) heartbeat(w want) {
	w.rule = "directive"
	end := min(s.hi, s.le+400)
	for p := s.le; p+1 < end && s.buf[p] == '\n'; {
		p++
		e := bytes.IndexByte(s.buf[p:end], '\n')
		if e < 0 {
			e = end - p
		}
		f := bytes.Fields(s.buf[p : p+e])
		if len(f) == 0 || !isNumber(f[0]) {
			return
		}
		if len(f) == 3 && algorithm(f[1]) {
			at := p + bytes.LastIndex(s.buf[p:p+e], f[2])
			s.judge(at, at+len(f[2]), w, true)
		}
		p += e
	}
}

// authCommand reads AUTH of Redis and of mail, after a prompt or a time.
func (s *Scanner) authCommand(ks, sep int, w want) bool {
	buf := s.buf
	if string(w.key) != "AUTH" || s.le-sep > 400 {
		return false
	}
	p := ks
	for p > s.ls && (buf[p-1] == '"' || buf[p-1] == '\'') {
		p--
	}
	end := s.le
	if i := bytes.Index(buf[sep:s.le], []byte(`\r\n`)); i > 0 && p < ks {
		end = sep + i // write(3, "AUTH x\r\n")
	} else if before := bytes.TrimRight(buf[s.ls:p], " \t"); len(before) > 0 && before[len(before)-1] != ':' && before[len(before)-1] != '>' && before[len(before)-1] != ']' && before[len(before)-1] != ')' {
		return false
	}
	args := &s.args
	le, ls := s.le, s.ls
	s.ls, s.le = sep, end
	n := s.split(args)
	s.ls, s.le = ls, le
	if n == 0 || n > 3 {
		return false
	}
	w.kind, w.rule = keyname.Password, "directive"
	first := s.text(args[0])
	for _, m := range []string{"plain", "login", "cram-md5", "xoauth2", "ntlm", "oauthbearer", "external", "gssapi"} {
		if foldIs(first, m) {
			if n > 1 {
				s.judge(args[1].vs, args[1].ve, w, true)
			}
			return true
		}
	}
	if a := args[n-1]; n == 1 && looksSecret(s.text(a)) || n == 2 && a.vs > a.start || n == 2 && looksSecret(s.text(a)) {
		s.judge(a.vs, a.ve, w, true)
		return true
	}
	return false
}

// besideUser looks for secrets that a name with "user" leads to, at pos.
func (s *Scanner) besideUser(pos int) {
	buf := s.buf
	e := pos + 4
	if e+4 >= s.le {
		return
	}
	if buf[e] == 'S' && buf[e+1] == '=' {
		e++ // EJABBERD_USERS=name@host:password
	}
	if s.le-e <= 24 {
		s.heading(pos, min(s.le, e+fileTail(buf[e:s.le])))
	}
	w := want{class: keyname.Strong, kind: keyname.Password, rule: "user-password"}
	if n := e; pos > s.ls && buf[pos-1] == '$' && isDigit(buf[n]) {
		// $USER4$=x, a macro of Nagios
		for n < s.le && isDigit(buf[n]) {
			n++
		}
		if n+2 < s.le && buf[n] == '$' && buf[n+1] == '=' && buf[n+2] != '/' && bytes.ContainsAny(buf[n+2:s.le], "0123456789!@#%&*") && bytes.IndexByte(buf[n+2:s.le], '/') < 0 {
			s.judge(n+2, s.le, w, true)
		}
		return
	}
	switch buf[e] {
	case '.':
		// basic.auth.user.info=NAME:PASSWORD of Kafka
		if v := e + len(".info="); v < s.le && string(buf[e:v]) == ".info=" {
			s.userPair(v, s.le)
		}
	case 'i', 'I':
		// userid=NAME/PASSWORD[@SERVICE] of Oracle
		if e+3 < s.le && foldEqual(buf[e:e+3], "id=") {
			v := e + 3
			v += quoteAt(buf, v, s.le)
			i := v
			for i < s.le && isAccountChar(buf[i]) {
				i++
			}
			n := i
			for n < s.le && !isSpace(buf[n]) && buf[n] != '@' && buf[n] != '"' && buf[n] != '\'' {
				n++
			}
			if i > v && i+1 < n && buf[i] == '/' && buf[i+1] != '/' {
				s.judge(i+1, n, w, true)
			}
		}
	case ' ':
		s.db2Connect(e)
		// user NAME PASSWORD, in a script for a client of FTP
		if pos != s.ls || string(buf[pos:e]) != "user" {
			break
		}
		if f := bytes.Fields(buf[e:s.le]); len(f) == 2 && looksSecret(f[1]) && scriptOfFTP(buf[max(s.lo, s.ls-200):s.ls]) {
			at := e + bytes.Index(buf[e:s.le], f[0]) + len(f[0])
			s.value(at, w)
		}
	case '_':
		// user_NAME="password" of a login module
		for e < s.le && (isAlnum(buf[e]) || buf[e] == '_' || buf[e] == '-') {
			e++
		}
		if e+2 < s.le && buf[e] == '=' && (buf[e+1] == '"' || buf[e+1] == '\'') && (pos == s.ls || isSpace(buf[pos-1])) && bytes.Contains(buf[max(s.lo, pos-800):pos], []byte("LoginModule")) && !foldIs(buf[pos:e], "user_name") {
			s.value(e+1, w)
		}
	case '=':
		// ETCDCTL_USER=name:password
		v := e + 1 + quoteAt(buf, e+1, s.le)
		i := v
		for i < s.le && (isAccountChar(buf[i]) || buf[i] == '@') {
			i++
		}
		if i > v && i+1 < s.le && buf[i] == '%' && (s.hasWord("cifs") || s.hasWord("smb")) {
			n := i + 1
			for n < s.le && !isSpace(buf[n]) && buf[n] != ',' && buf[n] != '"' {
				n++
			}
			s.judge(i+1, n, w, true) // user=NAME%x of a mount
			return
		}
		if i > v && i+3 < s.le && buf[i] == ':' && buf[i+1] != '/' && !(isNumber(buf[v:i])) {
			e = i + 1
			for e < s.le && !isSpace(buf[e]) && buf[e] != '"' && buf[e] != '\'' && buf[e] != '&' && buf[e] != ';' && buf[e] != ',' && buf[e] != ':' {
				e++
			}
			if (e >= s.le || buf[e] != ':') && looksSecret(buf[i+1:e]) && !addressLike(buf[i+1:e]) {
				s.judge(i+1, e, w, true)
			}
		}
	}
}

// scriptOfFTP is true if a connection was opened in the lines above.
func scriptOfFTP(above []byte) bool {
	return bytes.HasPrefix(above, []byte("open ")) || bytes.Contains(above, []byte("\nopen "))
}

// trapHost reads: snmp-server host ADDRESS [traps] [version 2c] COMMUNITY.
func (s *Scanner) trapHost() bool {
	p := nonSpace(s.buf, s.ls, s.le)
	l := s.buf[p:s.le]
	if len(l) < 24 || !foldEqual(l[:17], "snmp-server host ") {
		return false
	}
	args := &s.args
	n := s.split(args)
	from := 3
	if n > 4 && !isDigit(s.text(args[2])[0]) && isDigit(s.buf[args[3].vs]) {
		from = 4 // the interface comes first
	}
	for i := from; i < n; i++ {
		switch t := s.text(args[i]); {
		case foldIs(t, "traps"), foldIs(t, "informs"), foldIs(t, "trap"), foldIs(t, "auth"), foldIs(t, "noauth"), foldIs(t, "priv"), foldIs(t, "use-vrf"), foldIs(t, "community"):
		case foldIs(t, "version"), foldIs(t, "vrf"):
			i++
		default:
			s.judge(args[i].vs, args[i].ve, want{class: keyname.Strong, kind: keyname.Community, rule: "snmp"}, true)
			return true
		}
	}
	return true
}

// tokenBlock hides the values in tokens { agent = "x" } from the brace at p on.
func (s *Scanner) tokenBlock(p int, w want) bool {
	buf := s.buf
	end := min(s.hi, p+800)
	found := false
	for i := p + 1; i < end && buf[i] != '}' && buf[i] != '{'; i++ {
		if buf[i] != '=' {
			continue
		}
		v := nonSpace(buf, i+1, end)
		if v < end && buf[v] == '"' {
			if e := bytes.IndexByte(buf[v+1:end], '"'); e > 0 {
				s.judge(v+1, v+1+e, w, true)
				found = true
				i = v + 1 + e
			}
		}
	}
	return found
}

// result finds what a password generator of Terraform drew: the attribute
// "result" of a random_password that is named before p.
func (s *Scanner) result(p int, w want) {
	end := min(s.hi, p+1600)
	if i := bytes.Index(s.buf[p:end], []byte(`"result"`)); i >= 0 {
		w.rule, w.class = "name-value", keyname.Strong
		s.valueAfter(p+i+7, end, w)
	}
}
