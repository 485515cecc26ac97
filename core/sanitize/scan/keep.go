package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// harmless is true for values that say by their look, together with the name of
// the key, that they are no secret.
func (s *Scanner) harmless(v []byte, w *want, quoted bool) bool {
	if len(v) == 0 {
		return true
	}
	if namesItself(v, w.key) {
		return true
	}
	switch k := w.key; {
	case foldIs(k, "passwd") || foldIs(k, "shadow") || foldIs(k, "passwd_compat") || foldIs(k, "shadow_compat"):
		if !quoted && nameServices(v) {
			return true
		}
	case foldIs(k, "license") || foldIs(k, "licence") || foldIs(k, "licenses") || foldIs(k, "spdx-license-identifier"):
		if plainSegments(v) || holdsPseudonym(v) {
			return true
		}
	case foldIs(k, "accesskey"):
		if len(v) == 1 {
			return true
		}
	case len(k) >= 6 && foldEqual(k[len(k)-6:], "tokens"):
		n, _, _ := bytes.Cut(v, []byte{' '})
		if isNumber(bytes.TrimRight(n, ",;")) {
			return true
		}
	case foldIs(k, "signingkey"):
		if (len(v) == 8 || len(v) == 16 || len(v) == 40) && hexOnly(v) {
			return true // the id of a key of PGP, for git
		}
	case foldIs(k, "secretkey"):
		if lowerName(v) && bytes.IndexAny(v, "_-") > 0 {
			return true // which key of a secret it is
		}
	case foldIs(k, "pass"):
		if foldIs(v, "oobesystem") || foldIs(v, "specialize") || foldIs(v, "windowspe") || foldIs(v, "generalize") || foldIs(v, "offlineservicing") || foldIs(v, "auditsystem") || foldIs(v, "audituser") {
			return true // of the installation of Windows
		}
		if !quoted && string(k) == "PASS" && s.verdicts() {
			return true
		}
		if !quoted && s.tally(v) {
			return true
		}
	}
	if len(v) > 40 && (string(v[:4]) == "ssh-" || string(v[:6]) == "ecdsa-") && (bytes.Contains(v[:40], []byte(" AAAA")) || bytes.Contains(v[:40], []byte("%20AAAA"))) {
		return true // a public key
	}
	if i := bytes.IndexByte(v, '|'); i > 5 && i < 14 && (foldIs(v[:i], "required") || foldIs(v[:i], "nullable") || foldIs(v[:i], "string") || foldIs(v[:i], "sometimes") || foldIs(v[:i], "confirmed")) {
		return true // how Laravel checks it
	}
	if w.kind == keyname.Cookie && bytes.HasSuffix(w.key, []byte("session")) && s.hasWord("dovecot") {
		return true // the number of a connection
	}
	if w.class != keyname.Strong {
		return w.kind == keyname.APIKey && len(v) == 40 && hexOnly(v) && (containsFold(w.key, "gpg") || s.hasWord("X.509")) // the print of a public key
	}
	if w.kind != keyname.Token && string(v) == "Opaque" || bytes.HasPrefix(v, []byte("kubernetes.io/")) || bytes.HasPrefix(v, []byte("helm.sh/")) {
		return true // the type of a secret
	}
	if w.kind == keyname.Secret && len(w.key) > 7 && lowerName(v) && bytes.IndexByte(v, '-') > 0 && foldIs(w.key[len(w.key)-7:], "-secret") && s.hasWord("kubernetes.io/") {
		return true // the name of a secret, in an annotation
	}
	if w.kind == keyname.Secret && !quoted && bytes.HasSuffix(w.key, []byte("_secret")) && bytes.IndexByte(v, '/') > 0 && lowerName(v[:bytes.IndexByte(v, '/')]) && lowerName(v[bytes.IndexByte(v, '/')+1:]) {
		return true // where Airflow finds the secret
	}
	if len(v) > 7 && string(v[:7]) == "system:" && lowerName(v[bytes.LastIndexByte(v, ':')+1:]) {
		return true // a group of Kubernetes
	}
	if (v[0] == '(' || v[0] == '[') && (bytes.Contains(v, []byte("\\S")) || bytes.Contains(v, []byte("[^")) || bytes.Contains(v, []byte(".*")) || bytes.Contains(v, []byte(".+")) || bytes.Contains(v, []byte("\\w"))) {
		return true // a regular expression that looks for it
	}
	if s.source && quoted && w.kind == keyname.APIKey && isIdent(v) && bytes.HasSuffix(v, []byte("Key")) {
		return true // private_key: "RSAPrivateKey", a type
	}
	if !quoted && string(v) == "not" {
		return true // htpasswd: not found
	}
	if !quoted && string(v) == "password" && s.hasWord("_attrs") {
		return true // which attribute is which, in Dovecot
	}
	if isDigit(v[0]) && timeSpan(v) {
		return true
	}
	if !quoted && cmdlet(firstWord(v)) {
		return true
	}
	if algorithm(v) || sizeInBytes(v) || architecture(v) || w.kind == keyname.Token && !quoted && (bytes.Equal(v, w.key) || string(trimEnd(v, "\"'")) == "token") {
		return true
	}
	if (w.kind == keyname.Cookie && len(v) <= 18 || !quoted && len(v) <= 14) && len(v) > 2 && v[0] == '0' && v[1] == 'x' && hexOnly(v[2:]) {
		return true // a session of ZooKeeper, whose number alone opens nothing; an address
	}
	if isDigit(v[0]) && portAndProtocol(v) {
		return true
	}
	if (foldIs(v, "chauthtok") || foldIs(v, "auth") || foldIs(v, "session") || foldIs(v, "account") || foldIs(v, "setcred")) && s.hasWord("pam_") {
		return true // pam_unix(chpasswd:chauthtok)
	}
	if (v[0] == '[' || foldIs(v, "password") || foldIs(v, "auth") || foldIs(v, "done") || foldIs(v, "ignore") || foldIs(v, "ok") || foldIs(v, "bad") || foldIs(v, "sufficient")) && s.pamLine() {
		return true
	}
	return bytes.IndexByte(v, ' ') > 0 && (message(v) || foldIs(v, "no data") || foldIs(v, "not set") || foldIs(v, "not found") || foldIs(v, "no value"))
}

