package scan

import (
	"bytes"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Lines of configuration whose words have their places. Where those are known, a
// secret need not look like one: enable password summer.

// grammars are such lines. A word stands for itself, a|b for one of two; ? is
// any word and # a number; [#] may be there, and so may a type such as ENC; ~ is
// any number of words; * is the secret, and what follows it has to follow it.
// Those behind an @ count in the configuration of network gear only.
var grammars = compile(
	"@enable password|secret [level] [#] *",
	"@enable password|secret level # [#] *",
	"@enable algorithm-type ? secret *",
	"@username ~ password|secret [#] *",
	"@user ~ password|secret [#] *",
	"@snmp-server community * ~",
	"@tacacs-server|radius-server ~ key [#] *",
	"@tacacs-server|radius-server key [#] *",
	"@crypto isakmp key [#] * address|hostname ~",
	"@ntp authentication-key # md5|sha1 [#] *",
	"@ip ospf message-digest-key # md5 [#] *",
	"@ip ospf authentication-key [#] *",
	"@ip ftp|http|ssh ~ password [#] *",
	"@area ~ authentication-key|md5 [#] *",
	"@neighbor ? password [#] * ~",
	"@ppp ~ password [#] *",
	"@standby|vrrp|glbp ~ authentication [text] *",
	"@standby|vrrp|glbp ~ key-string [#] *",
	"@authentication text|md5 *",
	"@pre-shared-key [local] [remote] [#] *",
	"@password|secret|key|key-string|auth-password|priv-password [#] *",
	"@set ~ password|passwd|secret|psksecret|passphrase|pre-shared-key|community|auth-pwd|priv-pwd [ENC] *",
	"@local-user ? password simple|cipher *",
	"@wpa-psk ascii [#] *",
	"@failover key [#] *",
	"fcsp dhchap password [#] *",
	"@ldap-login-password *",
	"d-i ? password *",
	"cachemgr_passwd * ~",
	"monitor ? # ? * master|slave|primary|secondary",
	"dns cloudflare|hetzner|digitalocean|gandi|linode|vultr *",
	"php_value|php_admin_value|setenv|fastcgi_param|uwsgi_param %secret *",
	"cachemgr_passwd *",
)

type grammar struct {
	device bool
	steps  []string
}

func compile(lines ...string) map[string][]grammar {
	m := map[string][]grammar{}
	for _, l := range lines {
		l, device := strings.CutPrefix(l, "@")
		steps := strings.Fields(l)
		for first := range strings.SplitSeq(steps[0], "|") {
			m[first] = append(m[first], grammar{device, steps[1:]})
		}
	}
	return m
}

// grammatical hides the secret in a line that has one of those grammars. True if it
// has.
func (s *Scanner) grammatical() bool {
	buf := s.buf
	p := nonSpace(buf, s.ls, s.le)
	if s.le-p > 240 || s.cut || s.source {
		return false
	}
	p, console := s.console(p)
	if i := bytes.Index(buf[p:s.le], []byte("logged command:")); i > 0 {
		p, console = p+i+len("logged command:"), true
	}
	e := p
	var low [20]byte
	for ; e < s.le && !isSpace(buf[e]); e++ {
		if e-p == len(low) {
			return false
		}
		low[e-p] = lower(buf[e])
	}
	known := grammars[string(low[:e-p])]
	if known == nil {
		return false
	}
	var words [16]arg
	n := 0
	for e < s.le {
		if p = nonSpace(buf, e, s.le); p >= s.le {
			break
		}
		if e = p; buf[p] == '"' {
			if i := bytes.IndexByte(buf[p+1:s.le], '"'); i > 0 {
				e = p + i + 2
			}
		}
		for ; e < s.le && !isSpace(buf[e]); e++ {
		}
		if n == len(words) {
			return false
		}
		a := arg{p, e, p, e}
		if buf[e-1] == ';' {
			a.ve--
		}
		if c := buf[a.vs]; (c == '"' || c == '\'') && a.ve-a.vs > 2 && buf[a.ve-1] == c {
			a.vs++
			a.ve--
		}
		words[n] = a
		n++
	}
	for _, g := range known {
		at := s.fits(g.steps, words[:n])
		if at == nil || g.device && !console && !s.deviceFile() {
			continue
		}
		spans := len(s.Spans)
		s.judge(at.vs, at.ve, want{class: keyname.Strong, kind: keyname.Password, rule: "directive"}, true)
		return len(s.Spans) > spans
	}
	return false
}

// console is where the command begins behind the prompt of network gear at p, and
// true if that is where its configuration is changed: sw1(config-line)#password x.
func (s *Scanner) console(p int) (int, bool) {
	buf := s.buf
	e := p
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '-' || buf[e] == '_' || buf[e] == '.') {
		e++
	}
	if e == p || e+2 >= s.le {
		return p, false
	}
	open := e
	if buf[e] == '(' {
		i := bytes.IndexByte(buf[e:min(s.le, e+40)], ')')
		if i < 0 {
			return p, false
		}
		e += i + 1
	}
	if e+1 >= s.le || buf[e] != '#' && buf[e] != '>' {
		return p, false
	}
	return nonSpace(buf, e+1, s.le), bytes.HasPrefix(buf[open:e], []byte("(config"))
}

