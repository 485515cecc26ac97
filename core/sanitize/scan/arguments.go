package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Program text passes credentials by position: SetBasicAuth("user", "secret").
// Which argument is the secret depends on what is called. Only literals count;
// names of variables stay.

// callee says where a function has its secret.
type callee struct {
	name string // how its name ends, in lower case
	at   int    // the argument, from 0
	two  int    // the same when there are two arguments only; -1 for none
}

var callees = []callee{
	{"oracle.connect", 1, 1}, {"oracledb.connect", 1, 1}, {"oci_connect", 1, 1}, {"keyring.set_password", 2, -1}, {"createcredential", 2, -1}, {"create_credential", 2, -1}, {"set_authentication", 2, -1}, {"addidentity", 1, 1}, {"signwith", 1, 1}, {"sequelize", 2, -1}, {"createcipheriv", 1, 1}, {"createcipher", 1, 1}, {"createhmac", 1, 1}, {"hash_hmac", 2, -1}, {"openssl_encrypt", 2, -1}, {"openssl_decrypt", 2, -1}, {"aes.encrypt", 1, 1}, {"aes.decrypt", 1, 1}, {"create_user", 2, -1}, {"bcrypt.hash", 0, 0}, {"bcrypt.hashpw", 0, 0}, {"password_hash", 0, 0}, {"create_superuser", 2, -1}, {"certificate2", 1, 1}, {"createasync", 1, 1}, {"rfc2898derivebytes", 0, 0}, {"userpassword", 1, 1}, {"wifi.begin", 1, 1}, {"softap", 1, 1}, {"userauth_password", 2, -1}, {"ldap_simple_bind_s", 2, -1}, {"username_pw_set", 2, 1}, {"passwd_cb_userdata", 1, 1}, {"authorization_basic", 1, 1}, {"comparehashandpassword", 1, 1}, {"generatefrompassword", 0, 0}, {"password_hash", 0, 0}, {"credentials::new", 1, 1}, {"hmac.new", 0, 1}, {"crypt.compare", 0, 0}, {"crypt.comparesync", 0, 0}, {"crypt.hash", 0, 0}, {"crypt.hashsync", 0, 0}, {"crypt.hashpw", 0, 0}, {"crypt.checkpw", 0, 0},
	{"basicauth", 1, 1}, {"basic_auth", 1, 1}, {"digestauth", 1, 1}, {"digest_auth", 1, 1}, {"plainauth", 2, -1}, {"tokens.basic", 1, 1}, {".auth", 1, 1}, {"auth", 1, 1}, {"credentials.basic", 1, 1},
	{"credential", 1, 1}, {"credentials", 1, 1}, {"passwordauthentication", 1, 1}, {"passwordtoken", 1, 1}, {"ssh2_auth_password", 2, -1},
	{"jwt.sign", 1, 1}, {"jwt.verify", 1, 1}, {"jwt.encode", 1, 1}, {"jwt.decode", 1, 1}, {"secretkeyspec", 0, 0}, {"communitydata", 1, 1}, {"username_pw_set", 1, 1}, {"smbconnection", 1, 1}, {"getconnection", 2, 1}, {"pdo", 2, -1}, {"mysqli", 2, -1}, {"real_connect", 3, -1}, {"connect", 2, -1}, {"directoryentry", 2, -1}, {"ftp", 2, -1}, {"ftp_tls", 2, -1},
	{"pgp_sym_encrypt", 1, 1}, {"aes_encrypt", 1, 1}, {"networkcredential]::new", 1, 1}, {"pscredential]::new", 1, 1}, {"changeuserpassword", 1, 1}, {"changepassword", 1, 1}, {"setpassword", 1, 1}, {"resetpassword", 1, 1}, {"updateuserpassword", 1, 1}, {"__construct", 2, -1}, {"ldap_bind", 2, -1}, {"simple_bind_s", 1, 1}, {"bind_s", 1, 1}, {".bind", 1, 1}, {"imap_open", 2, -1}, {"ftp_login", 2, 1}, {"login", 1, 1}, {"authenticate", 1, 1}, {"create_superuser", 2, -1}, {"create_user", 2, -1},
}

// call deals with a function whose name is buf[ks:ke], with a parenthesis
// behind. True if there was a secret among the arguments.
func (s *Scanner) call(ks, ke int, class keyname.Class, kind keyname.Kind) bool {
	return s.callAt(ks, ke, ke, class, kind)
}