// algorithm is true for names of what passwords are hashed with.
func algorithm(v []byte) bool {
	if len(v) > 32 {
		return false
	}
	named := false
	for len(v) > 0 {
		e := bytes.IndexAny(v, "-_/:")
		if e < 0 {
			e = len(v)
		}
		var low [16]byte
		if e == 0 || e > len(low) {
			return false
		}
		for i, c := range v[:e] {
			low[i] = lower(c)
		}
		known := algorithms[string(low[:e])]
		if !known && !(isNumber(v[:e]) && e <= 4) {
			return false
		}
		named = named || known
		v = v[min(len(v), e+1):]
	}
	return named
}

// algorithms are the parts of their names: pbkdf2-hmac-sha256, aes-256-gcm.
var algorithms = map[string]bool{"md5": true, "sha": true, "sha1": true, "sha224": true, "sha256": true, "sha384": true, "sha512": true, "sha3": true, "ssha": true, "ssha256": true, "ssha512": true, "smd5": true, "hmac": true, "crypt": true, "bcrypt": true, "scrypt": true, "yescrypt": true, "argon2": true, "argon2i": true, "argon2d": true, "argon2id": true, "pbkdf2": true, "scram": true, "exop": true, "blowfish": true, "blake2b": true, "aes": true, "aes128": true, "aes192": true, "aes256": true, "gcm": true, "cbc": true, "ctr": true, "xts": true, "cmac": true, "kw": true, "des": true, "3des": true, "chacha20": true, "poly1305": true, "rsa": true, "oaep": true, "ecdsa": true, "ed25519": true, "x25519": true, "rs256": true, "rs512": true, "hs256": true, "hs384": true, "hs512": true, "es256": true, "es384": true, "ps256": true, "ssh": true, "dss": true, "nistp256": true, "nistp384": true, "nistp521": true, "cts": true, "arcfour": true}

// architecture is true behind the name of a package: xauth:amd64.
func architecture(v []byte) bool {
	for _, a := range []string{"amd64", "arm64", "armhf", "armel", "i386", "i686", "x86_64", "aarch64", "ppc64el", "ppc64le", "s390x", "riscv64", "mips64el", "noarch", "native"} {
		if string(v) == a {
			return true
		}
	}
	return false
}

// sizeInBytes is true for: 8 bytes, as kubectl describes a secret.
func sizeInBytes(v []byte) bool {
	i := bytes.IndexByte(v, ' ')
	return i > 0 && isNumber(v[:i]) && (foldIs(v[i+1:], "bytes") || foldIs(v[i+1:], "byte") || foldIs(v[i+1:], "characters") || foldIs(v[i+1:], "chars"))
}

