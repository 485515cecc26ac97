package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/encoding"
	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// phrase deals with the words of programs behind which a secret stands.
func (s *Scanner) phrase(pos int, text string) {
	buf := s.buf
	w := want{class: keyname.Strong, kind: keyname.Password, rule: "phrase"}
	p := nonSpace(buf, pos+len(text), s.le)
	if text == " login " && s.Identify {
		if e := s.wordAt(p); bytes.HasPrefix(buf[e:s.le], []byte(" password ")) || s.before(pos, "create") || s.before(pos, "alter") || s.before(pos, "drop") {
			s.addAccount(p, e)
		}
	}
	if s.spoken(pos, p, text, w) {
		return
	}
	switch text {
	case "\ttrue\t/", "\tfalse\t/":
		s.jar()
	case "@10.", "@192.168.", "@172.":
		s.loginAt(pos)
	case "log in with ", "login with ", "logged in with ", "logging in with ":
		s.loginWith(p)
	case "login as ", "log in as ", "logged in as ", "connect as ":
		s.loginAs(p)
	case " p: ":
		// u: root p: x
		if from := max(s.ls, pos-48); userBefore(buf[from:pos]) {
			e := p
			for e < s.le && !isSpace(buf[e]) {
				e++
			}
			b, e, _ := unquoted(buf, p, e)
			s.judge(b, e, w, true)
		}
	case ":1521":
		// user/password@host:1521/service
		b := pos
		for b > s.ls && pos-b < 120 && !isSpace(buf[b-1]) && buf[b-1] != '"' && buf[b-1] != '\'' && buf[b-1] != '=' {
			b--
		}
		if at := bytes.LastIndexByte(buf[b:pos], '@'); at > 0 && !bytes.Contains(buf[b:pos], []byte("://")) {
			if i := bytes.IndexByte(buf[b:b+at], '/'); i > 0 && allAccount(buf[b:b+i]) && at-i > 3 {
				s.judge(b+i+1, b+at, w, true)
			}
		}
	case "<arguments>":
		s.taskArguments(pos, p)
	case "securestring ":
		if i := bytes.LastIndexByte(buf[s.ls:pos], '|'); i > 2 && pos-s.ls-i < 20 {
			// "secret" | ConvertTo-SecureString
			e := s.ls + i
			for e > s.ls && buf[e-1] == ' ' {
				e--
			}
			if e-s.ls > 2 && (buf[e-1] == '"' || buf[e-1] == '\'') {
				if b := bytes.LastIndexByte(buf[s.ls:e-1], buf[e-1]); b >= 0 {
					s.judge(s.ls+b+1, e-1, w, true)
					return
				}
			}
		}
		if p+1 < s.le && buf[p] == '-' && buf[p+1] == '-' {
			return // aws ssm put-parameter --type SecureString --value x
		}
		// ConvertTo-SecureString [-String] "secret" -AsPlainText
		for n := 0; n < 4 && p+2 < s.le && buf[p] == '-' && isLetter(buf[p+1]); n++ {
			for p < s.le && !isSpace(buf[p]) {
				p++
			}
			p = nonSpace(buf, p, s.le)
		}
		if p+1 == s.le && buf[p] == '`' && !s.State.open() {
			s.enter(InNext, w.kind, 0, 1, 0)
			return
		}
		e := p
		for e < s.le && !isSpace(buf[e]) && buf[e] != ')' {
			e++
		}
		if quoteAt(buf, p, s.le) > 0 {
			s.value(p, w)
		} else if p < e && buf[p] != '$' && buf[p] != '(' && looksSecret(buf[p:e]) {
			s.judge(p, e, w, true)
		}
	case "eap \"":
		p--
		if s.Identify && s.before(pos, " : ") {
			s.accountAt(nonSpace(buf, s.ls, pos), ' ')
		}
		if quoteAt(buf, p, s.le) > 0 {
			s.value(p, w)
		}
	case "trapsink ", "trap2sink ", "informsink ":
		w.kind = keyname.Community
		for p < s.le && !isSpace(buf[p]) {
			p++
		}
		p = nonSpace(buf, p, s.le)
		e := p
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		if p < e && buf[p] != '#' && buf[p] != '-' {
			s.judge(p, e, w, true)
		}
	case "inguser ":
		// incominguser NAME PASSWORD of an iSCSI target
		f := bytes.Fields(buf[p:s.le])
		if b := nonSpace(buf, s.ls, s.le); len(f) == 2 && b+len(text) <= p && pos-b <= 5 {
			if s.Identify {
				s.addAccount(p, p+len(f[0]))
			}
			at := p + len(f[0]) + bytes.Index(buf[p+len(f[0]):s.le], f[1])
			s.judge(at, at+len(f[1]), w, true)
		}
	case "sp_addlogin":
		var cols [8]arg
		if n := s.columns(p, s.le, ',', cols[:]); n > 1 {
			s.judge(cols[1].vs, cols[1].ve, w, true)
		}
	case ": rsa ":
		// : RSA key.pem "passphrase" of IPsec
		for p < s.le && !isSpace(buf[p]) {
			p++
		}
		if p = nonSpace(buf, p, s.le); quoteAt(buf, p, s.le) > 0 {
			s.value(p, w)
		}
	case "register =>":
		// user:password@host of Asterisk
		if at := bytes.LastIndexByte(buf[p:s.le], '@'); at > 0 {
			s.userPair(p, p+at)
		}
	case "%^%#", "%@%@":
		// what Huawei's devices encrypt stands between such marks
		if e := bytes.Index(buf[p:s.le], []byte(text)); e > 4 && pos == p-len(text) {
			s.judge(p, p+e, w, true)
		}
	case " cipher ", " simple ":
		e := p
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		if before := buf[s.ls:pos]; e >= s.le && e-p >= 4 && (containsFold(before, "authentication") || containsFold(before, "password") || containsFold(before, "key") || containsFold(before, "community")) {
			s.judge(p, e, w, true)
		}
	case "login incorrect", "login ok":
		// [user/password] of FreeRADIUS
		if b := bytes.IndexByte(buf[p:s.le], '['); b >= 0 {
			if e := bytes.IndexByte(buf[p+b:s.le], ']'); e > 0 {
				if i := bytes.IndexByte(buf[p+b:p+b+e], '/'); i > 0 && buf[p+b+i+1] != '<' && string(buf[p+b:p+b+i]) != "[host" {
					s.judge(p+b+i+1, p+b+e, w, true)
					if s.Identify {
						s.whomArg(p+b+1, p+b+i)
					}
				}
			}
		}
	case "sql> ":
		// connect user/password@service
		if s.le-p > 8 && foldEqual(buf[p:p+5], "conn"+string(buf[p+4:p+5])) {
			args := &s.args
			ls := s.ls
			s.ls = p
			n := s.split(args)
			s.ls = ls
			s.oracle(args[1:max(1, n)], false)
		} else if s.le-p > 3 && buf[p] == '@' {
			// @script user/password@service
			args := &s.args
			ls := s.ls
			s.ls = p
			n := s.split(args)
			s.ls = ls
			s.oracle(args[min(1, n):n], false)
		}
	case "key content":
		if p < s.le && buf[p] == ':' {
			s.value(p+1, w)
		}
	case "[root/", "[admin/":
		if e := bytes.IndexByte(buf[p:s.le], ']'); e > 0 && bytes.IndexByte(buf[p:p+e], ' ') < 0 && bytes.IndexByte(buf[p:p+e], '/') < 0 {
			s.judge(p, p+e, w, true)
		}
	case "unseal key ", "recovery key ":
		// Unseal Key 1: x
		for p < s.le && isDigit(buf[p]) {
			p++
		}
		if p < s.le && buf[p] == ':' {
			w.kind = keyname.APIKey
			s.value(p+1, w)
		}
	case "@pam!", "@pve!", "@pbs!":
		// a token of Proxmox: user@realm!name and its UUID
		for p < s.le && isKeyChar(buf[p]) {
			p++
		}
		for p < s.le && (isSpace(buf[p]) || buf[p] == '=' || buf[p] == ':') {
			p++
		}
		if p+36 <= s.le && isUUID(buf[p:p+36]) {
			s.hide(p, p+36, keyname.Token, w.rule)
		}
	case "verification code", "one-time code", "security code", "authentication code", "login code", "one time code", "mfa code", "2fa code", "otp code", "unlock code",
		"sperrcode", "freischaltcode", "sicherheitscode", "tigungscode", "einmalcode", "zugangscode", "v\u00e9rification", "verrouillage", "d'acc\u00e8s", "digo de verificaci\u00f3n", "digo de desbloqueo", "digo de acceso", "tan lautet", "di sblocco", "di verifica", "di accesso", "pairing code", "access code":
		if c := text[0]; (c != 'v' || text == "verification code") && c != 'd' || s.before(pos, "code de ") || s.before(pos, "code de d\u00e9") || s.before(pos, "code ") || s.before(pos, "codice ") || s.before(pos, "c\u00f3") {
			if text == "tan lautet" {
				p = pos + len("tan ")
			}
			s.onceCode(p)
			s.codeBefore(pos)
		}
	case "totp seed":
		s.seed(p)
	case "serv identify ":
		// /msg NickServ IDENTIFY x
		e := p
		for e < s.le && !isSpace(buf[e]) && buf[e] != '"' && buf[e] != '\'' {
			e++
		}
		if n := nonSpace(buf, e, s.le); n < s.le && isAlnum(buf[n]) {
			p = n // the account comes first
			for e = p; e < s.le && !isSpace(buf[e]) && buf[e] != '"' && buf[e] != '\''; e++ {
			}
		}
		if e > p && buf[p] != '<' {
			s.judge(p, e, w, true)
		}
	case ":pserver:":
		// /1 :pserver:anna@host:2401/root Ax of CVS
		if i := bytes.LastIndexByte(buf[p:s.le], ' '); i > 0 && p+i+3 < s.le && buf[p+i+1] == 'A' {
			s.judge(p+i+1, s.le, w, true)
		}
	case "mk dump:":
		s.volumeKey(p)
	case "master>{":
		// <master>{x}</master> of Maven
		if e := bytes.IndexByte(buf[p:s.le], '}'); e > 20 {
			s.judge(p, p+e, w, true)
		}
	case "'digest,'":
		// an ACL that ZooKeeper shows: 'digest,'user:x
		if i := bytes.IndexByte(buf[p:s.le], ':'); i > 0 {
			s.hideText(p+i+1, s.le, w.kind, w.rule)
		}
	case ")  (0x":
		// a key that klist -K shows
		e := p
		for e < s.le && isHex(buf[e]) {
			e++
		}
		if e-p >= 16 && e < s.le && buf[e] == ')' {
			s.hide(p, e, keyname.APIKey, w.rule)
		}
	case "new value:":
		// what elasticsearch-reset-password drew, below what it says of the account
		if above := buf[max(s.lo, s.ls-200):s.ls]; containsFold(above, "password for ") || containsFold(above, "password of ") {
			s.judge(p, s.le, w, true)
		}
	case "\"assword", "*assword", "]assword", " assword", "{assword":
		s.expected(pos)
	default:
		// (root/secret) behind the name of a machine
		e := p
		for e < s.le && buf[e] != ')' && !isSpace(buf[e]) {
			e++
		}
		if e < s.le && buf[e] == ')' && looksSecret(buf[p:e]) {
			s.judge(p, e, w, true)
		}
	}
}

