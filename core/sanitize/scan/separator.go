package scan

// separator returns the length of what stands between key and value at p.
func separator(buf []byte, p, end int) int {
	if p >= end {
		return 0
	}
	for _, op := range operatorsOf[buf[p]] {
		if p+len(op) <= end && string(buf[p:p+len(op)]) == op {
			if op[0] == '\\' && (p+2 >= end || isSpace(buf[p+2]) || buf[p+2] == '\\') {
				return 0 // a regular expression
			}
			if op == "::" && (p+2 >= end || !isSpace(buf[p+2])) {
				return 0 // std::string; LDIF has a blank
			}
			return len(op)
		}
	}
	return 0
}

// operatorsOf has them by their first byte.
var operatorsOf = func() (t [256][]string) {
	for _, op := range operators {
		t[op[0]] = append(t[op[0]], op)
	}
	return t
}()

// operators, longest first.
var operators = []string{
	"\\u003d", "\\u003D", "\\u003a", "\\u003A", "\\=", "\\:", ":::=", "::=", "::", "===", "==>", "!==", "??=", "||=", ":=", "?:", "?=", "+=", ".=", "==", "!=", "~=", "=>", "->", "=:", "<-", "||", "=", ":", "\uff1a", "\uff1d", "%3D", "%3d", "%3A", "%253D", "%253d", "%253A", "??",
}

var typeNames = listOf("string", "str", "&str", "text", "any", "object", "char", "option<string>", "string?", "secretstr", "securestring", "optional[str]", "&'static", "std::string", "[]byte", "bytes", "varchar", "password", "secret", "static", "char*", "nsstring", "&[u8]", "vec<u8>", "byte[]")

func isTypeName(v []byte) bool { return typeNames.has(v) }

// typedValue finds the value in `name: type = value`. 0 if it is not that.
func typedValue(buf []byte, p, end int) int {
	for p < end && isSpace(buf[p]) {
		p++
	}
	end = min(end, p+48)
	e := p
	for e < end && !isSpace(buf[e]) && buf[e] != '=' {
		e++
	}
	if e == p || e >= end {
		return 0
	}
	t := e
	for t < end && isSpace(buf[t]) {
		t++
	}
	if t < end && buf[t] == 's' && t+4 <= end && string(buf[t:t+4]) == "str " {
		t += 4
	}
	if t < end && buf[t] == '=' && t+1 < end && buf[t+1] != '=' && isTypeName(buf[p:e]) {
		return t + 1
	}
	return 0
}