// namesItself is true for constants whose value is their name over again:
// TokenFilter = auth.TokenFilter, SN_id_None_KeyMeshing = "id-None-KeyMeshing".
func namesItself(v, key []byte) bool {
	if n := len(key); n >= 6 && len(v) > n+1 && v[len(v)-n-1] == '.' && bytes.Equal(v[len(v)-n:], key) && isIdent(v) {
		return true
	}
	if len(v) < 12 || len(v) > len(key)+4 || len(key) > 80 {
		return false
	}
	var a, b [84]byte
	short, long := alnums(a[:0], v), alnums(b[:0], key)
	if len(v) >= len(key) {
		return bytes.Equal(short, long) && lowerName(v) // adminUserKey: admin-user-key
	}
	return len(v)-len(short) >= 2 && bytes.Contains(long, short)
}

// cmdlets are the verbs of commands of PowerShell.
var cmdlets = map[string]bool{"Add": true, "Get": true, "Set": true, "New": true, "Remove": true, "Connect": true, "Disconnect": true, "Read": true, "Write": true, "ConvertTo": true, "ConvertFrom": true, "Import": true, "Export": true, "Invoke": true, "Start": true, "Stop": true, "Enable": true, "Disable": true, "Test": true, "Update": true, "Reset": true, "Register": true, "Unlock": true, "Protect": true, "Unprotect": true, "Grant": true, "Revoke": true, "Save": true, "Restore": true, "Out": true, "Select": true, "Where": true, "Install": true, "Find": true, "Request": true, "Send": true, "Show": true, "Join": true, "Split": true}

// cmdlet is true for the name of a command of PowerShell: Read-Host.
func cmdlet(v []byte) bool {
	i := bytes.IndexByte(v, '-')
	if i < 3 || i+3 > len(v) || v[i+1] < 'A' || v[i+1] > 'Z' || v[i+2] < 'a' && (v[i+2] < 'A' || v[i+2] > 'Z') {
		return false
	}
	return cmdlets[string(v[:i])] && letters(v[i+1:])
}

// remarks stand in place of a value.
var remarks = [][]byte{[]byte("not set"), []byte("not shown"), []byte("not displayed"), []byte("not configured"), []byte("not available"), []byte("not stored"), []byte("not defined"), []byte("none"), []byte("unset"), []byte("empty"), []byte("hidden"), []byte("redacted"), []byte("removed"), []byte("masked"), []byte("encrypted"), []byte("sensitive"), []byte("sensitive value"), []byte("known after apply"), []byte("null"), []byte("nil"), []byte("no password"), []byte("unknown"), []byte("blank"), []byte("default"), []byte("protected"), []byte("secret"), []byte("password")}

// remarkAt is the length of such a remark in brackets at the front of v, or 0.
func remarkAt(v []byte) int {
	if len(v) < 4 || v[0] != '(' && v[0] != '<' && v[0] != '[' {
		return 0
	}
	e := bytes.IndexAny(v[:min(len(v), 24)], ")>]")
	if e < 0 {
		return 0
	}
	for _, t := range remarks {
		if bytes.EqualFold(v[1:e], t) {
			return e + 1
		}
	}
	return 0
}

// uncoloured is where v ends without what sets a terminal's colours back.
func uncoloured(v []byte) int {
	i := bytes.LastIndexByte(v, 0x1b)
	if i < 1 || len(v)-i > 8 || v[i+1] != '[' {
		return len(v)
	}
	for _, c := range v[i+2 : len(v)-1] {
		if !isDigit(c) && c != ';' {
			return len(v)
		}
	}
	return i
}

func firstWord(v []byte) []byte {
	if i := bytes.IndexByte(v, ' '); i >= 0 {
		return v[:i]
	}
	return v
}

// alnums appends the letters and digits of v.
func alnums(dst, v []byte) []byte {
	for _, c := range v {
		if isAlnum(c) {
			dst = append(dst, lower(c))
		}
	}
	return dst
}

// nameServices is true for the sources of nsswitch.conf.
func nameServices(v []byte) bool {
	for len(v) > 0 {
		var f []byte
		f, v, _ = bytes.Cut(bytes.TrimLeft(v, " \t"), []byte{' '})
		if len(f) == 0 || f[0] == '[' || f[len(f)-1] == ']' {
			continue
		}
		known := false
		for _, n := range []string{"files", "systemd", "sss", "compat", "ldap", "nis", "nisplus", "winbind", "db", "dns", "cache", "altfiles", "extrausers", "centrify", "vas4", "ato", "hesiod"} {
			known = known || foldIs(f, n)
		}
		if !known {
			return false
		}
	}
	return true
}

