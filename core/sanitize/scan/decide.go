package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// What becomes of a value that was read: hidden, or left as it is.

// judge decides about a value that was read.
func (s *Scanner) judge(vs, ve int, w want, quoted bool) {
	buf := s.buf
	for vs < ve && isSpace(buf[vs]) {
		vs++
	}
	for ve > vs && isSpace(buf[ve-1]) {
		ve--
	}
	if ve > vs && buf[ve-1] == 'm' {
		ve = vs + uncoloured(buf[vs:ve])
	}
	v := buf[vs:ve]
	if len(v) > 4 && v[0] == '*' && isAlnum(v[1]) && w.class == keyname.Strong && vs > s.ls && buf[vs-1] == '>' && ve < s.le && buf[ve] == '<' {
		s.hide(vs, ve, w.kind, w.rule) // as vCenter encrypts one: XML has no aliases
		return
	}
	if len(v) > 6 && v[0] == '{' && v[1] == '{' && w.class == keyname.Strong && s.templated(vs, ve, w) {
		return
	}
	if s.spare(v, w.class) && !(quoted && vs > 0 && buf[vs-1] == '\'' && leet(v)) || s.harmless(v, &w, quoted) {
		return
	}
	if len(v) > 5 && string(v[:5]) == "pass:" { // OpenSSL's
		vs += 5
		v = buf[vs:ve]
	}
	if !quoted && len(w.key) > 0 && ve < s.le && (buf[ve] == ')' || buf[ve] == ',' || buf[ve] == '=' || buf[ve] == ' ' && ve+1 < s.le && buf[ve+1] == '=') {
		// f(password=password), def f(password: str)
		if bytes.Equal(v, w.key) || isTypeName(v) {
			return
		}
	}
	if !quoted && w.toEnd {
		if i := bytes.IndexByte(v, ' '); i > 2 && i+2 < len(v) && v[i+1] == '(' && isTypeName(v[:i]) {
			return // secret: string (required) - what it is for
		}
	}
	if !quoted && ve < s.le {
		if c := buf[ve]; (c == ';' || c == '&' || c == ' ' && ve+1 < s.le && (buf[ve+1] == '|' || buf[ve+1] == '}')) && (isTypeName(v) || c == '&' && assigns(v, 0, len(v))) {
			return // password: string; token: client_id=x&...
		}
	}
	// Authorization: Bearer xyz. The scheme stays.
	if sch := scheme(v); sch != "" {
		vs += len(sch)
		for vs < ve && isSpace(buf[vs]) {
			vs++
		}
		v = buf[vs:ve]
		if w.class == keyname.Weak && (sch == "bearer" || sch == "basic") {
			w.class = keyname.Strong
		}
		if s.spare(v, w.class) || quoted && len(v) > 1 && v[0] == '{' {
			return
		}
	}
	if i := bytes.Index(v, []byte("-----BEGIN ")); i >= 0 {
		if !bytes.Contains(v[i:min(len(v), i+60)], []byte("PRIVATE")) && !bytes.Contains(v[i:min(len(v), i+60)], []byte("KEY V1")) {
			return // a certificate or public key
		}
	}
	if len(v) > 20 && v[0] == '@' && bytes.HasPrefix(v, []byte("@Microsoft.KeyVault(")) || s.resourceName(vs) {
		return
	}
	if quoted && bytes.IndexByte(v, ';') > 0 && (bytes.Contains(v, []byte("SharedAccessKey=")) || bytes.Contains(v, []byte("AccountKey="))) {
		return // a connection string: its keys are found on their own
	}
	if bytes.Contains(v, []byte("://")) && bytes.IndexByte(v, ' ') < 0 && isURL(v) {
		return // its credentials are found on their own
	}
	switch w.class {
	case keyname.Weak:
		if pinCode(v, w.key) || s.source && quoted && saltLiteral(v, w.key) {
			break
		}
		if i := bytes.IndexByte(v, ':'); i > 1 && (foldIs(w.key, "login") || len(w.key) >= 4 && foldEqual(w.key[len(w.key)-4:], "auth") || foldIs(w.key, "httpauth")) && isIdent(v[:i]) && !isToken(v[i+1:]) && looksSecret(v[i+1:]) {
			vs += i + 1 // user:password
			break
		}
		if i := bytes.IndexByte(v, ':'); i > 1 && len(v) > i+3 && isIdent(v[:i]) && v[i+1] != '/' && !isToken(v[i+1:]) && (foldIs(w.key, "login") && s.hasWord("cache_peer") || quoted && foldIs(w.key, "auth") && (foldIs(v[:i], "admin") || foldIs(v[:i], "root")) || len(w.key) >= 10 && foldEqual(w.key[len(w.key)-10:], "basic_auth")) {
			vs += i + 1
			break
		}
		if w.list && foldIs(w.key, "auth") && mixedWord(v) || serviceKey(v, w) || foldIs(w.key, "auth") && quoted && w.json && packedAuth(v) {
			break
		}
		if w.kind == keyname.APIKey && bytes.Contains(v, []byte(".Embedded.")) {
			return // an object of a management board
		}
		if endsInToken(v) || !looksRandom(v) || isUUID(v) && w.kind != keyname.Token || isPath(v) || isClassName(v) {
			return
		}
	case keyname.Strong:
		if i := bytes.Index(v, []byte(":/")); i > 0 && i < 12 && isIdent(v[:i]) && isPath(v[i+1:]) {
			return // hash:/etc/postfix/sasl_passwd
		}
		if isPath(v) && (w.kind != keyname.Password || v[0] == '/' || v[0] == '~') {
			return
		}
		if !quoted && w.prose && !looksSecret(v) {
			return
		}
		if isNumber(v) && !quoted && w.kind != keyname.Password && w.kind != "custom" && len(v) < 6 && !(len(v) >= 4 && w.toEnd && foldIs(w.key, "secret")) {
			return
		}
		if w.code && !quoted && isIdent(v) && !looksRandom(v) {
			return
		}
		if s.source && w.code && !quoted && (programText(v) || isNumber(v)) {
			return
		}
	}
	if len(v) == 1 && (v[0] == '|' || v[0] == '>' || v[0] == '{' || v[0] == '[' || v[0] == '(' || v[0] == '=' || v[0] == '-' || v[0] == '+' || v[0] == '\\' || v[0] == ')' || v[0] == '}') {
		return
	}
	if isToken(v) {
		return
	}
	s.Spans = append(s.Spans, Span{Start: vs, End: ve, Kind: w.kind, Rule: w.rule, Quote: w.json && !quoted})
}

// scheme is the name of a scheme, if v begins with one and a blank.
func scheme(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	for _, sch := range schemes[v[0]&31] {
		if len(v) > len(sch)+1 && isSpace(v[len(sch)]) && foldEqual(v[:len(sch)], sch) {
			return sch
		}
	}
	return ""
}

var schemes = listOf("bearer", "basic", "token", "digest", "negotiate", "apikey", "aws4-hmac-sha256", "ntlm", "oauth", "pass:", "splunk", "genie", "klaviyo-api-key", "sso-key", "key")
