package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Lines of network gear.

// authenticationKey reads the keys of routing and time protocols:
// authentication-key [NUMBER] [type] [md5] [value] KEY.
func (s *Scanner) authenticationKey(p int, w want) bool {
	w.class, w.kind, w.rule = keyname.Strong, keyname.APIKey, "device"
	for words := 0; p < s.le && words < 6; words++ {
		if quoteAt(s.buf, p, s.le) > 0 {
			s.value(p, w)
			return true
		}
		e := p
		for e < s.le && !isSpace(s.buf[e]) && s.buf[e] != ';' {
			e++
		}
		v := s.buf[p:e]
		if isNumber(v) && len(v) < 6 || foldIs(v, "type") || foldIs(v, "value") || foldIs(v, "md5") || foldIs(v, "sha1") || foldIs(v, "sha256") || foldIs(v, "sha-256") || foldIs(v, "hmac-sha1-12") || foldIs(v, "cmac-aes-128") {
			p = nonSpace(s.buf, e, s.le)
			continue
		}
		if w.json = false; len(v) > 2 && !lowerWord(v) {
			s.judge(p, e, w, true)
		}
		return true
	}
	return true
}

// firstHop is true for "authentication" in the lines of the protocols by which
// routers share an address, and of NHRP: what follows is a secret.
func (s *Scanner) firstHop(ks int) bool {
	l := s.buf[nonSpace(s.buf, s.ls, ks):ks]
	for _, t := range []string{"vrrp ", "standby ", "glbp ", "hsrp "} {
		if len(l) > len(t) && foldEqual(l[:len(t)], t) {
			return true
		}
	}
	return s.before(ks, "nhrp ")
}

// typed takes a value behind words that say of which kind it is: the type of a
// value in the Windows registry (DefaultPassword REG_SZ x), the privilege that a
// password opens (enable password level 15 7 x).
func (s *Scanner) typed(p int, w want) bool {
	buf := s.buf
	e := p
	for e < s.le && !isSpace(buf[e]) {
		e++
	}
	switch v := buf[p:e]; {
	case len(v) > 5 && string(v[:4]) == "REG_" && upperIdent(v):
		if v := nonSpace(buf, e, s.le); v < s.le {
			w.rule, w.toEnd = "registry", true
			s.judge(v, s.le, w, true)
		}
		return true
	case foldIs(v, "set-key"):
		return true // psk set-key ascii 0 x: the next word is the name
	case foldIs(v, "level") && s.deviceLine():
		p = nonSpace(buf, e, s.le)
		for i := 0; i < 2; i++ { // the level, the type of encryption
			for e = p; e < s.le && isDigit(buf[e]); e++ {
			}
			if n := nonSpace(buf, e, s.le); e-p < 3 && n > e && n < s.le {
				p = n
			}
		}
		for e = p; e < s.le && !isSpace(buf[e]); {
			e++
		}
		if n := nonSpace(buf, e, s.le); n < s.le && formats.has(buf[p:e]) {
			p = n
		}
		w.rule, w.toEnd = "device", false
		s.value(p, w)
		return true
	case foldIs(v, "key") && foldIs(w.key, "pre-shared-key"): // of PAN-OS
		w.rule, w.toEnd = "device", false
		s.value(e, w)
		return true
	case (foldIs(v, "manager") || foldIs(v, "operator") || foldIs(v, "port-access")) && foldIs(w.key, "password"): // of ProCurve
		for n := 0; n < 4; n++ {
			p = nonSpace(buf, e, s.le)
			for e = p; e < s.le && !isSpace(buf[e]); {
				e++
			}
			if t := buf[p:e]; foldIs(t, "plaintext") || foldIs(t, "sha1") || foldIs(t, "sha256") || foldIs(t, "encrypted-password") {
				w.rule, w.toEnd = "device", true
				s.value(e, w)
				return true
			}
		}
	}
	return false
}

// underLine is true below line vty 0 4 and the like: what follows password there
// is one, however simple.
func (s *Scanner) underLine() bool {
	above := s.buf[max(s.lo, s.ls-200):s.ls]
	i := bytes.LastIndex(above, []byte("\nline ")) + 1
	return bytes.HasPrefix(above[i:], []byte("line ")) && bytes.Count(above[i:], []byte{'\n'}) <= bytes.Count(above[i:], []byte("\n "))+1
}

