package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Runs of hex digits are checksums, mostly. Some are keys, which the words
// before them say, and some are text: the audit daemon writes the arguments of
// commands so, when they hold blanks.

// hexRun looks at the run buf[start:end], which has hex digits and no letters
// beyond F but for an x in 0x.
func (s *Scanner) hexRun(start, end int) {
	buf := s.buf
	if buf[start] == '0' && start+1 < end && buf[start+1]|0x20 == 'x' {
		start += 2
	}
	n := end - start
	switch {
	case n < 16 || n&1 != 0:
		return
	case n >= 64 && bytes.HasPrefix(s.buf[s.ls:start], []byte("CLIENT_RANDOM ")):
		s.hide(start, end, keyname.APIKey, "tls-key-log")
	case n >= 32 && start-s.ls >= 2 && buf[start-1] == ':' && (buf[start-2] == 'S' && n == 60 || buf[start-2] == 'T' && n == 160 || buf[start-2] == 'H' && n == 32) && (start-s.ls == 2 || !isAlnum(buf[start-3])):
		s.hide(start, end, keyname.Password, "oracle-verifier") // S:...;T:... of Oracle's user$
	case n >= 32 && s.cipherBefore(start):
		s.hide(start, end, keyname.APIKey, "cipher-key")
	case n == 64 && start > s.ls && buf[start-1] == '#' && containsFold(buf[s.ls:start], "user "):
		s.hide(start, end, keyname.Password, "redis-acl")
	case n == 32 && s.samHashes(start, end):
	case s.depth < 2 && start > s.ls && (buf[start-1] == '=' || buf[start-1] == ' ' || buf[start-1] == ':' || buf[start-1] == '"' || buf[start-1] == 'x') && s.hexText(buf[start:end]):
		s.hide(start, end, keyname.Secret, "hex")
	}
}

// cipherBefore is true behind the name of a cipher: crypt aes-xts-plain64 KEY in
// the tables of the device mapper, enc cbc(aes) 0xKEY among the states of IPsec.
func (s *Scanner) cipherBefore(p int) bool {
	b := s.buf[max(s.ls, p-48):p]
	b = bytes.TrimSuffix(b, []byte("0x"))
	if len(b) == 0 || !isSpace(b[len(b)-1]) {
		return false
	}
	b, cipher := lastWord(b)
	if len(b) == 0 || bytes.IndexByte(cipher, '(') <= 0 && bytes.IndexByte(cipher, '-') <= 0 {
		return false
	}
	_, before := lastWord(b)
	for _, w := range []string{"crypt", "enc", "auth", "auth-trunc", "aead", "-E", "-A"} {
		if string(before) == w {
			return true
		}
	}
	return false
}

// lastWord cuts the last word off, and the blanks around it.
func lastWord(b []byte) (rest, word []byte) {
	e := len(b)
	for e > 0 && isSpace(b[e-1]) {
		e--
	}
	i := e
	for i > 0 && !isSpace(b[i-1]) {
		i--
	}
	return b[:i], b[i:e]
}

// tunnelDump hides the private key or the one shared before in a line of
// wg show all dump: interface, private key, public key, port, mark; or
// interface, public key, shared key, and more.
func (s *Scanner) tunnelDump(start, end int) {
	fields := bytes.Split(s.buf[s.ls:s.le], []byte{'\t'})
	at := bytes.Count(s.buf[s.ls:start], []byte{'\t'})
	if n := len(fields); n == 5 && at == 1 || n == 4 && at == 0 || n >= 8 && at == n-7 || n == 4 && at == 1 && bytes.HasSuffix(fields[2], []byte("=")) || n == 4 && at == 2 && bytes.IndexByte(fields[3], ':') > 0 {
		if n != 4 || at != 1 || bytes.IndexByte(fields[3], ':') < 0 {
			s.hide(start, end, privateKind, "tunnel-key")
		}
	}
}

// samHashes is true for the hashes of a line of Windows' accounts, which it
// hides: name:500:LM:NT:::.
func (s *Scanner) samHashes(start, end int) bool {
	buf := s.buf
	if start < s.ls+34 || buf[start-1] != ':' || end >= s.le || buf[end] != ':' {
		return false
	}
	lm := start - 33
	if buf[lm-1] != ':' {
		return false
	}
	for _, c := range buf[lm : start-1] {
		if !isHex(c) {
			return false
		}
	}
	s.hide(start, end, keyname.Kind("hash"), "password-hash")
	if string(buf[lm:lm+4]) != "aad3" { // that is the hash of nothing
		s.hide(lm, start-1, keyname.Kind("hash"), "password-hash")
	}
	return true
}

// hexText is true for text in hex that holds a secret. Arguments end in NUL.
func (s *Scanner) hexText(v []byte) bool {
	for i := 0; i < 16; i += 2 {
		if c := hexDigit(v[i])<<4 | hexDigit(v[i+1]); c < ' ' && c != 0 && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	s.nested()
	text := s.decoded[:0]
	for i := 0; i+1 < len(v); i += 2 {
		c := hexDigit(v[i])<<4 | hexDigit(v[i+1])
		if c == 0 {
			c = ' '
		}
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
		text = append(text, c)
	}
	s.decoded = text
	s.inner.Scan(text, 0, len(text))
	return len(s.inner.Spans) > 0
}
