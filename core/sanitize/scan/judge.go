package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// spare is true for values that are no secret whatever the key is called:
// empty, masked already, switches, references to something else.
func (s *Scanner) spare(v []byte, class keyname.Class) bool {
	v = bytes.TrimSpace(v)
	return len(v) == 0 || isToken(bytes.TrimRight(v, "\"'")) || isPseudonym(v) || isMasked(v) || isSwitch(v) || isReference(v)
}

// isToken recognizes what this package wrote itself: REDACTED_kind_123456. A
// secret that merely begins so is not spared.
func isToken(v []byte) bool {
	n := len(v)
	if n > 2 && v[n-2] == '\\' && (v[n-1] == 'n' || v[n-1] == 'r' || v[n-1] == 't') {
		n -= 2 // the end of a line, escaped
		v = v[:n]
	}
	if n < len("REDACTED_a_123456") || n > 48 || string(v[:9]) != "REDACTED_" || v[n-7] != '_' {
		return false
	}
	for _, c := range v[n-6:] {
		if !isDigit(c) {
			return false
		}
	}
	for _, c := range v[9 : n-7] {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

// Hidden is true for text of several lines that has nothing but tokens in it: a
// value that was hidden before, line by line.
func Hidden(v []byte) bool {
	if len(v) < len("REDACTED_a_123456") || v[0] > ' ' && v[0] != 'R' {
		return false
	}
	n := 0
	for w := range bytes.FieldsSeq(v) {
		if n++; !isToken(w) {
			return false
		}
	}
	return n > 0
}

// isPseudonym is true for a name that package pseudonym made: what stands behind
// passwd in a history may be one.
func isPseudonym(v []byte) bool {
	if len(v) < 10 || v[0] != 'u' && v[0] != 'h' || v[1] != '-' {
		return false
	}
	for _, c := range v[2:10] {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	// Alone, or with a domain or a port behind.
	return len(v) == 10 || v[10] == '@' || v[10] == '.' || v[10] == ':' || v[10] == '/' || v[10] == ',' || v[10] == ')' || v[10] == '>'
}

// holdsPseudonym is true for text with a name in it that was replaced.
func holdsPseudonym(v []byte) bool {
	for i := 0; i+10 <= len(v); i++ {
		if v[i+1] == '-' && (i == 0 || !isAlnum(v[i-1])) && isPseudonym(v[i:]) {
			return true
		}
	}
	return false
}

// IsToken reports whether text is nothing but a token of this package, in
// quotes or not.
func IsToken(text []byte) bool {
	return isToken(bytes.Trim(text, " \t\"'"))
}

// endsInToken is true for names such as -pREDACTED_password_123456.
func endsInToken(v []byte) bool {
	i := bytes.Index(v, []byte("REDACTED_"))
	return i >= 0 && isToken(v[i:])
}

// isMasked is true for what somebody hid before: ****, xxxxx, <masked>.
func isMasked(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	if string(v) == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" {
		return true // of Ansible
	}
	if string(v) == "<<< secret >>>" {
		return true // of FreeRADIUS
	}
	same := 0
	for same < len(v) && isMask(v[same]) {
		same++
	}
	if same == len(v) && (len(v) >= 3 || v[0] != 'x') || len(v) > 8 && string(v[:4]) == "****" && bytes.HasPrefix(bytes.TrimLeft(v, "*"), []byte(" (")) {
		return true
	}
	if bytes.HasPrefix(v, []byte("\xe2\x80\xa2")) || bytes.HasPrefix(v, []byte("\xe2\x97\x8f")) { // bullets
		return true
	}
	if a, b := v[0], v[len(v)-1]; len(v) > 2 && len(v) < 40 && (a == '<' && b == '>' || a == '[' && b == ']' || a == '(' && b == ')' || a == '*' && b == '*') {
		in := bytes.Trim(v, "<>[]()*")
		for _, w := range maskWords {
			if len(in) >= len(w) && containsFold(in, w) {
				return true
			}
		}
	}
	return maskAlone.has(v)
}

// isMask is true for what people write in the place of each character.
func isMask(c byte) bool {
	return c == '*' || c == '.' || c == '-' || c == '#' || c == '_' || c == 'x' || c == 'X' || c == '?' || c == ' '
}

var maskWords = []string{"mask", "redact", "hidden", "filtered", "protected", "removed", "secret", "sensitive", "omitted", "censored", "encrypted", "scrubbed", "sanitized", "not shown", "suppressed", "obfuscated", "stripped", "empty", "none", "null", "unset", "undef", "not set"}

var maskAlone = listOf("masked", "redacted", "[filtered]", "filtered", "hidden", "sensitive")

// isSwitch is true for values that only say yes or no.
func isSwitch(v []byte) bool {
	return len(v) <= 9 && switches.has(v)
}

var switches = listOf("true", "false", "yes", "no", "on", "off", "null", "none", "nil", "nan", "undefined", "enabled", "disabled", "required", "optional", "nullptr", "default", "unset", "present", "absent", "nothing", "n/a", "tbd")

// isReference is true when the whole value only points to where the secret is.
func isReference(v []byte) bool {
	n := len(v)
	if n < 2 {
		return n == 1 && v[0] == '$'
	}
	switch v[0] {
	case '$':
		switch v[1] {
		case '_':
			if n > 4 && v[2] == '_' && bytes.IndexByte(v, '{') > 0 {
				return true // $__file{/run/secrets/x} of Grafana
			}
		case '{':
			// ${VAR}, ${VAR:-} but not ${VAR:-default}: the default is text.
			i := bytes.IndexByte(v, '}')
			if i < 0 {
				return n > 4 && v[2] == '{' && isSpace(v[3]) // ${{ secrets.X }}, cut at the brace
			}
			if v[2] != '{' && i+1 < n && !isReferenceTail(v[i+1:]) && !(v[i+1] == '/' && isPath(v[i+1:])) {
				return false
			}
			return !hasDefault(v[2:i])
		case '(':
			return true
		case '$':
			return false
		}
		// $VAR, $env:VAR, $this->password, $config['password']
		if !isLetter(v[1]) && v[1] != '_' {
			return false
		}
		up, other := 0, 0
		for i := 1; i < n; i++ {
			c := v[i]
			switch {
			case c >= 'A' && c <= 'Z', c == '_', isDigit(c):
				up++
			case isLetter(c):
				other++
			case c == '[' || c == '{' || c == '-' || c == '(' || c == '/' || c == ':' || c == '.' || c == ',' || c == ';' || c == ')':
				return i > 2 || c == ')'
			case c == '$' && i > 1:
				// a crypt hash ($apr1$...)
				return false
			default:
				return false
			}
		}
		return true
	case '{':
		return v[1] == '{' || v[1] == '%' || (v[n-1] == '}' && isIdent(v[1:n-1]) && !(n > 24 && looksRandom(v[1:n-1])))
	case '<':
		if v[1] == '%' {
			return true
		}
		return v[n-1] == '>' && isPlaceholder(v[1:n-1])
	case '%':
		// %s %(password)s %PASSWORD% %{VAR}
		if v[1] == '(' || v[1] == '{' {
			return true
		}
		if n == 2 && isLetter(v[1]) || string(v) == "%prompt" || string(v) == "%any" {
			return true
		}
		return v[n-1] == '%' && isIdent(v[1:n-1])
	case '@':
		return v[1] == '@' || string(v) == "@_" || (n > 3 && v[n-1] == '@' && isIdent(v[1:n-1])) || (v[1] == '{' && v[n-1] == '}') || (v[1] == '/' && isPath(v[1:]))
	case '#':
		return v[1] == '{' && v[n-1] == '}'
	case '&', '*':
		// a YAML anchor or alias of its own
		return v[0] == '*' && isIdent(v[1:]) && !(n == 41 && hexOnly(v[1:])) // else a hash of MySQL
	case '!':
		return bytes.HasPrefix(v, []byte("!vault")) || bytes.HasPrefix(v, []byte("!Ref")) || bytes.HasPrefix(v, []byte("!Sub")) || bytes.HasPrefix(v, []byte("!GetAtt")) || bytes.HasPrefix(v, []byte("!secret")) || bytes.HasPrefix(v, []byte("!ENV"))
	case '`':
		return false
	}
	return referenceBegins.begins(v) != ""
}

func isReferenceTail(v []byte) bool {
	for _, c := range v {
		if isAlnum(c) {
			return false
		}
	}
	return true
}

// hasDefault tells whether the inside of ${...} holds a literal to fall back on.
func hasDefault(v []byte) bool {
	i := bytes.Index(v, []byte(":-"))
	k := 2
	if i < 0 {
		i = bytes.Index(v, []byte(":="))
	}
	if i < 0 {
		i, k = bytes.IndexByte(v, ':'), 1
		if i > 0 && (bytes.HasPrefix(v[i+1:], []byte("?")) || bytes.HasPrefix(v, []byte("env")) || bytes.HasPrefix(v, []byte("ENV")) || bytes.HasPrefix(v, []byte("file")) || len(v) > 5 && foldEqual(v[:5], "vault") || bytes.HasPrefix(v, []byte("secret"))) {
			return false
		}
	}
	return i >= 0 && len(v) > i+k && v[i+k] != '$'
}

var referenceBegins = listOf(
	"os.environ", "os.getenv", "os.env", "process.env", "getenv(", "env(", "env.", "env[", "environ[", "environ.get", "system.getenv", "system.getproperty", "environment.get",
	"std::env", "env::var", "import.meta.env", "vault:", "vault(", "ref+", "ssm:", "arn:aws", "secretsmanager:", "op://", "awssm://", "projects/", "file(", "file:", "lookup(", "config(", "config.get", "config[",
	"data.", "var.", "local.", "module.", "random_password.", "secrets.", "params.", "settings.", "self.", "this.", "props.", "state.", "request.", "req.", "args.", "options.", "opts.",
	"fn::", "enc[", "env:", "fd:", "get_env", "keyring.", "getpass", "prompt(", "input(", "readline", "each.value", "null_resource.", "aws_", "azurerm_", "google_", "cfg.", "conf.", "values.", ".values.", "viper.", "flag.", "optional.", "session[", "form.", "row[", "user.",
)

// isPlaceholder is true for the words inside <...>.
func isPlaceholder(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	for _, c := range v {
		if !isAlnum(c) && c != '_' && c != '-' && c != ' ' && c != '.' && c != ':' && c != '\'' {
			return false
		}
	}
	return true
}

// isIdent is true for a word that a program could use as a name.
func isIdent(v []byte) bool {
	if len(v) == 0 || isDigit(v[0]) {
		return false
	}
	for _, c := range v {
		if !isAlnum(c) && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// isCall is true for expressions such as get_password(x) or cfg["pw"].
func isCall(v []byte) bool {
	i := 0
	for i < len(v) && (isAlnum(v[i]) || v[i] == '_' || v[i] == '.' || v[i] == '$' || v[i] == ':' || (v[i] == '>' && i > 0 && v[i-1] == '-') || (v[i] == '-' && i+1 < len(v) && v[i+1] == '>')) {
		i++
	}
	if i < 2 || i >= len(v) || isDigit(v[0]) {
		return false
	}
	if i == 3 && foldEqual(v[:3], "enc") {
		return false // ENC(...) of Jasypt
	}
	switch v[i] {
	case '(':
		// f(x), f(), f("..."): a random word before the bracket is no name.
		if j := i + bytes.IndexByte(v[i:], ')') + 1; j > i && j < len(v) && isAlnum(v[j]) {
			return false // pa(ren)s
		}
		return bytes.IndexByte(v[i:], ')') > 0 || i+1 == len(v) || v[i+1] == '"' || v[i+1] == '\''
	case '[':
		return i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\'' || isDigit(v[i+1]) || v[i+1] == ']' || (isLetter(v[i+1]) || v[i+1] == '$' || v[i+1] == ':') && bytes.IndexByte(v[i:], ']') > 0)
	}
	return false
}

// isPath is true for the names of files.
func isPath(v []byte) bool {
	if len(v) < 3 {
		return false
	}
	if v[0] == '~' && v[1] == '/' || v[0] == '.' && v[1] == '/' || bytes.HasPrefix(v, []byte("../")) {
		return true
	}
	if isLetter(v[0]) && v[1] == ':' && (v[2] == '\\' || v[2] == '/') {
		return true
	}
	slash := bytes.IndexByte(v, '/')
	if slash < 0 {
		return hasKeyFileExt(v)
	}
	if v[0] != '/' && !hasKeyFileExt(v) {
		return false
	}
	segs, odd := 0, 0
	for rest, more := v, true; more; {
		var seg []byte
		if seg, rest, more = bytes.Cut(rest, []byte{'/'}); len(seg) == 0 {
			continue
		}
		segs++
		digits, upper, lower := 0, 0, 0
		for _, c := range seg {
			switch {
			case isDigit(c):
				digits++
			case c >= 'A' && c <= 'Z':
				upper++
			case c >= 'a' && c <= 'z':
				lower++
			case c == '+' || c == '=' || c == '!' || c == '"' || c == '\'' || c == '&' || c == '?':
				return false
			}
		}
		if digits > 0 && upper > 0 && lower > 0 && len(seg) > 8 && bytes.IndexByte(seg, '.') < 0 && bytes.IndexByte(seg, '-') < 0 && bytes.IndexByte(seg, '_') < 0 {
			odd++
		}
	}
	return segs > 1 && odd == 0 || segs == 1 && v[0] == '/' && len(v) < 24 && odd == 0
}

var keyFileExts = []string{".pem", ".key", ".crt", ".cer", ".p12", ".pfx", ".jks", ".json", ".yaml", ".yml", ".txt", ".conf", ".cfg", ".ini", ".properties", ".xml", ".psk", ".pub", ".keytab", ".env", ".secret", ".keystore", ".jceks", ".kdbx", ".sh", ".py", ".php", ".html", ".js"}

func hasKeyFileExt(v []byte) bool {
	for _, e := range keyFileExts {
		if len(v) > len(e) && foldEqual(v[len(v)-len(e):], e) {
			for _, c := range v {
				if c == ' ' || c == '!' || c == '$' {
					return false
				}
			}
			return true
		}
	}
	return false
}

// looksRandom is true for values that a machine made: long, of mixed classes,
// and no date, version, path, class name or plain words.
func looksRandom(v []byte) bool {
	if len(v) < 12 {
		return false
	}
	var upper, lower, digit, punct, switchesN, vowelRun int
	var prev byte
	var seen [256]bool
	distinct := 0
	for _, c := range v {
		cl := byte(0)
		switch {
		case isDigit(c):
			digit++
			cl = 1
		case c >= 'A' && c <= 'Z':
			upper++
			cl = 2
		case c >= 'a' && c <= 'z':
			lower++
			cl = 3
		case c == '+' || c == '/' || c == '=' || c == '-' || c == '_' || c == '.' || c == '~' || c == '!' || c == ':' || c == '|' || c == '@' || c == '%' || c == '#' || c == '&' || c == '*' || c == '$':
			punct++
		default:
			return false
		}
		if cl != 0 && prev != 0 && cl != prev {
			switchesN++
		}
		if cl != 0 {
			prev = cl
		}
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	_ = vowelRun
	if digit+upper+lower < len(v)*2/3 {
		return false
	}
	if isPath(v) || isVersionish(v) || bytes.Contains(v, []byte("://")) {
		return false
	}
	if digit == 0 && (upper == 0 || lower == 0) {
		return false
	}
	if digit > 0 && upper+lower > 0 && len(v) >= 16 {
		return switchesN >= 3 || distinct >= 12
	}
	if digit == len(v) {
		return len(v) >= 15
	}
	if digit == 0 {
		// letters only: random letters change case often
		return len(v) >= 20 && switchesN >= len(v)/4
	}
	return digit >= 2 && upper+lower >= 3 && switchesN >= 4
}

// isVersionish is true for dates, versions, addresses and the like: digits in
// groups with few letters.
func isVersionish(v []byte) bool {
	digits, letters, seps := 0, 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case isLetter(c):
			letters++
		default:
			seps++
		}
	}
	return isDigit(v[0]) && seps >= 2 && letters <= digits/2+3 && len(v) < 40 && (bytes.IndexByte(v, '.') > 0 || bytes.IndexByte(v, ':') > 0)
}

// isUUID is true for 8-4-4-4-12 hex digits.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return true
}

func isNumber(v []byte) bool {
	for i, c := range v {
		if !isDigit(c) && !(c == '.' && i > 0) && !(i == 0 && (c == '-' || c == '+')) {
			return false
		}
	}
	return len(v) > 0
}

func isBase64(v []byte) bool {
	for i, c := range v {
		if !isAlnum(c) && c != '+' && c != '/' && c != '-' && c != '_' && !(c == '=' && i >= len(v)-3) {
			return false
		}
	}
	return len(v) > 0
}

// containsFold looks for a lower-case text.
func containsFold(b []byte, t string) bool { return indexFold(b, t) >= 0 }

// mixedCase is true for a word with capital and other letters and digits.
func mixedCase(v []byte) bool {
	up, low, digits := 0, 0, 0
	for _, c := range v {
		up += btoi(isUpper(c))
		low += btoi(c >= 'a' && c <= 'z')
		digits += btoi(isDigit(c))
	}
	return up > 0 && low > 0 && digits > 0
}