// volumeKey hides the key that cryptsetup luksDump shows in pairs of hex digits,
// from p on and over the lines below.
func (s *Scanner) volumeKey(p int) {
	for range 5 {
		e := p
		for e < s.hi && (isHex(s.buf[e]) || s.buf[e] == ' ') {
			e++
		}
		if e-p < 23 || e < s.hi && s.buf[e] != '\n' && s.buf[e] != '\r' {
			return
		}
		s.hide(p, p+len(trimEnd(s.buf[p:e], " ")), keyname.APIKey, "phrase")
		for e < s.hi && isBlank(s.buf[e]) {
			e++
		}
		p = e
	}
}

// expected hides what a script of expect sends after it has seen a prompt.
func (s *Scanner) expected(pos int) {
	end := min(s.hi, pos+240)
	if !containsFold(s.buf[max(s.lo, pos-80):pos], "expect") && !bytes.Contains(s.buf[pos:end], []byte("send")) {
		return
	}
	i := bytes.Index(s.buf[pos:end], []byte("send"))
	if i < 0 {
		return
	}
	p := pos + i + 4
	for p < end && s.buf[p] != '"' && s.buf[p] != '{' && s.buf[p] != '\n' {
		p++
	}
	if p >= end || s.buf[p] == '\n' {
		return
	}
	e := p + 1
	for e < end && s.buf[e] != '"' && s.buf[e] != '}' && s.buf[e] != '\n' && !(s.buf[e] == '\\' && e+1 < end && (s.buf[e+1] == 'r' || s.buf[e+1] == 'n')) {
		e++
	}
	s.hideText(p+1, e, keyname.Password, "expect")
}