// unitOfTime is true for what a number counts: password 5 days.
func unitOfTime(v []byte) bool {
	for _, t := range []string{"days", "day", "minutes", "seconds", "hours", "weeks", "times", "characters", "chars", "attempts", "encryption", "level", "role"} {
		if foldIs(v, t) {
			return true
		}
	}
	return false
}

// sharedKey is true for the lines of network gear on which "key" is a secret.
func (s *Scanner) sharedKey() bool {
	l := s.buf[s.ls:min(s.le, s.ls+256)]
	for _, t := range []string{"isakmp", "tacacs", "radius", "failover ", "key-string", "server", "ntp authentication-key", "authentication md5 ", " md5 "} {
		if containsFold(l, t) {
			return true
		}
	}
	// In the block of a server: it begins with a line that is indented less.
	if !isSpace(s.buf[s.ls]) {
		return false
	}
	above := s.buf[max(s.lo, s.ls-300):s.ls]
	for len(above) > 0 {
		above = above[:len(above)-1]
		i := bytes.LastIndexByte(above, '\n')
		if t := above[i+1:]; len(t) > 0 && !isSpace(t[0]) {
			return len(t) > 10 && (foldEqual(t[:6], "radius") || foldEqual(t[:6], "tacacs") || foldEqual(t[:10], "aaa-server"))
		}
		above = above[:i+1]
	}
	return false
}

// communityBelow reads what RouterOS lists below /snmp community:
// add name=x, set [ find default=yes ] name=x.
func (s *Scanner) communityBelow(w want) {
	end := min(s.hi, s.le+600)
	for p := s.le; p < end && s.buf[p] == '\n'; {
		p++
		e := bytes.IndexByte(s.buf[p:end], '\n')
		if e < 0 {
			e = end - p
		}
		l := s.buf[p : p+e]
		i := bytes.Index(l, []byte(" name="))
		if i < 0 || !bytes.HasPrefix(l, []byte("add ")) && !bytes.HasPrefix(l, []byte("set ")) {
			return
		}
		b := i + len(" name=")
		v := l[b:]
		if len(v) > 1 && v[0] == '"' {
			b, v = b+1, v[1:]
			if q := bytes.IndexByte(v, '"'); q >= 0 {
				v = v[:q]
			}
		} else if q := bytes.IndexByte(v, ' '); q >= 0 {
			v = v[:q]
		}
		s.judge(p+b, p+b+len(bytes.TrimRight(v, "\r")), w, true)
		p += e
	}
}

// deviceLine is true for lines of network gear.
func (s *Scanner) deviceLine() bool {
	p := nonSpace(s.buf, s.ls, s.le)
	if p >= s.le {
		return false
	}
	l := s.buf[p:s.le]
	for _, t := range deviceWords[l[0]&31] {
		if len(l) > len(t) && foldEqual(l[:len(t)], t) {
			return true
		}
	}
	return false
}

// deviceWords begin such lines; by their first letter.
var deviceWords = func() (t [32][]string) {
	for _, w := range []string{"snmp-server", "enable ", "username ", "set ", "tacacs", "radius", "neighbor ", "crypto ", "ip ospf", "isakmp", "key ", "password ", "secret ", "pre-shared-key", "ppp ", "vrrp ", "failover ", "ikev1 ", "ikev2 ", "local-user", "super ", "snmp-agent", "ospf ", "isis ", "ldap-login", "ip nhrp", "standby ", "ntp ", "wpa-psk", "key-string", "server-private", "user ", "authentication ", "ip ", "area ", "aaa ", "aaa-server ", "glbp ", "security "} {
		t[w[0]&31] = append(t[w[0]&31], w)
	}
	return t
}()

// fortiCommunities hides the names of communities in the lines below config system
// snmp community.
func (s *Scanner) fortiCommunities() {
	for p := s.le + 1; p < s.hi; {
		e := s.hi
		if i := bytes.IndexByte(s.buf[p:s.hi], '\n'); i >= 0 {
			e = p + i
		}
		l := bytes.TrimLeft(s.buf[p:e], " \t")
		if string(bytes.TrimRight(l, "\r")) == "end" && len(l) == e-p {
			return // of the whole table: that of its parts is indented
		}
		if v, ok := bytes.CutPrefix(l, []byte("set name ")); ok {
			v = bytes.TrimRight(v, " \r")
			b := e - len(l) + len("set name ")
			if t := bytes.Trim(v, "\""); len(t) > 0 && len(t)+2 >= len(v) {
				b += btoi(v[0] == '"')
				s.hide(b, b+len(t), keyname.Community, "directive")
			}
		}
		p = e + 1
	}
}