// plainSegments is true for the names of licences: BSD-3-Clause, LGPLv3+,
// GPL-2+-or-X11. Between the seams stand words, or a few digits, or both; a key
// that was drawn by chance has more digits and no words.
func plainSegments(v []byte) bool {
	if containsFold(v, "gpl") && len(v) < 64 && bytes.Count(v, []byte{'-'}) < 8 {
		return true
	}
	if spelledOut(v) {
		return true
	}
	letters, digits, vowels, word := 0, 0, 0, 0
	allLetters, allDigits, mixedSegments := 0, 0, 0
	year := false // the digits begin as those of a year
	end := func() {
		if letters > 0 && digits > 2 || letters > 0 && digits > 0 && letters > 5 {
			mixedSegments++
		}
		if letters >= 3 && vowels > 0 {
			word++
		}
		if letters == 0 && digits == 4 && year {
			allDigits -= 4
		}
		letters, digits, vowels = 0, 0, 0
	}
	for _, c := range v {
		switch {
		case isDigit(c):
			if digits == 0 {
				year = c == '1' || c == '2'
			}
			digits++
			allDigits++
		case isLetter(c):
			if digits > 0 {
				return false
			}
			letters++
			allLetters++
			switch c | 0x20 {
			case 'a', 'e', 'i', 'o', 'u', 'y':
				vowels++
			}
		case c == '-' || c == ' ' || c == '+' || c == '(' || c == ')' || c == ',' || c == '_' || c == '/' || c == '.':
			if c != '.' || digits == 0 {
				end()
			}
		default:
			return false
		}
	}
	end()
	return mixedSegments == 0 && allDigits*3 <= allLetters && (word > 0 || allLetters <= 8)
}

// timeSpan is true for a number and what it counts: 90 days, 12 characters.
func timeSpan(v []byte) bool {
	i := bytes.IndexByte(v, ' ')
	return i > 0 && i < 6 && isNumber(v[:i]) && spans.has(bytes.TrimSpace(v[i+1:]))
}

var spans = listOf("day", "days", "hour", "hours", "minute", "minutes", "second", "seconds", "week", "weeks", "month", "months", "year", "years", "characters", "chars", "bits", "attempts", "tage", "tagen", "stunden", "minuten", "zeichen", "monate", "jours", "heures", "caract\u00e8res", "mois", "d\u00edas", "dias", "horas", "caracteres", "meses", "giorni", "ore", "dagen", "dni", "\u0434\u043d\u0435\u0439", "\u0434\u043d\u044f", "\u0434\u0435\u043d\u044c", "\u0447\u0430\u0441\u043e\u0432", "\u043c\u0438\u043d\u0443\u0442", "\u0441\u0438\u043c\u0432\u043e\u043b\u043e\u0432", "\u0437\u043d\u0430\u043a\u043e\u0432")

// spelledOut is true for names half of whose parts are words in small letters:
// X11R5-permissive, same-as-the-rest.
func spelledOut(v []byte) bool {
	parts, words := 0, 0
	for len(v) > 0 {
		e := bytes.IndexAny(v, "-~+ _/.")
		if e < 0 {
			e = len(v)
		}
		if e > 0 {
			parts++
			vowel := false
			small := e >= 2
			for i, c := range v[:e] {
				small = small && (c >= 'a' && c <= 'z' || i == 0 && c >= 'A' && c <= 'Z')
				vowel = vowel || c|0x20 == 'a' || c|0x20 == 'e' || c|0x20 == 'i' || c|0x20 == 'o' || c|0x20 == 'u' || c|0x20 == 'y'
			}
			words += btoi(small && vowel)
		}
		v = v[min(len(v), e+1):]
	}
	return parts > 1 && words*2 >= parts
}

// verdicts is true among the results of tests: PASS: name, FAIL: name.
func (s *Scanner) verdicts() bool {
	above := s.buf[max(s.lo, s.ls-Reach/4):s.ls]
	if n := len(above); n > 0 {
		above = above[bytes.LastIndexByte(above[:n-1], '\n')+1:]
	}
	below := s.buf[min(s.hi, s.le+1):s.hi]
	for _, l := range [][]byte{above, below} {
		i := bytes.IndexByte(l, ':')
		if i < 4 || i > 14 {
			continue
		}
		switch w := string(l[:i]); w {
		case "PASS", "FAIL", "XFAIL", "XPASS", "SKIP", "SKIPPED", "UNSUPPORTED", "UNTESTED", "UNRESOLVED", "ERROR":
			return true
		}
	}
	return false
}

