package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Maps that collect secrets under names of their own:
//
//	passwords:             api_keys = {            [tokens]
//	  bob: x                 stripe = "x"          ci = x
//
// A name in them says nothing, so that the value has to look like a secret; what
// names one (secrets: tls: wildcard-2024) does not.

// maxCollection is how many lines such a map may have.
const maxCollection = 200

var collections = listOf("passwords", "passwds", "pwds", "tokens", "api_keys", "apikeys", "api-keys", "access_keys", "secret_keys", "secrets", "credentials", "creds", "access_tokens", "api_tokens", "auth_tokens", "passphrases", "psks", "client_secrets")

// collects is true for the name of such a map: passwords, app.secrets, db_tokens.
func collects(key []byte) bool {
	if i := bytes.LastIndexAny(key, ".:/"); i >= 0 {
		key = key[i+1:]
	}
	if collections.has(key) {
		return true
	}
	i := bytes.LastIndexByte(key, '_')
	return i > 0 && collections.has(key[i+1:])
}

// collection takes the name, behind whose operator v is, as that of a map that
// goes on in the lines below.
func (s *Scanner) collection(v int, w want) bool {
	if w.class != keyname.Strong || s.source || s.State.open() || !collects(w.key) {
		return false
	}
	p := nonSpace(s.buf, v, s.le)
	if p < s.le && (s.buf[p] != '{' || nonSpace(s.buf, p+1, s.le) < s.le) {
		return false
	}
	s.enter(InMap, w.kind, s.indentOf(), maxCollection, byte(btoi(p >= s.le)))
	return true
}

// collectionSection takes the line as the head of a section that is one: [tokens].
func (s *Scanner) collectionSection(ks, ke int) {
	if ks > s.ls && s.buf[ks-1] == '[' && ke+1 == s.le && s.buf[ke] == ']' && ks-1 == s.ls && s.State.Mode == Normal && !s.source && collects(s.buf[ks:ke]) {
		class, kind := s.classify(s.buf[ks:ke])
		if class == keyname.Strong {
			s.enter(InMap, kind, -1, maxCollection, 0)
		}
	}
}

// collectionLine deals with a line of such a map. False means that the line is to
// be scanned as usual too.
func (s *Scanner) collectionLine(body []byte, indent, from int) bool {
	st := &s.State
	if len(body) == 0 || body[0] == '#' {
		return false
	}
	if st.Left--; indent <= st.Indent || st.Left < 0 || st.Indent < 0 && body[0] == '[' {
		s.leave()
		return false
	}
	b, e := 0, 0
	if q := body[0]; q == '"' || q == '\'' {
		b = 1
		e = 1 + max(0, bytes.IndexByte(body[1:], q))
	}
	if b == 0 {
		for e < len(body) && isKeyChar(body[e]) {
			e++
		}
	}
	name := body[b:max(b, e)]
	p := nonSpace(body, e+b, len(body))
	if st.Quote == 1 && (e == b || p >= len(body) || body[p] != ':') {
		s.enter(InNext, st.Kind, st.Indent, 3, 0) // no map: a list, or the value
		return s.stateLine()
	}
	st.Quote = 0
	if e == b || p >= len(body) || body[p] != ':' && body[p] != '=' {
		return false
	}
	p += 1 + btoi(p+1 < len(body) && (body[p+1] == '>' || body[p+1] == '='))
	vs := nonSpace(s.buf, from+p, s.le)
	ve := s.le
	for ve > vs && (isSpace(s.buf[ve-1]) || s.buf[ve-1] == ',') {
		ve--
	}
	if n := quoteAt(s.buf, vs, s.le); n > 0 {
		q := s.buf[vs+n-1]
		vs += n
		i := bytes.IndexByte(s.buf[vs:ve], q)
		if i < 0 {
			return false
		}
		ve = vs + i
	} else if i := bytes.Index(s.buf[vs:ve], []byte(" #")); i > 0 {
		ve = vs + i
	}
	v := s.buf[vs:ve]
	if class, _ := s.classify(name); class != keyname.Harmless || memberSettings.has(name) || besideSecrets.has(name) || bytes.IndexByte(v, ' ') >= 0 {
		return false
	}
	if s.tellable(v, false) && (st.Kind == keyname.Password || st.Kind == keyname.APIKey || !namesOne(v)) && !s.spare(v, keyname.Strong) {
		s.hide(vs, ve, st.Kind, "collection")
	}
	return false
}

// besideSecrets are names in such maps that have no secret.
var besideSecrets = listOf("name", "user", "username", "user_name", "login", "email", "id", "version", "engine", "external", "key", "description", "region", "bucket", "method", "algorithm", "hostname", "server", "address", "project", "account", "owner", "created", "expires", "updated", "title", "label", "value", "ref", "from", "to", "mount", "target", "image", "registry", "namespace", "kind", "apiversion", "annotations", "color", "font")

// namesOne is true for what is rather the name of a secret than one: small
// letters, with digits at the end of its words.
func namesOne(v []byte) bool {
	for i, c := range v {
		switch {
		case c >= 'a' && c <= 'z':
			if i > 0 && isDigit(v[i-1]) {
				return false
			}
		case isDigit(c) || c == '-' || c == '_' || c == '.' || c == '/' || c == ':':
		default:
			return false
		}
	}
	return true
}