// fits finds the secret among words that follow the steps of a grammar.
func (s *Scanner) fits(steps []string, words []arg) *arg {
	var secret *arg
	for i := 0; i < len(steps); i++ {
		step := steps[i]
		if step == "~" {
			if i+1 == len(steps) {
				return secret
			}
			for k := range words {
				if at := s.fits(steps[i+1:], words[k:]); at != nil {
					return at
				}
			}
			return nil
		}
		if len(words) == 0 {
			if step[0] == '[' {
				continue
			}
			return nil
		}
		v := s.text(words[0])
		switch {
		case step[0] == '[':
			if step == "[#]" && !(len(v) <= 2 && isNumber(v)) || step != "[#]" && !foldIs(v, strings.ToLower(step[1:len(step)-1])) || len(words) == 1 {
				continue
			}
		case step == "*":
			if len(v) < 3 || spokenBad(v) || speaksOf(v) {
				return nil
			}
			secret = &words[0]
		case step == "#":
			if !isNumber(v) {
				return nil
			}
		case step == "%secret":
			if c, _ := s.classify(v); c != keyname.Strong {
				return nil
			}
		case step != "?":
			found := false
			for t := range strings.SplitSeq(step, "|") {
				found = found || foldIs(v, t)
			}
			if !found {
				return nil
			}
		}
		words = words[1:]
	}
	if len(words) > 0 {
		return nil
	}
	return secret
}

// speaksOf is true for a word that, behind password, only speaks of one: policy,
// encryption, history.
func speaksOf(v []byte) bool {
	var both [40]byte
	if len(v) > 24 {
		return false
	}
	n := copy(both[:], "password_")
	n += copy(both[n:], v)
	c, _ := keyname.Classify(both[:n])
	return c == keyname.Policy
}

// longName is true for names that say more than that they are passwords:
// rootpwmodpw, smtppassword.
func longName(k []byte) bool {
	for _, t := range [...]string{"pw", "passwd", "password", "secret", "passphrase"} {
		if n := len(k) - len(t); n >= 3 && string(k[n:]) == t && letters(k) {
			return true
		}
	}
	return false
}

func hasUpper(k []byte) bool {
	for _, c := range k {
		if c >= 'A' && c <= 'Z' {
			return true
		}
	}
	return false
}

// amongDirectives is true if the line above or below is a directive that goes
// with a password: user anna, host mail.
func (s *Scanner) amongDirectives() bool {
	buf := s.buf
	next := buf[min(s.le+1, s.hi):s.hi]
	if i := bytes.IndexByte(next, '\n'); i >= 0 {
		next = next[:i]
	}
	for _, l := range [2][]byte{s.lineAbove(), next} {
		l = bytes.TrimSpace(l)
		i := bytes.IndexByte(l, ' ')
		if i > 0 && len(l) < 60 && bytes.Count(l, []byte{' '}) <= 2 && directiveWords[string(l[:i])] {
			return true
		}
	}
	return false
}

var directiveWords = map[string]bool{"user": true, "username": true, "host": true, "hostname": true, "port": true, "server": true, "login": true, "account": true, "from": true, "auth": true, "tls": true, "protocol": true, "machine": true, "uri": true, "base": true, "binddn": true, "database": true, "dbname": true, "realm": true, "domain": true, "identity": true, "url": true, "email": true, "address": true, "method": true, "bucket": true, "region": true, "endpoint": true}

// deviceFile is true if the lines around are those of network gear.
func (s *Scanner) deviceFile() bool {
	around := s.buf[max(s.lo, s.ls-1500):min(s.hi, s.le+1500)]
	found := 0
	for len(around) > 0 && found < 3 {
		l := around
		if i := bytes.IndexByte(around, '\n'); i >= 0 {
			l, around = around[:i], around[i+1:]
		} else {
			around = nil
		}
		l = bytes.TrimLeft(l, " \t")
		w := firstWord(l)
		if len(w) == 0 || len(w) > 18 {
			continue
		}
		var low [18]byte
		for i, c := range w {
			low[i] = lower(c)
		}
		found += btoi(deviceLines[string(bytes.TrimRight(low[:len(w)], "\r"))])
	}
	return found >= 3
}

// deviceLines are the first words of such lines.
var deviceLines = map[string]bool{"!": true, "interface": true, "hostname": true, "snmp-server": true, "line": true, "aaa": true, "ip": true, "router": true, "crypto": true, "enable": true, "username": true, "tacacs-server": true, "radius-server": true, "ntp": true, "logging": true, "service": true, "version": true, "neighbor": true, "vlan": true, "switchport": true, "no": true, "access-list": true, "set": true, "edit": true, "next": true, "end": true, "config": true, "spanning-tree": true, "feature": true, "vrf": true, "local-user": true, "standby": true, "vrrp": true, "address": true, "nameif": true, "security-level": true, "encryption": true, "tunnel-group": true, "route": true, "exit": true, "login": true, "transport": true, "key": true, "authentication": true, "sysname": true, "snmp-agent": true}