// tally is true for the count of tests that passed.
func (s *Scanner) tally(v []byte) bool {
	if bytes.HasSuffix(v, []byte("s)")) || containsFold(v, "test") {
		return true
	}
	if n, _, _ := bytes.Cut(v, []byte{' '}); !isNumber(bytes.TrimRight(n, ",;")) || len(n) > 7 {
		return false
	}
	around := s.buf[max(s.lo, s.ls-160):min(s.hi, s.le+160)]
	return containsFold(around, "fail") || containsFold(around, "skip")
}

// portAndProtocol is true for 464/tcp.
func portAndProtocol(v []byte) bool {
	i := bytes.IndexByte(v, '/')
	return i > 0 && i <= 5 && isNumber(v[:i]) && (foldIs(v[i+1:], "tcp") || foldIs(v[i+1:], "udp") || foldIs(v[i+1:], "sctp"))
}

// message is true for a sentence about the secret: Password is wrong.
func message(v []byte) bool {
	words, about, verb, mine := 0, false, false, false
	for f := range bytes.FieldsSeq(v) {
		words++
		f = bytes.Trim(f, ".,!?:'\"")
		if len(f) > 0 && !lowerWord(f[1:]) {
			return false
		}
		about = about || foldIs(f, "password") || foldIs(f, "secret") || foldIs(f, "token") || foldIs(f, "passphrase") || foldIs(f, "key") || foldIs(f, "credentials")
		mine = mine || foldIs(f, "my") || foldIs(f, "super")
		verb = verb || foldIs(f, "is") || foldIs(f, "must") || foldIs(f, "was") || foldIs(f, "are") || foldIs(f, "not") || foldIs(f, "your") || foldIs(f, "enter") || foldIs(f, "please") || foldIs(f, "cannot")
	}
	return words >= 3 && about && verb && !mine
}

// construct is true for expressions that make an object: new Secret(...),
// Token{...}.
func construct(v []byte) bool {
	if bytes.HasPrefix(v, []byte("lambda")) && bytes.IndexByte(v, ':') > 0 {
		return true
	}
	for _, p := range []string{"new ", "await ", "yield ", "New-Object "} {
		if bytes.HasPrefix(v, []byte(p)) {
			r := bytes.TrimLeft(v[len(p):], " ")
			return len(r) > 0 && isLetter(r[0]) && bytes.IndexByte(r, '(') > 0
		}
	}
	i := bytes.IndexByte(v, '{')
	if i < 3 || v[0] < 'A' || v[0] > 'Z' {
		return false
	}
	for _, c := range v[:i] {
		if !isLetter(c) {
			return false
		}
	}
	for _, t := range []string{"token", "cred", "secret", "key", "auth", "session", "password", "cookie"} {
		if containsFold(v[:i], t) {
			return true
		}
	}
	return false
}

// wrapped hides the one string in String::from("x"), new Secret("x"),
// lazy { "x" }: the functions that only make a value of it.
func (s *Scanner) wrapped(p int, w want) bool {
	if w.class < keyname.Weak {
		return false
	}
	buf := s.buf
	if s.le-p > 8 && string(buf[p:p+7]) == "[]byte(" {
		p += 2
	}
	e := p
	for e < s.le && e-p < 64 && (isAlnum(buf[e]) || buf[e] == '_' || buf[e] == '.' || buf[e] == ':' || buf[e] == ' ') {
		e++
	}
	if e+1 < s.le && buf[e] == '[' && w.class == keyname.Strong && (foldIs(buf[p:e], "optional") || foldIs(buf[p:e], "some") || foldIs(buf[p:e], "present")) {
		if i := bytes.IndexByte(buf[e:s.le], ']'); i > 1 && !s.source && (mixedWord(buf[e+1:e+i]) || looksRandom(buf[e+1:e+i])) {
			s.judge(e+1, e+i, w, true) // Optional[x] of Java
			return true
		}
	}
	if e >= s.le || e == p || buf[e] != '(' && buf[e] != '{' || p-w.outer > 120 && w.outer > 0 {
		return false
	}
	name := bytes.TrimRight(buf[p:e], " ")
	name = name[bytes.LastIndexAny(name, ".: ")+1:]
	known := false
	for _, n := range []string{"md5", "sha1", "sha2", "sha256", "sha512", "encrypt", "crypt", "old_password", "hashbytes", "from", "string", "of", "optional", "just", "new", "lazy", "secret", "some", "valueof", "strdup", "text", "secretstring", "securestring", "guardedstring", "secretstr", "password", "b64decode", "decode", "encode", "quote", "protectedstring", "getbytes", "bytes", "bytearray", "frombase64string", "fromhexstring", "unhexlify", "fromhex", "base64", "symmetricsecuritykey", "secretkeyspec", "byte", "stringify", "dumps", "decodestring"} {
		known = known || foldIs(name, n)
	}
	if !known && !constructor(buf[p:e], name) {
		return false
	}
	var args [2]arg
	n, _ := s.arguments(e, args[:])
	if n == 0 || n == 2 && !s.hasWord("SET ") && !foldIs(name, "secretkeyspec") || args[0].ve > s.le {
		return false
	}
	if args[0].vs > args[0].start {
		spans := len(s.Spans)
		w.rule = "argument"
		s.judge(args[0].vs, args[0].ve, w, true)
		return len(s.Spans) > spans
	}
	if v := s.text(args[0]); n == 1 && foldIs(name, "some") && isNumber(v) && len(v) > 3 {
		s.judge(args[0].start, args[0].ve, w, true)
		return true
	}
	if w.outer == 0 {
		w.outer = p
	}
	return s.wrapped(args[0].start, w)
}