// escapedLetter is true where a letter stands as %70 or &#112;.
func escapedLetter(buf []byte, i, end int) bool {
	if i+3 > end {
		return false
	}
	switch buf[i] {
	case '%':
		return buf[i+1] >= '4' && buf[i+1] <= '7' && isHex(buf[i+2]) && isLetter(buf[i+1]<<4|hexDigit(buf[i+2]))
	case '&':
		return buf[i+1] == '#'
	}
	return false
}

func hexDigit(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&7 + 9
}

// escapeAt returns the length of an escaped letter at i, or 0.
func escapeAt(buf []byte, i, end int) int {
	if !escapedLetter(buf, i, end) {
		return 0
	}
	if buf[i] == '%' {
		return 3
	}
	if n := bytes.IndexByte(buf[i:min(end, i+8)], ';'); n > 2 {
		return n + 1
	}
	return 0
}

// codedKey deals with names such as %70assword and pass&#119;ord; pos is at the
// escape.
func (s *Scanner) codedKey(pos int) {
	if pos < s.keyEnd {
		return
	}
	buf := s.buf
	if escapeAt(buf, pos, s.le) == 0 {
		return
	}
	ks := pos
	for ks > s.ls && isKeyChar(buf[ks-1]) && pos-ks < 64 {
		ks--
	}
	ke := pos
	for ke < s.le && ke-pos < 96 {
		if n := escapeAt(buf, ke, s.le); n > 0 {
			ke += n
		} else if isKeyChar(buf[ke]) {
			ke++
		} else {
			break
		}
	}
	var plain [192]byte
	class, kind := s.classify(encoding.AppendUnescaped(plain[:0], buf[ks:ke]))
	if class < keyname.Weak {
		return
	}
	s.keyEnd = ke
	s.after(ks, ke, class, kind)
}

// userBefore is true if v ends in u: and a name.
func userBefore(v []byte) bool {
	i := bytes.LastIndex(v, []byte(": "))
	if i < 1 {
		return false
	}
	b := i
	for b > 0 && isLetter(v[b-1]) {
		b--
	}
	name := bytes.Trim(v[i+2:], " ,;/")
	return len(name) > 1 && allAccount(name) && shortUser.has(v[b:i])
}

// shortUser are what people write in front of the name of an account.
var shortUser = listOf("u", "l", "usr", "user", "login", "acc", "acct", "account", "username", "un", "id")
