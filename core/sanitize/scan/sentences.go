package scan

import (
	"bytes"
	"iter"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Secrets that a sentence tells: the password for user x is y.

var proseBad = []string{"required", "invalid", "incorrect", "wrong", "not", "missing", "empty", "too", "expired", "set", "a", "an", "the", "in", "stored", "used", "valid", "correct", "now", "being", "already", "only", "your", "hidden", "encrypted", "no", "never", "weak", "strong", "ok", "to", "from", "read", "written", "needed", "mandatory", "optional", "generated", "changed", "provided", "unknown", "case", "null", "unset", "disabled", "enabled", "sent", "passed", "given", "per", "longer", "shorter", "this", "that", "of", "always", "something", "what",
	"forbidden", "denied", "unavailable", "available", "unreadable", "inaccessible", "unauthorized", "rejected", "accepted", "revoked", "rotated", "compromised", "leaked", "immutable", "ready", "active", "inactive", "unchanged", "broken", "corrupt", "corrupted", "blank", "outdated", "stale", "deprecated", "unsupported", "supported", "allowed", "shared", "managed", "external", "pending", "created", "updated", "deleted", "removed", "visible", "protected", "verified", "confirmed", "enough", "safe", "unsafe", "insecure", "secure", "good", "bad", "here", "there", "it", "up", "due", "about", "on", "off", "case-sensitive", "mine", "yours", "ours", "everything", "nothing", "blocked", "locked", "unlocked", "cached", "loaded", "found", "lost", "gone", "back", "complete", "incomplete", "malformed", "truncated", "random", "unique", "different", "identical", "same", "equal", "shown", "displayed", "printed", "logged", "asked", "prompted", "present", "listed", "kept", "checked", "correctly", "see", "mentioned", "included", "attached", "masked", "redacted", "omitted", "recorded", "enforced", "requested", "received", "accessible", "known", "ignored", "still"}

// sentence reads "the password for user 'x' is 'y'" from after the key.
func (s *Scanner) sentence(ke, sep int, w want) bool {
	buf := s.buf
	if quoteAt(buf, sep, s.le) > 0 {
		if w.kind == keyname.Password && sep-ke == 1 && !s.source && (s.before(ke-len(w.key), "using ") || s.before(ke-len(w.key), "with ") || s.before(ke-len(w.key), "with the ")) {
			w.rule, w.prose = "sentence", false
			s.value(sep, w)
			return true
		}
		return false // password "x" is what a user has
	}
	end := min(s.le, ke+100)
	// the first " is " (was, to, =) within the next words
	if w.kind == keyname.Password && s.passwordColon(ke, w) {
		return true
	}
	if w.kind != keyname.Password && s.keyColon(ke, w) {
		return true
	}
	if v := bytes.TrimRight(firstWord(buf[sep:s.le]), ",;"); w.kind == keyname.Password && sep-ke == 1 && s.offered(ke-len(w.key)) && mixedWord(v) && looksSecret(v) {
		w.rule = "key-word"
		s.judge(sep, sep+len(v), w, true) // there with password x is anna here
		return true
	}
	for i, verb := range verbsIn(buf[ke:end]) {
		// Only words and quoted names between.
		mid := buf[ke : ke+i]
		if containsFold(mid, "fingerprint") {
			return true
		}
		if verb == " = " && containsFold(mid, " from ") && containsFold(mid, " where ") {
			return false // what a query compares is another column
		}
		if bytes.Contains(mid, []byte("\",")) || bytes.Contains(mid, []byte("',")) || bytes.Contains(mid, []byte("\";")) {
			return false // the string that the name is in ends before
		}
		if bytes.ContainsAny(mid, "=;{}<>()") && !quotedPrintable(mid) || len(bytes.Fields(mid)) > 8 || bytes.Contains(mid, []byte(". ")) {
			continue
		}
		p := nonSpace(buf, ke+i+len(verb), s.le)
		if p >= s.le {
			return false
		}
		if verb == " auf " && (i == 0 || quoteAt(buf, p, s.le) == 0 || !bytes.Contains(buf[p:s.le], []byte("gesetzt")) && !bytes.Contains(buf[p:s.le], []byte("ndert"))) {
			continue
		}
		if verb == " to " && (i > 0 && (w.kind != keyname.Password || !bytes.HasPrefix(mid, []byte(" of ")) && !bytes.HasPrefix(mid, []byte(" for "))) || buf[p] == '`' || foldIs(w.key, "pass")) {
			continue // pass it to "x"
		}
		if n := quoteAt(buf, p, s.le); n > 0 {
			if s.openQuote(ke) == buf[p] && (p+1 >= s.le || !isAlnum(buf[p+1])) {
				return true // "the password is " + p: the sentence ends
			}
			w.rule, w.prose = "sentence", false
			s.value(p, w)
			return true
		}
		if verb == " = " || verb == " of " || verb == " to " {
			continue
		}
		e := p
		for e < s.le && !isSpace(buf[e]) && buf[e] != '<' && !(buf[e] == '&' && e+3 < s.le && (string(buf[e:e+3]) == "&lt" || string(buf[e:e+3]) == "&am")) {
			e++
		}
		t := e
		if i := bytes.IndexByte(buf[p:t], '"'); i > 0 {
			t = p + i // the string ends, and what holds it: is x"}}
		}
		if t-p > 3 && (string(buf[t-3:t]) == "=20" || buf[t-1] == '=' && e == s.le) && quotedPrintable(buf[s.ls:p]) {
			t -= 1 + 2*btoi(buf[t-1] == '0') // the end of a line in a mail
		}
		for t > p && bytes.IndexByte([]byte(".,;):\"'`"), buf[t-1]) >= 0 {
			t--
		}
		word := buf[p:t]
		if isSwitch(word) || s.source && !s.commented(ke) && programText(word) {
			return true
		}
		for _, b := range proseBad {
			if foldIs(word, b) {
				return true
			}
		}
		if len(word) > 5 && bytes.HasSuffix(word, []byte("ly")) && lowerWord(word) {
			return true // is really, is currently
		}
		if looksSecret(word) || nonSpace(buf, e, s.le) >= s.le && len(word) >= 4 && verb == " is " && (w.kind == keyname.Password || len(bytes.TrimSpace(mid)) == 0) {
			w.rule = "sentence"
			s.judge(p, t, w, true)
		}
		return true
	}
	return false
}

// quotedPrintable is true for a text of a mail with letters as in f=C3=BCr, and
// without anything else that ends a sentence.
func quotedPrintable(v []byte) bool {
	if bytes.ContainsAny(v, ";{}<>()") {
		return false
	}
	high := false
	for i, c := range v {
		if c != '=' {
			continue
		}
		if i+2 >= len(v) || !isHex(v[i+1]) || !isHex(v[i+2]) {
			return false
		}
		high = high || v[i+1] >= '8'
	}
	return high
}

// passwordColon reads: password for NAME: x, password is generated for NAME: x.
// The last word of the line is the secret, if it looks like one.
func (s *Scanner) passwordColon(ke int, w want) bool {
	buf := s.buf
	p := s.le
	for p > ke && !isSpace(buf[p-1]) {
		p--
	}
	if i := bytes.IndexByte(buf[p:s.le], ':'); i > 1 && s.le-p-i > 5 && p-ke >= 4 && p-ke < 20 && string(buf[p-4:p]) == "for " && mixedWord(buf[p+i+1:s.le]) && isIdent(buf[p:p+i]) {
		w.rule = "sentence"
		s.judge(p+i+1, s.le, w, true) // password for NAME:x
		return true
	}
	if i := bytes.Index(buf[ke:s.le], []byte("': ")); i > 4 && i < 100 && ofWhom(buf[ke:ke+i]) && bytes.Count(buf[ke:ke+i], []byte{'\''}) == 1 && shortSecret(buf[ke+i+3:s.le]) {
		w.rule, w.toEnd = "sentence", true
		s.value(ke+i+2, w) // passphrase for key '/root/.ssh/id': x
		return true
	}
	if p < s.le && buf[s.le-1] == ':' && s.le-ke < 120 && ofWhom(buf[ke:s.le]) && !s.State.open() && !s.source {
		s.enter(InNext, w.kind, 0, 2, 'w') // password for NAME: and it stands on the next line
		return true
	}
	if s.le-p < 6 || p-ke < 6 || p-ke > 90 || p < 2 || buf[p-2] != ':' || !isSpace(buf[p-1]) {
		return false
	}
	mid := buf[ke : p-2]
	if n := len(mid); n > 4 && mid[n-1] == ')' {
		if i := bytes.LastIndex(mid, []byte(" (")); i > 0 && letters(mid[i+2:n-1]) {
			mid = append(mid[:i:i], ' ') // password for NAME (reset): x
		}
	}
	if !ofWhom(mid) || bytes.ContainsAny(mid, "=;{}<>()") {
		return false
	}
	if v := buf[p:s.le]; !looksSecret(v) || isNumber(v) || v[len(v)-1] == '.' || v[len(v)-1] == ')' || bytes.Contains(mid, []byte("from ")) {
		return false
	}
	w.rule = "sentence"
	s.judge(p, s.le, w, true)
	return true
}

// made are words behind the name of a key that is shown then.
var made = listOf("created", "generated", "issued", "rotated to", "was created", "was generated", "has been created", "has been generated")

// shortSecret is true for three words at most, of which one looks like no word.
func shortSecret(v []byte) bool {
	return len(v) < 64 && bytes.Count(bytes.TrimSpace(v), []byte{' '}) < 3 && (looksSecret(firstWord(v)) || bytes.ContainsAny(v, "0123456789") && !bytes.ContainsAny(v, "()"))
}

// keyColon reads: the new API key for NAME: x. What follows must be drawn by
// chance beyond doubt.
func (s *Scanner) keyColon(ke int, w want) bool {
	buf := s.buf
	i := bytes.Index(buf[ke:min(s.le, ke+60)], []byte(": "))
	if i < 5 || !ofWhom(buf[ke:ke+i]) && !made.has(bytes.TrimSpace(buf[ke:ke+i])) || bytes.ContainsAny(buf[ke:ke+i], "=;{}<>()") {
		return false
	}
	p := nonSpace(buf, ke+i+2, s.le)
	v := trimEnd(firstWord(buf[p:s.le]), ".,;")
	if len(v) < 16 || !looksRandom(v) || isUUID(v) || isPath(v) {
		return false
	}
	w.rule = "sentence"
	s.judge(p, p+len(v), w, true)
	return true
}

// ofWhom is true for words that say whose password it is.
func ofWhom(mid []byte) bool {
	for _, t := range []string{" for ", " of ", " f\u00fcr ", " von ", " du ", " de ", " del ", " para ", " per ", " voor "} {
		if bytes.Contains(mid, []byte(t)) {
			return true
		}
	}
	return false
}

// spokenBad is true for a word that goes on with a sentence about a password.
func spokenBad(v []byte) bool {
	for _, b := range proseBad {
		if foldIs(v, b) {
			return true
		}
	}
	return false
}

// verbsIn yields the places of verbs in b.
func verbsIn(b []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; i+2 < len(b); i++ {
			if b[i] != ' ' {
				continue
			}
			for _, v := range verbs[lower(b[i+1])] {
				if i+len(v) <= len(b) && foldEqual(b[i:i+len(v)], v) {
					if !yield(i, v) {
						return
					}
					break
				}
			}
		}
	}
}

