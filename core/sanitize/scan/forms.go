package scan

import (
	"bytes"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/encoding"
	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// form is a format of lines with fields but without names of keys.
type form uint8

const (
	formText   form = iota
	formPgpass      // host:port:database:user:password
	formChap        // client server secret addresses
	formRelay       // host user:password
	formUsers       // user:password
	formToken       // nothing but a secret
	formTime        // number type key
	formDav         // place user password
	formPairs       // "user" "password"
	formShared      // peer secret
	formExim        // host:user:password
	formVoice       // number => pin,name,mail
	formRoles       // user = password,roles
	formJMX         // role password
	formSecond      // user password addresses
)

// formOf tells the format from the name of a file.
func formOf(name string) form {
	if strings.HasSuffix(name, "/mail/secrets") {
		return formRelay
	}
	if strings.HasSuffix(name, "davfs2/secrets") || strings.HasSuffix(name, ".davfs2/secrets") {
		return formDav
	}
	if i := strings.LastIndexAny(name, `/\\`); i >= 0 {
		name = name[i+1:]
	}
	switch name {
	case "userlist.txt":
		return formPairs
	case ".pgpass", "pgpass", "pgpass.conf":
		return formPgpass
	case "chap-secrets", "pap-secrets", "l2tp-secrets":
		return formChap
	case "mpd.secret":
		return formSecond
	case "psk.txt":
		return formShared
	case "passwd.client":
		return formExim
	case "users.properties", "artemis-users.properties", "realm.properties", "jetty-realm.properties", "login.properties":
		return formRoles
	case "jmxremote.password":
		return formJMX
	case "authkeys":
		return formTime
	case "voicemail.conf":
		return formVoice
	case "chrony.keys", "ntp.keys":
		return formTime
	case "sasl_passwd", "sasl-passwd", "saslpasswd", "sasl_password", "sasl_passwords", "relay_passwd", "relay_password", "smtp_passwd", "smtp_auth", "smarthost_passwd":
		return formRelay
	case "rsyncd.secrets", "mosquitto.passwd", "passwd.dovecot", "dovecot.passwd", "ftpd.passwd", "users.passwd", "ipa.passwd", ".htpasswd", "htpasswd", ".vnc_passwd", "exim.passwd", ".git-credentials", "pcp.conf", ".pcppass":
		return formUsers
	case ".vault-token", ".vault_pass", ".vault_pass.txt", "auth.txt", ".cifs-token", "master.key", ".erlang.cookie", "id_token":
		return formToken
	}
	if (strings.HasSuffix(name, ".pw") || strings.HasSuffix(name, ".secret")) && len(name) < 40 && !strings.Contains(name, " ") {
		return formToken
	}
	if strings.HasSuffix(name, ".psk") && len(name) < 40 {
		return formToken
	}
	return formText
}

// fields hides the secret field of a line.
func (s *Scanner) fields() {
	line := s.buf[s.ls:s.le]
	if len(line) == 0 || line[0] == '#' {
		return
	}
	switch s.form {
	case formPgpass:
		s.pgpass()
	case formChap:
		f := bytes.Fields(line)
		if len(f) >= 3 {
			from := bytes.Index(line, f[0]) + len(f[0])
			if s.Identify {
				at := s.ls + from - len(f[0])
				s.accountAt(at+quoteAt(s.buf, at, s.le), 0)
			}
			from += bytes.Index(line[from:], f[1]) + len(f[1])
			s.value(s.ls+from, want{class: keyname.Strong, kind: keyname.Password, rule: "password-file"})
		}
	case formDav:
		args := &s.args
		if n := s.split(args); n == 3 {
			s.judge(args[2].vs, args[2].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "password-file"}, true)
		}
	case formPairs:
		args := &s.args
		if n := s.split(args); n >= 2 && args[0].vs > args[0].start && args[1].vs > args[1].start {
			s.judge(args[1].vs, args[1].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "password-file"}, true)
		}
	case formRelay:
		if sp := bytes.IndexAny(line, " \t"); sp > 0 {
			s.userPair(nonSpace(s.buf, s.ls+sp, s.le), s.le)
		}
	case formUsers:
		if i := bytes.IndexByte(line, ':'); i > 0 && !bytes.Contains(line, []byte("://")) {
			s.hideText(s.ls+i+1, s.le, keyname.Password, "password-file")
		}
	case formShared:
		args := &s.args
		if n := s.split(args); n == 2 {
			s.judge(args[1].vs, args[1].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "password-file"}, true)
		} else if n == 1 { // of stunnel
			s.userPair(args[0].start, s.le)
		}
	case formSecond:
		args := &s.args
		n := s.split(args)
		if n > 1 && s.Identify {
			s.addAccount(args[0].vs, args[0].ve)
		}
		if n > 1 && !bytes.HasPrefix(s.text(args[1]), []byte("!")) {
			s.judge(args[1].vs, args[1].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "password-file"}, true)
		}
	case formExim:
		if i := bytes.LastIndexByte(line, ':'); i > 0 && bytes.Count(line, []byte{':'}) >= 2 {
			s.hideText(s.ls+i+1, s.le, keyname.Password, "password-file")
		}
	case formRoles:
		if i := bytes.IndexAny(line, "=:"); i > 0 && !bytes.HasPrefix(line, []byte("_g_")) { // a group of Karaf
			p := nonSpace(s.buf, s.ls+i+1, s.le)
			e := p
			for e < s.le && s.buf[e] != ',' {
				e++
			}
			s.hideText(p, e, keyname.Password, "password-file")
		}
	case formJMX:
		if f := bytes.Fields(line); len(f) == 2 {
			s.hideText(s.ls+len(f[0]), s.le, keyname.Password, "password-file")
		}
	case formVoice:
		s.mailbox()
	case formTime:
		s.timeKey()
	case formToken:
		if line[0] == '[' && line[len(line)-1] == ']' {
			s.form = formText // sections and settings, as those of iwd
			return
		}
		if i := bytes.IndexByte(line, '='); i > 0 {
			if class, _ := s.classify(line[:i]); class == keyname.Strong {
				return // the name was told
			}
		}
		s.hideText(s.ls, s.le, keyname.Token, "token-file")
	}
}