// callAt does so where the bracket around the arguments opens at p.
func (s *Scanner) callAt(ks, ke, p int, class keyname.Class, kind keyname.Kind) bool {
	name := s.buf[ks:ke]
	if ask, both := asker(name); ask {
		var args [4]arg
		got, _ := s.arguments(p, args[:])
		switch {
		case got == 2 && both:
			first := s.literal(args[0], keyname.Password)
			return s.literal(args[1], keyname.Password) || first
		case got == 1 && args[0].vs > args[0].start && containsFold(name, "pass") && looksSecret(s.text(args[0])) && bytes.IndexByte(s.text(args[0]), ' ') < 0:
			return s.literal(args[0], keyname.Password) // user.check_password("x")
		case got >= 2 && (s.literal(args[1], keyname.Password) || s.spokenCall(args[:got], 1)):
			return true
		}
	}
	for i := range callees {
		c := &callees[i]
		n := len(name) - len(c.name)
		if n < 0 || !foldEqual(name[n:], c.name) || n > 0 && isAlnum(name[n-1]) && isAlnum(c.name[0]) && !seamAt(name, n) {
			continue
		}
		var args [6]arg
		got, _ := s.arguments(p, args[:])
		at := c.at
		if got == 2 {
			at = c.two
		} else if got == 4 && at == 1 && foldIs(name, "credentials") {
			at = 3 // of sbt: realm, host, user, password
		} else if got == 3 && at == 2 && bytes.HasPrefix(s.text(args[2]), []byte("t3")) {
			at = 1 // of WebLogic: user, password, t3://host
		}
		if got > 3 && at == 2 && isNumber(s.text(args[1])) && c.name == "connect" {
			at = 3 // host, port, user, password
		}
		if at >= 0 && at < got && got > 1 {
			if s.literal(args[at], keyname.Password) || got == 2 && at == 1 && s.spokenCall(args[:got], at) {
				return true
			}
			if literal := args[at].vs > args[at].start; !literal && at == 1 && got > 2 && class == keyname.Strong {
				return s.literal(args[got-1], keyname.Password) // (tenant, client, "secret")
			}
		}
		if foldIs(name, "communitydata") && got > 0 && s.literal(args[0], keyname.Community) {
			return true // of pysnmp
		}
		if lone := foldIs(name, "auth") && ks > s.ls && (s.buf[ks-1] == ':' || s.buf[ks-1] == '>') || c.name == ".auth"; lone && got == 1 && bytes.IndexByte(s.text(args[0]), ' ') < 0 {
			return s.literal(args[0], keyname.Password) // of clients of Redis
		}
		if got != 1 {
			return false
		}
		break // setPassword("secret")
	}
	if n := len(name) - len("cookiestore"); n >= 0 && foldEqual(name[n:], "cookiestore") {
		var args [2]arg
		if got, _ := s.arguments(p, args[:]); got > 0 && args[0].ve <= s.le {
			return s.literal(args[0], keyname.Secret) || s.wrapped(args[0].start, want{class: keyname.Strong, kind: keyname.Secret, rule: "argument"})
		}
		return false
	}
	if n := len(name); loneKey(name) && n > 4 {
		var args [3]arg
		if got, _ := s.arguments(p, args[:]); got >= 1 && bytes.IndexByte(s.text(args[0]), ' ') < 0 && s.literal(args[0], keyname.Secret) {
			return true
		}
	}
	if class == keyname.Strong && (setter(name) || taker(name) || kind == keyname.Password && len(name) <= 8 || s.before(ks, "string ")) {
		var args [2]arg
		if got, _ := s.arguments(p, args[:]); got == 1 || got == 2 && bytes.HasSuffix(name, []byte(".assign")) {
			return s.literal(args[0], kind) || args[0].ve <= s.le && s.wrapped(args[0].start, want{class: class, kind: kind, rule: "argument"})
		}
	}
	return false
}

// compared is true for the first argument of strcmp and the like.
func (s *Scanner) compared(ks int) bool {
	i := ks
	for i > s.ls && (s.buf[i-1] == '$' || s.buf[i-1] == '*' || s.buf[i-1] == '>' || s.buf[i-1] == '-' || isAlnum(s.buf[i-1])) {
		i--
	}
	if i == s.ls || s.buf[i-1] != '(' {
		return false
	}
	name := s.buf[max(s.ls, i-24) : i-1]
	return containsFold(name, "cmp") || containsFold(name, "cpy") || containsFold(name, "compare") || containsFold(name, "equal")
}

