package scan

import "bytes"

const privateKind = "private_key"

// publicBlocks are parts of the names of what everybody may see.
var publicBlocks = [][]byte{[]byte("CERTIFICATE"), []byte("PUBLIC"), []byte("X509"), []byte("PKCS7"), []byte("CMS"), []byte("PARAMETERS"), []byte("SIGNATURE"), []byte("SIGNED"), []byte("MESSAGE"), []byte("CRL"), []byte("ENCRYPTED FILE"), []byte("TRUSTED")}

// pem deals with -----BEGIN at pos.
func (s *Scanner) pem(pos int) {
	buf := s.buf
	rest := buf[pos:min(s.le, pos+100)]
	label := rest[5:]
	end := bytes.Index(label, []byte("----"))
	if end < 0 {
		end = min(len(label), 60)
	}
	name := label[:end]
	private := bytes.Contains(name, []byte("PRIVATE")) || bytes.Equal(name, []byte("BEGIN BACKUP")) || bytes.HasSuffix(name, []byte(" KEY")) && !bytes.Contains(name, []byte("PUBLIC")) || containsFold(name, "static key") || containsFold(name, "preshared") || containsFold(name, "secret") || bytes.HasSuffix(name, []byte(" SEED"))
	after := pos + 5 + end
	for after < s.le && buf[after] == '-' {
		after++
	}
	// Everything on one line, with escaped or real spaces for line ends.
	if i := bytes.Index(buf[after:s.le], []byte("----END")); i >= 0 || bytes.Contains(buf[after:s.le], []byte("-----END")) {
		if !private {
			return
		}
		if i < 0 {
			i = bytes.Index(buf[after:s.le], []byte("-----END"))
		}
		e := after + i
		for e < s.le && buf[e] != 'D' {
			e++
		}
		e++
		for e < s.le && buf[e] != '-' && buf[e] != '"' && buf[e] != '\'' {
			e++
		}
		for e < s.le && buf[e] == '-' {
			e++
		}
		s.hide(pos, e, privateKind, "private-key")
		return
	}
	if !private {
		for _, t := range publicBlocks {
			if bytes.Contains(name, t) {
				s.enter(InPublic, "", 0, maxPEMLines, 0)
				break
			}
		}
		return
	}
	// The rest of the line may hold the beginning of the key.
	e := after
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '+' || buf[e] == '/' || buf[e] == '=' || buf[e] == '\\' && e+1 < s.le && buf[e+1] != '"' && buf[e+1] != '\'') {
		e++
	}
	if e < s.le && (buf[e] == '-' || isSpace(buf[e])) && e > after+1 {
		// words follow: spaces instead of line ends
		for e < s.le && (isSpace(buf[e]) || isAlnum(buf[e]) || buf[e] == '+' || buf[e] == '/' || buf[e] == '=' || buf[e] == ':' || buf[e] == ',' || buf[e] == '-') {
			e++
		}
		for e > after && isSpace(buf[e-1]) {
			e--
		}
	}
	// A bare \n escape stays outside, so that strings stay readable.
	for e >= after+2 && buf[e-2] == '\\' && (buf[e-1] == 'n' || buf[e-1] == 'r') {
		e -= 2
	}
	for e > after && buf[e-1] == '\\' {
		e--
	}
	s.hide(pos, e, privateKind, "private-key")
	s.enter(InPEM, privateKind, 0, maxPEMLines, 0)
}

// looksPEM is true for a line that begins PEM data, which has rules of its own.
func (s *Scanner) looksPEM(body []byte) bool {
	return bytes.HasPrefix(body, []byte("-----BEGIN "))
}

// pemLine hides one more line of a private key.
func (s *Scanner) pemLine() bool {
	line := s.buf[s.ls:s.le]
	if s.State.Left--; s.State.Left <= 0 {
		s.leave()
		return false
	}
	if i := bytes.Index(line, []byte("-END")); i >= 0 {
		e := s.ls + i + 4
		for i > 0 && line[i-1] == '-' {
			i--
		}
		for e < s.le && s.buf[e] != '-' && s.buf[e] != '"' {
			e++
		}
		for e < s.le && s.buf[e] == '-' {
			e++
		}
		// base64 before the marker on the same line goes too
		b := s.ls + i
		for b > s.ls && !isSpace(s.buf[b-1]) && s.buf[b-1] != '"' && s.buf[b-1] != '\'' {
			b--
		}
		s.hide(b, e, privateKind, "private-key")
		s.leave()
		return false
	}
	core := pemCore(line)
	if len(core) == 5 && core[0] == '=' && isBase64(core[1:]) {
		at := s.ls + bytes.Index(line, core) // the sum of OpenPGP
		s.hide(at, at+5, privateKind, "private-key")
		return true
	}
	if len(core) == 0 {
		return len(bytes.TrimSpace(line)) == 0 || bytes.IndexByte(line, ':') < 0 && len(line) < 12
	}
	at := s.ls + bytes.Index(line, core)
	if isBase64(core) && (len(core) >= 16 || len(bytes.TrimSpace(line)) <= len(core)+6) && !isToken(core) {
		s.hide(at, at+len(core), privateKind, "private-key")
		return true
	}
	if isToken(core) {
		return true
	}
	// Behind the words of a log.
	if i := bytes.LastIndexByte(core, ' ') + 1; i > 0 && isBase64(core[i:]) && (len(core)-i >= 20 || core[len(core)-1] == '=' && len(core)-i >= 4) && !isToken(core[i:]) {
		s.hide(at+i, at+len(core), privateKind, "private-key")
		return true
	}
	for _, h := range []string{"proc-type:", "dek-info:", "comment:", "version:", "subject:", "x-", "encryption:", "hash:", "charset:", "messageid:"} {
		if len(core) >= len(h) && foldEqual(core[:len(h)], h) {
			s.hide(at, at+len(core), privateKind, "private-key")
			return true
		}
	}
	s.leave()
	return false
}

// pemCore strips what program text and comments put around a line of PEM.
func pemCore(line []byte) []byte {
	b := bytes.TrimSpace(line)
	for len(b) > 0 && (isSpace(b[0]) || b[0] == '"' || b[0] == '\'' || b[0] == '#' || b[0] == '*' || b[0] == '`' || b[0] == '>' || b[0] == '|' || b[0] == ';' || b[0] == ':' || b[0] == '-' && len(b) > 1 && (b[1] == ' ' || len(b) > 20 && isAlnum(b[1])) || b[0] == '/' && len(b) > 1 && b[1] == '/' && len(b) > 2 && b[2] == ' ' || b[0] == '+' && len(b) > 1 && (isSpace(b[1]) || b[1] == '"')) {
		b = b[1:]
	}
	for {
		n := len(b)
		b = trimEnd(b, " \t\"'`,;+)")
		if len(b) < n && n > 0 && bytes.HasSuffix(b, []byte("+")) {
			break
		}
		for _, t := range []string{`\n`, `\r`, `\\n`, `\`} {
			b = bytes.TrimSuffix(b, []byte(t))
		}
		if len(b) == n {
			break
		}
	}
	return b
}