// pgpass hides the last field of host:port:database:user:password.
func (s *Scanner) pgpass() {
	p := s.ls
	if p < s.le && s.buf[p] == '#' {
		p = nonSpace(s.buf, p+1, s.le)
	}
	start, user := p, [2]int{}
	for field := 0; field < 4; field++ {
		i := bytes.IndexByte(s.buf[p:s.le], ':')
		if i <= 0 || bytes.IndexByte(s.buf[p:p+i], ' ') >= 0 {
			return
		}
		if f := s.buf[p : p+i]; field == 1 && !(isNumber(f) && len(f) <= 5 || string(f) == "*") {
			return
		}
		if field == 3 {
			user = [2]int{p, p + i}
		}
		p += i + 1
	}
	if s.Identify && (s.form == formPgpass || onlyEscaped(s.buf[p:s.le], ':')) {
		s.addAccount(user[0], user[1])
	}
	if p < s.le && p > start && (s.form == formPgpass || onlyEscaped(s.buf[p:s.le], ':')) {
		s.hideText(p, s.le, keyname.Password, "password-file")
	}
}

// mailbox hides the number that opens a mailbox of Asterisk:
// 2001 => 8841,Anna Berg,anna@example.com.
func (s *Scanner) mailbox() {
	p := nonSpace(s.buf, s.ls, s.le)
	e := p
	for e < s.le && isDigit(s.buf[e]) {
		e++
	}
	v := e + len(" => ")
	if e-p < 2 || v >= s.le || string(s.buf[e:v]) != " => " {
		return
	}
	v += btoi(s.buf[v] == '-') // the owner cannot change it
	for e = v; e < s.le && isDigit(s.buf[e]); {
		e++
	}
	if e-v >= 3 && e+1 < s.le && s.buf[e] == ',' && !isDigit(s.buf[e+1]) {
		s.hide(v, e, keyname.Password, "mailbox")
	}
}

// onlyEscaped is true if every c in v stands behind a backslash.
func onlyEscaped(v []byte, c byte) bool {
	for i := range v {
		if v[i] == c && (i == 0 || v[i-1] != '\\') {
			return false
		}
	}
	return true
}

// relay hides the password of a line of Postfix's sasl_passwd.
func (s *Scanner) relay(pos int) {
	if s.buf[pos] == ' ' {
		s.mailbox()
		return
	}
	if s.buf[pos] != ']' {
		return
	}
	if sp := bytes.LastIndexAny(s.buf[pos:s.le], " \t"); sp > 0 {
		if s.buf[s.ls] == '[' { // what is behind the host is all one
			sp = bytes.IndexAny(s.buf[pos:s.le], " \t")
		}
		s.userPair(nonSpace(s.buf, pos+sp, s.le), s.le)
	}
}

// escapedKey deals with JSON names such as "pass\\u0077ord".
func (s *Scanner) escapedKey(pos int) {
	if pos < s.keyEnd {
		return
	}
	buf := s.buf
	ks := pos
	for ks > s.ls && (isKeyChar(buf[ks-1]) || buf[ks-1] == '\\') && pos-ks < 64 {
		ks--
	}
	ke := pos
	for ke < s.le && (isKeyChar(buf[ke]) || buf[ke] == '\\' && ke+1 < s.le && buf[ke+1] == 'u') && ke-pos < 64 {
		ke++
	}
	var plain [160]byte
	class, kind := s.classify(encoding.AppendJSON(plain[:0], buf[ks:ke]))
	if class < keyname.Weak {
		return
	}
	s.keyEnd = ke
	s.after(ks, ke, class, kind)
}