// loginPair hides the second of two strings in auth=("user", "secret").
func (s *Scanner) loginPair(p int, w want) bool {
	k := w.key
	if n := len(k) - 4; n < 0 || !foldEqual(k[n:], "auth") && !containsFold(k, "credentials") && !foldEqual(k[n:], "cred") {
		return false
	}
	var args [3]arg
	n, _ := s.arguments(p, args[:])
	return n == 2 && args[0].vs > args[0].start && s.literal(args[1], keyname.Password)
}

// seamAt is true where a word begins by its case: getConnection.
func seamAt(name []byte, n int) bool {
	return name[n] >= 'A' && name[n] <= 'Z' || name[n-1] == '_'
}

// setter is true for the names of functions that take the secret they name.
func setter(name []byte) bool {
	if i := bytes.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	for _, p := range []string{"set", "with", "add", "assign"} {
		if len(name) >= len(p) && foldEqual(name[:len(p)], p) {
			return true
		}
	}
	return false
}

// literal hides an argument, if it is one string.
func (s *Scanner) literal(a arg, kind keyname.Kind) bool {
	if a.vs <= a.start && a.ve <= s.le {
		return s.wrapped(a.start, want{class: keyname.Strong, kind: kind, rule: "argument"})
	}
	if a.vs <= a.start || a.ve <= a.vs {
		return false
	}
	n := len(s.Spans)
	s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: kind, rule: "argument"}, true)
	return len(s.Spans) > n
}

// arguments cuts what stands in the parentheses that open at p. It returns how
// many there are and the end. vs and ve of a string are inside its quotes, else
// they are start and end. Lists may go on over the next lines.
func (s *Scanner) arguments(p int, args []arg) (int, int) {
	buf, end := s.buf, min(s.hi, p+1024)
	if end > s.le && len(args) > 8 {
		end = s.le // rows of SQL
	}
	n, depth := 0, 0
	start := p + 1
	add := func(e int) bool {
		b := start
		for b < e && isBlank(buf[b]) {
			b++
		}
		for e > b && isBlank(buf[e-1]) {
			e--
		}
		if n == len(args) {
			return false
		}
		args[n] = s.argument(b, e)
		n++
		return true
	}
	for i := p; i < end; i++ {
		switch c := buf[i]; c {
		case '"', '\'', '`':
			q := stringEnd(buf, i, end)
			if q < 0 {
				return 0, i
			}
			i = q
		case '\\':
			if i+2 < end && (buf[i+1] == '"' || buf[i+1] == '\'') {
				q := bytes.Index(buf[i+2:end], buf[i:i+2])
				if q < 0 {
					return 0, i
				}
				i += q + 3
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				if n > 0 || i > start {
					add(i)
				}
				return n, i + 1
			}
		case ',':
			if depth == 1 {
				if !add(i) {
					return n, i
				}
				start = i + 1
			}
		case ';':
			return 0, i
		}
	}
	return 0, end
}

// argument finds the string in buf[b:e]: alone, with a prefix such as N'x' or
// L"x", or with a method behind it.
func (s *Scanner) argument(b, e int) arg {
	a := arg{b, e, b, e}
	q := b
	if q+1 < e && isLetter(s.buf[q]) && (s.buf[q+1] == '\'' || s.buf[q+1] == '"') {
		q++
	}
	if q+4 < e && s.buf[q] == '\\' && (s.buf[q+1] == '"' || s.buf[q+1] == '\'') && s.buf[e-1] == s.buf[q+1] && s.buf[e-2] == '\\' {
		a.vs, a.ve = q+2, e-2
		return a
	}
	if q < e && (s.buf[q] == '"' || s.buf[q] == '\'' || s.buf[q] == '`') {
		if i := stringEnd(s.buf, q, e); i > 0 && (i+1 == e || s.buf[i+1] == '.' || s.buf[i+1] == ':') {
			a.vs, a.ve = q+1, i
		}
	}
	return a
}

// stringEnd is the place of the quote that ends the string at p, or -1.
func stringEnd(buf []byte, p, end int) int {
	for i := p + 1; i < end; i++ {
		switch buf[i] {
		case '\\':
			i++
		case buf[p]:
			if i+1 < end && buf[i+1] == buf[p] && buf[p] == '\'' {
				i++ // '' inside a string of SQL
				continue
			}
			return i
		}
	}
	return -1
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// callHit deals with a stem that ends in a parenthesis.
func (s *Scanner) callHit(pos, n int) {
	ke := pos + n - 1
	ks := pos
	for ks > s.ls && (isAlnum(s.buf[ks-1]) || s.buf[ks-1] == '_' || s.buf[ks-1] == '.') && ke-ks < 60 {
		ks--
	}
	s.call(ks, ke, keyname.Harmless, "")
}
