package scan

import (
	"bytes"
	"encoding/base64"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Dialogues and statements that are known by their words: mail,
// directives whose secret stands at the end of a string.

// saslPlain is true for the base64 of NUL, a user, NUL and a password (RFC 4616).
func saslPlain(v []byte) bool {
	var plain [192]byte
	if len(v) > 256 {
		return false
	}
	n, err := base64.RawStdEncoding.Decode(plain[:], v)
	if err != nil || n < 4 || plain[0] != 0 {
		return false
	}
	rest := plain[1:n]
	i := bytes.IndexByte(rest, 0)
	if i < 1 || i+1 == len(rest) {
		return false
	}
	for k, c := range rest {
		if c < 0x20 && k != i || c == 0x7f {
			return false
		}
	}
	return true
}

// answered hides the string at p that was read or sent, where the lines above ask
// for a password.
func (s *Scanner) answered(p int, w want) {
	if above := s.buf[max(s.lo, s.ls-240):s.ls]; !containsFold(above, "assword") && !containsFold(above, "assphrase") {
		return
	}
	buf := s.buf
	p += btoi(p < s.le && buf[p] == 'b')
	n := quoteAt(buf, p, s.le)
	if n == 0 {
		return
	}
	e, _ := closeQuote(buf, p+n, s.le, buf[p:p+n])
	if e < 0 {
		return
	}
	if e-p > 120 || bytes.HasPrefix(buf[p+n:e], []byte("HTTP/")) {
		return // no answer to a prompt
	}
	for e-2 > p+n && buf[e-2] == '\\' && (buf[e-1] == 'n' || buf[e-1] == 'r') {
		e -= 2
	}
	s.judge(p+n, e, w, true)
}

// spoken deals with the words of such a statement, found at pos; the text
// behind them begins at p. False if they are none of these.
func (s *Scanner) spoken(pos, p int, text string, w want) bool {
	buf := s.buf
	switch text {
	case " login ":
		s.imapLogin(pos, w)
	case `read(0, "`, `read(3, "`, `read(4, "`, `read(5, "`, `read(6, "`, `read(7, "`, `read(8, "`, `read(9, "`, "sendline(", "tn.write(", ".send_line(":
		s.answered(pos+len(text)-btoi(text[len(text)-1] == '"'), w)
	case "monitor ", "dns cloudflare ":
		if nonSpace(buf, s.ls, s.le) == pos {
			s.grammatical()
		} else if text[0] == 'd' && s.before(pos, "{ ") {
			s.judge(p, p+len(firstWord(buf[p:s.le])), w, true) // tls { dns cloudflare x }
		}
	case "<auth-user-pass>":
		// two lines of OpenVPN: the user and the password
		e := s.le
		for n := 0; n < 2 && e < s.hi; n++ {
			for p = e + 1; p < s.hi && isBlank(buf[p]); p++ {
			}
			for e = p; e < s.hi && buf[e] != '\n'; e++ {
			}
			if n == 0 && s.Identify && allAccount(buf[p:e]) {
				s.ident(p, e, User)
			}
		}
		if e > p && p < s.hi && buf[p] != '<' {
			s.hideText(p, e-btoi(buf[e-1] == '\r'), w.kind, w.rule)
		}
	case "validcommunities":
		s.registryCommunities()
	case ": admin / ", ": root / ", ": administrator / ":
		// Access to the filer: admin / x
		e := p
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		if v := trimEnd(buf[p:e], ",;."); looksSecret(v) && !isPath(v) {
			s.judge(p, p+len(v), w, true)
		}
	case ":ommysql:", ":ompgsql:":
		// host,database,user,password of rsyslog
		var cols [8]arg
		if n := s.columns(p, s.le, ',', cols[:]); n == 4 {
			s.judge(cols[3].vs, cols[3].ve, w, true)
		}
	case "{plain}", "{cleartext}", "{clear}":
		e := p
		for e < s.le && !isSpace(buf[e]) && buf[e] != ':' && buf[e] != '"' && buf[e] != '\'' {
			e++
		}
		if p == pos+len(text) && e-p > 2 {
			s.judge(p, e, w, true)
		}
	case "access_token$":
		e := p
		for e < s.le && (isAlnum(buf[e]) || buf[e] == '$') {
			e++
		}
		if e-p > 40 {
			s.hide(pos, e, keyname.Token, "braintree-token")
		}
	case " root/", " admin/":
		// ADDRESS root/x
		if b := nonSpace(buf, s.ls, s.le); pos > b && validQuad(buf[b:pos]) {
			if v := buf[p:s.le]; bytes.IndexByte(v, '/') < 0 && bytes.IndexByte(v, ' ') < 0 && looksSecret(v) {
				s.judge(p, s.le, w, true)
				return true
			}
		}
		s.accountSlash(p)
	case "(root, ", "(admin, ", " root / ", " admin / ", "(root / ", "(admin / ":
		s.accountSlash(p)
	case "system/", "=sys/":
		// CONN=system/x@SID of Oracle
		before := byte(' ')
		if pos > s.ls {
			before = buf[pos-1]
		}
		e := p
		for e < s.le && !isSpace(buf[e]) && buf[e] != '@' && buf[e] != '/' && buf[e] != '"' && buf[e] != '\'' {
			e++
		}
		if (text[0] == '=' || before == '=' || before == ' ' || before == '"' || before == '\'') && e+2 < s.le && buf[e] == '@' && (isLetter(buf[e+1]) || buf[e+1] == '/') && e-p > 3 {
			s.judge(p, e, w, true)
		}
	case "u/p: ", "l/p: ", "user/pw ", "login/pw ":
		// u/p: admin/x
		e := p + len(firstWord(buf[p:s.le]))
		if i := bytes.IndexByte(buf[p:e], '/'); i > 1 && s.tellable(buf[p+i+1:e], false) {
			s.judge(p+i+1, e, w, true)
		}
	case ".logon ":
		// .logon SERVER/USER,x of Teradata
		e := p + len(bytes.TrimRight(firstWord(buf[p:s.le]), ";"))
		if i := bytes.IndexByte(buf[p:e], ','); i > 2 && p+i+1 < e {
			s.judge(p+i+1, e, w, true)
		}
	case "&p=":
		s.shortParameter(pos, p)
	case "authserver ":
		// diagnose test authserver radius SERVER mschap2 USER x of FortiGate
		if s.before(pos, "test ") && bytes.Count(bytes.TrimRight(buf[p:s.le], " \r"), []byte{' '}) >= 3 {
			_, last := lastWord(buf[p:s.le])
			e := s.ls + len(bytes.TrimRight(buf[s.ls:s.le], " \t\r"))
			s.judge(e-len(last), e, w, true)
			if rest, name := lastWord(buf[p : e-len(last)]); s.Identify && len(name) > 0 {
				s.addAccount(p+len(rest), p+len(rest)+len(name))
			}
		}
	case "secret-set-value":
		// virsh secret-set-value UUID x
		if b, last := lastWord(buf[p:s.le]); len(last) >= 8 && last[0] != '-' && !isUUID(last) && len(bytes.TrimSpace(b)) > 0 {
			e := s.ls + len(bytes.TrimRight(buf[s.ls:s.le], " \t\r"))
			s.judge(e-len(last), e, w, true)
		}
	case "allow ":
		s.monitUser(pos, p)
	case "= cleartext ", "= des ":
		s.tacacsLogin(pos, p, w)
	case `ident "`:
		if s.before(pos, "cert") {
			s.fielded(pos-len("cert"), text)
		}
	case "set radius server ", "set user ":
		s.fielded(pos, text)
	case "sql_servers":
		s.databases(pos + len(text))
	case ",587 ", ",465 ", ",25 ":
		s.relayLogin()
	case ":authinfo":
		s.newsLogin(pos)
	case "modparam(":
		s.parameter(pos + len(text) - 1)
	case "!subst ", "!substdef ":
		s.substituted(p)
	case "_bind, {":
		s.boundAs(p)
	case "# /etc/", "# /usr/", "# /root/", "# /var/", "# /opt/", "==> /":
		if e := len(bytes.TrimRight(buf[s.ls:s.le], " \t\r<=:")) + s.ls; e > pos {
			s.heading(e, e)
		}
	case "simple: ":
		if above := buf[max(s.lo, s.ls-300):s.ls]; bytes.Contains(above, []byte("authentication: simple")) || bytes.Contains(above, []byte("bindRequest")) {
			s.judge(p, s.le, w, true) // of LDAP, as packets are shown
		}
	case "decrypted: ":
		if s.hasWord("assword") {
			s.judge(p, s.le, w, true)
		}
	case "at+cgauth":
		// AT+CGAUTH=1,1,"user","x" of a modem
		if e := bytes.LastIndexByte(buf[p:s.le], '"'); e > 2 {
			if b := bytes.LastIndexByte(buf[p:p+e], '"'); b > 0 && bytes.Count(buf[p:p+e], []byte{'"'}) >= 3 {
				s.judge(p+b+1, p+e, w, true)
			}
		}
	case "btoa('", `btoa("`:
		if e := bytes.IndexByte(buf[p:s.le], buf[p-1]); e > 2 {
			s.userPair(p, p+e)
		}
	case "334 ugfzc3dvcmq6":
		// The server asks for the password, in base64; the answer is next.
		if s.le-p < 8 {
			s.enter(InNext, keyname.Password, 0, 2, 'b')
		}
	case "basic ":
		s.basic(p)
	case `"jdbc:`:
		s.jdbcLogin(pos)
	case "obf:":
		// what Jetty obfuscates
		e := p
		for e < s.le && (isDigit(buf[e]) || buf[e] >= 'a' && buf[e] <= 'z') {
			e++
		}
		if e-p >= 8 && string(buf[pos:pos+4]) == "OBF:" && buf[p] == '1' {
			s.judge(p, e, w, true)
		}
	case "enc(":
		// what Jasypt and Artemis encrypt
		e := p
		for e < s.le && (isAlnum(buf[e]) || buf[e] == '+' || buf[e] == '/' || buf[e] == '=' || buf[e] == ':') {
			e++
		}
		if e-p >= 16 && e < s.le && buf[e] == ')' && string(buf[pos:pos+4]) == "ENC(" {
			s.judge(p, e, w, true)
		}
	case "usmuser ":
		// the keys of a user, as snmpd keeps them
		for f := range bytes.FieldsSeq(buf[p:s.le]) {
			if len(f) >= 34 && f[0] == '0' && f[1] == 'x' && hexOnly(f[2:]) {
				at := p + bytes.Index(buf[p:s.le], f)
				s.judge(at, at+len(f), w, true)
			}
		}
	case "stonith_host ":
		if f := bytes.Fields(buf[p:s.le]); len(f) >= 5 {
			s.judge(s.le-len(f[len(f)-1]), s.le, w, true)
		}
	case "` / `":
		s.loginWords(pos, p)
	case "authenticate(":
		// the number that a caller has to dial
		e := p
		for e < s.le && isDigit(buf[e]) {
			e++
		}
		if e-p >= 3 && e < s.le && (buf[e] == ')' || buf[e] == ',') {
			s.judge(p, e, w, true)
		}
	case "rename-command ":
		for p < s.le && !isSpace(buf[p]) {
			p++
		}
		if p = nonSpace(buf, p, s.le); p < s.le && looksSecret(buf[p:s.le]) {
			s.value(p, w)
		}
	case `sensitive"`:
		s.sensitive(pos, p)
	case `shutdown="`:
		if e := bytes.IndexByte(buf[p:s.le], '"'); e > 0 && s.hasWord("<Server ") && string(buf[p:p+e]) != "SHUTDOWN" {
			s.judge(p, p+e, w, true)
		}
	case ` c="`:
		// the community of SNMP in what tcpdump shows
		if e := bytes.IndexByte(buf[p:s.le], '"'); e > 0 && pos+2 < s.le && buf[pos+1] == 'C' && snmpMessage(buf[p+e:s.le]) {
			w.kind = keyname.Community
			s.judge(p, p+e, w, true)
		}
	case "sapcontrol ":
		// -user NAME PASSWORD
		if i := bytes.Index(buf[p:s.le], []byte("-user ")); i >= 0 {
			if f := bytes.Fields(buf[p+i : s.le]); len(f) > 2 && f[2][0] != '-' {
				at := p + i + len("-user ")
				at += bytes.Index(buf[at:s.le], f[1]) + len(f[1])
				s.value(at, w)
			}
		}
	case "?code=", "&code=":
		s.grantCode(p)
	case "connect target ", "connect catalog ", "connect auxiliary ", "connect sys", "connect scott", "connect rman", "connect app", "connect dba", "connect admin":
		s.oracleConnect(pos, pos+len("connect "))
	case "\tresp=":
		e := p
		for e < s.le && buf[e] != '\t' {
			e++
		}
		s.hideText(p, e, keyname.Password, "phrase")
	case "link_md5 ", "client_send":
		s.lastWord(p, w)
	case "sqlconnectinfo ":
		// NAME@HOST USER PASSWORD
		if f := bytes.Fields(buf[p:s.le]); len(f) >= 3 {
			at := p + bytes.Index(buf[p:s.le], f[0]) + len(f[0])
			at += bytes.Index(buf[at:s.le], f[1]) + len(f[1])
			s.value(at, w)
		}
	case "linkedsrvlogin":
		var cols [8]arg
		if n := s.columns(p, s.le, ',', cols[:]); n > 2 {
			s.judge(cols[n-1].vs, cols[n-1].ve, w, true)
		}
	default:
		return false
	}
	return true
}

// monitUser takes the password in: allow NAME:x of Monit, whose server was set
// up in the lines above.
func (s *Scanner) monitUser(pos, p int) {
	buf := s.buf
	e := p
	for e < s.le && !isSpace(buf[e]) {
		e++
	}
	i := bytes.IndexByte(buf[p:e], ':')
	quoted := 0
	if v := p + i + 1; i > 0 && quoteAt(buf, v, s.le) == 1 {
		if n := bytes.IndexByte(buf[v+1:s.le], buf[v]); n > 0 {
			e, quoted = v+n+2, 1
		}
	}
	if nonSpace(buf, s.ls, s.le) != pos || i < 1 || i+2 >= e-p || !isIdent(buf[p:p+i]) || isNumber(buf[p+i+1:e]) || !bytes.Contains(buf[max(s.lo, s.ls-400):s.ls], []byte("httpd")) {
		return
	}
	if s.Identify {
		s.addAccount(p, p+i)
	}
	s.hideText(p+i+1+quoted, e-quoted, keyname.Password, "user-password")
}

// registryCommunities hides the names of the values below the key of the
// registry that this line names: "public"=dword:00000004.
func (s *Scanner) registryCommunities() {
	buf := s.buf
	for p := s.le + 1; p < s.hi; {
		for p < s.hi && isBlank(buf[p]) {
			p++
		}
		e := p
		for e < s.hi && buf[e] != '\n' {
			e++
		}
		l := buf[p:e]
		n, q := bytes.Index(l, []byte("\"=dword:")), 1
		if n < 0 {
			n, q = bytes.Index(l, []byte("    REG_DWORD")), 0
		}
		if n < 1 || q == 1 && l[0] != '"' {
			return
		}
		s.hideText(p+q, p+n, keyname.Community, "registry")
		p = e
	}
}

// snmpMessage is true where the name of a message of SNMP follows.
func snmpMessage(v []byte) bool {
	v = v[:min(len(v), 24)]
	for _, t := range []string{"Get", "Set", "Trap", "Inform", "Report", "V2Trap"} {
		if i := bytes.Index(v, []byte(t)); i > 0 && i < 4 {
			return true
		}
	}
	return false
}

// imapLogin reads: a001 LOGIN user password.
func (s *Scanner) imapLogin(pos int, w want) {
	buf := s.buf
	if string(buf[pos:pos+7]) != " LOGIN " {
		return
	}
	b, digits := pos, 0
	for b > s.ls && (isAlnum(buf[b-1]) || buf[b-1] == '.') && pos-b < 12 {
		b--
		digits += btoi(isDigit(buf[b]))
	}
	if b == pos || digits == 0 || b > s.ls && isKeyChar(buf[b-1]) {
		return
	}
	args := &s.args
	ls, le := s.ls, s.le
	if i := bytes.Index(buf[pos:le], []byte(`\r\n`)); i > 0 {
		s.le = pos + i
	}
	s.ls = pos + 7
	n := s.split(args)
	s.ls, s.le = ls, le
	if n == 2 && (b == s.ls || pos-b >= 2) {
		if s.Identify {
			s.accountArg(args[0])
		}
		s.judge(args[1].vs, args[1].ve, w, true)
	}
}

// lastWord hides the last word of the value at p that is no variable:
// secure_link_md5 "$expires$uri secret", client_send = : user : password.
func (s *Scanner) lastWord(p int, w want) {
	buf := s.buf
	for p < s.le && (isSpace(buf[p]) || buf[p] == '=') {
		p++
	}
	e := s.le
	if n := quoteAt(buf, p, s.le); n > 0 {
		p += n
		if c := bytes.IndexByte(buf[p:e], buf[p-1]); c >= 0 {
			e = p + c
		}
	}
	for e > p && (isSpace(buf[e-1]) || buf[e-1] == ';') {
		e--
	}
	b := e
	for b > p && !isSpace(buf[b-1]) && buf[b-1] != '^' && buf[b-1] != ':' {
		b--
	}
	if b > p && b < e && buf[b] != '$' {
		s.judge(b, e, w, true)
	}
}

// dumped hides the bytes in: PSK (from config) - hexdump(len=32): a1 b2 c3.
func (s *Scanner) dumped(p int, w want) bool {
	i := bytes.Index(s.buf[p:s.le], []byte("hexdump(len="))
	if i < 0 {
		return false
	}
	p += i
	if i = bytes.Index(s.buf[p:s.le], []byte("): ")); i < 0 {
		return false
	}
	p += i + 3
	e := p
	for e < s.le && (isHex(s.buf[e]) || s.buf[e] == ' ') {
		e++
	}
	if e-p < 24 {
		return true
	}
	s.hideText(p, e, w.kind, "hexdump")
	return true
}

// sentWord is true for PASS in what a program was seen to send:
// write(3, "PASS x\r\n"), also behind what it sent before: "USER y\r\nPASS x\r\n".
func (s *Scanner) sentWord(ks, sep int, w want) bool {
	buf := s.buf
	if string(w.key) != "PASS" || ks == s.ls {
		return false
	}
	later := ks-s.ls > 2 && buf[ks-1] == 'n' && buf[ks-2] == '\\'
	if !later && buf[ks-1] != '"' && buf[ks-1] != '\'' {
		return false
	}
	e := bytes.IndexByte(buf[sep:s.le], '\\')
	if e < 1 || sep+e+1 >= s.le || buf[sep+e+1] != 'r' && buf[sep+e+1] != 'n' || !later && bytes.IndexByte(buf[sep:sep+e], buf[ks-1]) >= 0 {
		return false
	}
	w.kind, w.rule = keyname.Password, "directive"
	s.judge(sep, sep+e, w, true)
	return true
}

// sentLine is true for PASS in what a client of FTP or POP said: Request: PASS x.
func (s *Scanner) sentLine(ks, sep int, w want) bool {
	if string(w.key) != "PASS" || bytes.IndexByte(s.buf[sep:s.le], ' ') >= 0 {
		return false
	}
	before := trimEnd(s.buf[s.ls:ks], " \t")
	if above := s.buf[max(s.lo, s.ls-400):s.ls]; !bytes.Contains(before, []byte("Request")) && !bytes.Contains(before, []byte("Flags [")) && !bytes.Contains(above, []byte("USER ")) {
		return false
	}
	if n := len(before); n > 0 && before[n-1] != ':' && before[n-1] != '>' && before[n-1] < 0x80 && before[n-1] != ']' {
		return false
	}
	w.kind, w.rule = keyname.Password, "directive"
	s.judge(sep, s.le, w, true)
	return true
}

// bootLoader is true for the two words behind "password" in the configuration
// of GRUB, which names its users before.
func (s *Scanner) bootLoader(ks, sep int, w want) bool {
	if !s.startsLine(ks) || !foldIs(w.key, "password") || !bytes.Contains(s.buf[max(s.lo, s.ls-800):s.ls], []byte("superusers")) {
		return false
	}
	f := bytes.Fields(s.buf[sep:s.le])
	if len(f) != 2 {
		return false
	}
	at := sep + len(f[0]) + bytes.Index(s.buf[sep+len(f[0]):s.le], f[1])
	w.rule = "directive"
	s.judge(at, at+len(f[1]), w, true)
	return true
}