// constructor is true for what makes an object that holds a secret:
// StringCredentialValue("x"), new ApiToken("x"). expr is all of it up to the
// parenthesis, name its last part.
func constructor(expr, name []byte) bool {
	if len(name) < 5 || name[0] < 'A' || name[0] > 'Z' || !isIdent(name) || bytes.IndexByte(name, '_') >= 0 || bytes.IndexByte(expr, '.') > 0 {
		return false
	}
	for _, t := range []string{"get", "read", "load", "find", "fetch", "lookup", "resolve", "create", "is", "has", "config", "env"} {
		if len(name) > len(t) && foldEqual(name[:len(t)], t) {
			return false
		}
	}
	for _, t := range []string{"value", "credential", "credentials", "secret", "password", "token", "key"} {
		if n := len(name) - len(t); n >= 0 && foldEqual(name[n:], t) {
			return true
		}
	}
	return false
}

// camelWords is true for names of programs' objects: CoarseGrainedScheduler.
func camelWords(v []byte) bool {
	words, letters := 0, 0
	for i, c := range v {
		switch {
		case c >= 'A' && c <= 'Z':
			words++
			letters++
		case isLetter(c):
			letters++
			words += btoi(i == 0)
		case !isDigit(c) && c != '-' && c != '_':
			return false
		}
	}
	return words > 0 && letters >= 4*words && letters*4 >= 3*len(v)
}

// resourceName is true inside the name of a resource of Amazon.
func (s *Scanner) resourceName(at int) bool {
	return at > s.ls && s.buf[at-1] == ':' && bytes.Contains(s.buf[max(s.ls, at-100):at], []byte("arn:aws"))
}

// lowerName is true for names of small letters with seams.
func lowerName(v []byte) bool {
	for _, c := range v {
		if (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// pamLine is true for lines of the configuration of PAM.
func (s *Scanner) pamLine() bool {
	i := bytes.Index(s.buf[s.ls:s.le], []byte("pam_"))
	return i >= 0 && bytes.Contains(s.buf[s.ls+i:s.le], []byte(".so"))
}

// pinCode is true for the digits of a PIN.
func pinCode(v, key []byte) bool {
	n := len(key) - 3
	return n >= 0 && len(v) >= 4 && len(v) <= 8 && foldEqual(key[n:], "pin") && bytes.IndexByte(v, '.') < 0 && isDigit(v[0]) && isNumber(v)
}

// inPath is true when the name at ks is the last part of a file's path.
func (s *Scanner) inPath(ks int) bool {
	if ks == s.ls || s.buf[ks-1] != '/' {
		return false
	}
	i := ks - 1
	for i > s.ls && !isSpace(s.buf[i-1]) {
		i--
		if s.buf[i] == '/' {
			return true
		}
	}
	return false
}

// packageArchs are what Debian puts behind the name of a package.
var packageArchs = listOf("amd64", "arm64", "i386", "armhf", "all", "any", "ppc64el", "s390x", "riscv64")

// editions are words behind community that speak of people.
var editions = listOf("edition", "editions", "version", "server", "support", "forum", "forums", "members", "member", "release", "repository", "repo", "plugin", "plugins", "package", "packages", "contributed", "driven", "management", "manager", "license")