// keyIs reads "your API2CART key is x" for names that are weak: what stands
// there must be drawn by chance beyond doubt.
func (s *Scanner) keyIs(p int) bool {
	if p+3 >= s.le || string(s.buf[p:p+3]) != "is " {
		return false
	}
	p = nonSpace(s.buf, p+3, s.le)
	p += quoteAt(s.buf, p, s.le)
	e := p
	for e < s.le && isAlnum(s.buf[e]) {
		e++
	}
	if v := s.buf[p:e]; len(v) < 20 || !mixed(v) || !looksRandom(v) {
		return false
	}
	s.hide(p, e, keyname.APIKey, "sentence")
	return true
}

// verbs say that what follows is the value; by their first letter.
var verbs = [256][]string{
	0xc3: {" è ", " é "},
	'i':  {" is set to ", " is now ", " is still ", " is currently ", " is ", " is: ", " ist ", " ist: "}, 'h': {" has been changed to ", " has been set to ", " has been reset to "}, 'w': {" was changed to ", " was set to ", " was reset to ", " was ", " will be ", " would be ", " with value "}, 's': {" set to "},
	'c': {" changed to "}, 'a': {" are ", " auf "}, 'e': {" equals ", " est d\u00e9sormais ", " est maintenant ", " est ", " es ", " est : ", " es: "}, 'l': {" lautet ", " lautet: ", " luidt "}, '=': {" = ", " => "}, 't': {" to be ", " to value ", " to "}, 'r': {" reset to "}, 'o': {" of "},
}
