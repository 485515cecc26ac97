package scan

import (
	"bytes"
	"math/bits"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// What an identifier is.
type What uint8

// Identifiers.
const (
	IPv4 What = iota
	IPv6
	MAC
	Email
	Host
	User
	Net4 // the first one to three groups of an IPv4 address
)

// Whats is how many kinds of identifiers there are.
const Whats = 7

var whatNames = [Whats]string{"ipv4", "ipv6", "mac", "email", "host", "user", "ipv4"}

func (w What) String() string { return whatNames[w] }

// Ident is an identifier that gets a pseudonym.
type Ident struct {
	Start, End int
	Addr       uint32 // of IPv4 and Net4
	What       What
}

// identify verifies the candidates of identifiers in the window, kind by kind.
func (s *Scanner) identify(buf []byte, from, to int) {
	open := s.masks.Identify(s.Kernel, s.filled, &s.found)
	last := 0
	at, masks := s.found.Of(mask.Quad)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			if i := from + int(at[k]) + bits.TrailingZeros64(m); i < to && i >= last {
				last = s.ipv4(buf, i, from, to)
			}
		}
	}
	s.colonized(buf, from, to)
	s.dotted(buf, from, to)
	if from == 0 || buf[from-1] == '\n' {
		s.syslogHost(buf, from, to)
	}
	at, masks = s.found.Of(mask.Line)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			if i := from + int(at[k]) + bits.TrailingZeros64(m) + 1; i < to {
				s.syslogHost(buf, i, to)
			}
		}
	}
	at, masks = s.found.Of(mask.At)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			if i := from + int(at[k]) + bits.TrailingZeros64(m); i < to {
				s.email(buf, i, from, to)
			}
		}
	}
	at, masks = s.found.Of(mask.Host)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			s.host(buf, from+int(at[k])+bits.TrailingZeros64(m), from, to)
		}
	}
	if open {
		s.host(buf, to, from, to)
	}
	if s.Names == nil {
		return
	}
	at, masks = s.found.Of(mask.Name)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			i := from + int(at[k]) + bits.TrailingZeros64(m)
			if i+2 < to && s.Names.first>>(buf[i]&31)&1 != 0 && s.Names.head(buf[i:i+3]) {
				s.name(buf, i, to)
			}
		}
	}
}

// colonized verifies hardware addresses and those of IPv6. What belongs to the
// former is none of the latter.
func (s *Scanner) colonized(buf []byte, from, to int) {
	last, pairs := 0, s.pairs[:0]
	at, masks := s.found.Of(mask.Pair)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			if i := from + int(at[k]) + bits.TrailingZeros64(m); i < to && i >= last {
				last = s.mac(buf, i, from, to)
				pairs = append(pairs, [2]int{i - 16, last})
			}
		}
	}
	s.pairs = pairs
	last = 0
	at, masks = s.found.Of(mask.Colons)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			i := from + int(at[k]) + bits.TrailingZeros64(m)
			if i >= to || i < last {
				continue
			}
			for len(pairs) > 0 && pairs[0][1] <= i {
				pairs = pairs[1:]
			}
			if len(pairs) > 0 && pairs[0][0] <= i {
				continue
			}
			if end := s.ipv6(buf, i, from, to); end > 0 {
				last = end
			}
		}
	}
}

func (s *Scanner) ident(start, end int, w What) {
	s.Idents = append(s.Idents, Ident{start, end, 0, w})
}

// ipv4 verifies the dotted quad whose last group begins at i.
func (s *Scanner) ipv4(buf []byte, i, from, to int) int {
	start, end, addr, ok := s.quad(buf, i, to)
	if !ok {
		return i + 1
	}
	// More groups, or letters at either side: a version or an OID.
	if end < to {
		switch c := buf[end]; {
		case isLetter(c) || c == '_':
			return end
		case (c == '.' || c == '-' || c == '+' || c == '~') && end+1 < to && isAlnum(buf[end+1]) && !(c == '-' && isAddressAt(buf, end+1, to)):
			if c != '.' || !endpoint(buf, start, end, from, to) {
				return end
			}
		}
	}
	if start > from {
		switch c := buf[start-1]; {
		case isAlnum(c) || c == '_':
			return end
		case c == '.':
			return end
		case c == '-' && start-2 >= from && isAlnum(buf[start-2]) && !isDigit(buf[start-2]):
			return end
		case c == '+' || c == '~':
			return end
		}
	}
	if versionBefore(buf, start, from) || s.packageLine(buf, start, end, from, to) {
		return end
	}
	s.Idents = append(s.Idents, Ident{start, end, addr, IPv4})
	if end+6 < to && buf[end+1] == '-' && buf[end+3] != '-' && string(buf[end:end+3]) == " - " {
		s.visitor(buf, end, to)
	}
	return end
}

// endpoint is true for an address with its port, as tcpdump writes it:
// IP 10.0.0.1.443 > 10.0.0.2.51022: Flags.
func endpoint(buf []byte, start, end, from, to int) bool {
	p := end + 1
	for p < to && p < end+14 && isAlnum(buf[p]) {
		p++ // a number, or the name of a service
	}
	if p == end+1 || p+2 > to {
		return false
	}
	if string(buf[p:min(to, p+3)]) == " > " {
		return true
	}
	return buf[p] == ':' && start-2 >= from && string(buf[start-2:start]) == "> "
}

// quad reads the dotted quad whose last group begins at i. Its dots and digits
// are in the masks.
func (s *Scanner) quad(buf []byte, i, to int) (start, end int, addr uint32, ok bool) {
	for end = i + 1; end < to && isDigit(buf[end]); end++ {
	}
	// The 64 bytes before i, the last of them in the top bit.
	o := i - s.origin
	b, sh := o/64, uint(o)%64
	dots, digits := s.masks.Dot[b]<<(64-sh), s.masks.Digit[b]<<(64-sh)
	if b > 0 {
		dots |= s.masks.Dot[b-1] >> sh
		digits |= s.masks.Digit[b-1] >> sh
	}
	row := bits.LeadingZeros64(^(dots | digits))
	n3 := bits.LeadingZeros64(dots << 1)
	dots <<= 2 + n3
	n2 := bits.LeadingZeros64(dots)
	n1 := bits.LeadingZeros64(^(digits << (3 + n3 + n2)))
	n4 := end - i
	p2 := i - 1 - n3
	p1 := p2 - 1 - n2
	start = p1 - 1 - n1
	if n1 == 0 || n2 == 0 || n3 == 0 || n1 > 3 || n2 > 3 || n3 > 3 || n4 > 3 || row < 3+n1+n2+n3 {
		return 0, 0, 0, false
	}
	v1, v2, v3, v4 := group(buf, start, n1), group(buf, p1, n2), group(buf, p2, n3), group(buf, i, n4)
	if v1|v2|v3|v4 > 255 {
		return 0, 0, 0, false
	}
	return start, end, v1<<24 | v2<<16 | v3<<8 | v4, true
}

// group is the number of n digits at p, or more than 255.
func group(buf []byte, p, n int) uint32 {
	c := uint32(buf[p] - '0')
	if n == 1 {
		return c
	}
	if c == 0 {
		return 256 // leading zeros
	}
	c = c*10 + uint32(buf[p+1]-'0')
	if n == 2 {
		return c
	}
	c = c*10 + uint32(buf[p+2]-'0')
	if c > 255 {
		return 256
	}
	return c
}

func isAddressAt(buf []byte, i, to int) bool {
	dots := 0
	for ; i < to && (isDigit(buf[i]) || buf[i] == '.'); i++ {
		if buf[i] == '.' {
			dots++
		}
	}
	return dots == 3
}

func validQuad(b []byte) bool {
	_, ok := parseQuad(b)
	return ok
}

func parseQuad(b []byte) (addr uint32, ok bool) {
	v, n, groups := uint32(0), 0, 0
	for _, c := range b {
		if c == '.' {
			if n == 0 {
				return 0, false
			}
			groups++
			addr = addr<<8 | v
			v, n = 0, 0
			continue
		}
		if n > 0 && v == 0 {
			return 0, false // leading zeros
		}
		v = v*10 + uint32(c-'0')
		n++
		if v > 255 || n > 3 {
			return 0, false
		}
	}
	return addr<<8 | v, groups == 3 && n > 0
}

var versionWords = []string{"version", "ver", "versions", "v", "release", "rel", "firmware", "section", "driver", "oid", "build", "bios", "chapter", "rfc", "microcode", "revision", "rev", "fileversion", "productversion", "assemblyversion", "sdk", "id", "chrome", "safari", "paragraph", "clause", "upgrade", "upgraded", "package", "kernel", "manual"}

// versionLists has them by their first letter.
var versionLists = func() (t [32][]string) {
	for _, v := range versionWords {
		t[v[0]&31] = append(t[v[0]&31], v)
	}
	return t
}()

// versionBefore is true when the word before start speaks of versions.
func versionBefore(buf []byte, start, from int) bool {
	i := start
	for i > from && start-i < 8 && (isSpace(buf[i-1]) || buf[i-1] == '"' || buf[i-1] == '>' || buf[i-1] == '\'' || buf[i-1] == ':' || buf[i-1] == '=' || buf[i-1] == '(' || buf[i-1] == '/') {
		i--
	}
	e := i
	for i > from && e-i < 20 && (isLetter(buf[i-1]) || buf[i-1] == '_') {
		i--
	}
	w := buf[i:e]
	if len(w) == 0 {
		return false
	}
	if j := bytes.LastIndexByte(w, '_'); j >= 0 {
		w = w[j+1:]
	}
	if len(w) == 0 {
		return false
	}
	for _, v := range versionLists[w[0]&31] {
		if foldIs(w, v) {
			if v == "v" && e < start && buf[e] == ':' && i > from && buf[i-1] == '/' {
				return false // xfreerdp /v:10.0.0.1
			}
			return v != "id" || i > from && buf[i-1] == '-'
		}
	}
	return len(w) > 7 && containsFold(w, "version")
}

// packageLine is true for the lists of dpkg and rpm.
func (s *Scanner) packageLine(buf []byte, start, end, from, to int) bool {
	// Such lists are short lines.
	ls := max(from, start-256, s.lineOf(start))
	if l := buf[ls:start]; len(l) > 4 && l[2] == ' ' && (l[1] == 'i' && (l[0] == 'i' || l[0] == 'h') || l[0] == 'r' && l[1] == 'c' || l[0] == 'u' && l[1] == 'n') {
		return true
	}
	p := end
	for p < to && isSpace(buf[p]) {
		p++
	}
	if p == end || p == to {
		return false
	}
	switch buf[p] {
	case '@':
		return true
	case 'a', 'x', 'n', 'i':
		for _, a := range architectures {
			if bytes.HasPrefix(buf[p:to], a) {
				return true
			}
		}
	}
	return false
}

var architectures = [][]byte{[]byte("amd64"), []byte("x86_64"), []byte("noarch"), []byte("arm64"), []byte("i386"), []byte("aarch64"), []byte("all ")}

// mac verifies a run of pairs that has its sixth end at i.
func (s *Scanner) mac(buf []byte, i, from, to int) int {
	start := i - 16
	if start < from {
		return i
	}
	sep := buf[i-2]
	// Back to the beginning of the run; its first group has to be a pair.
	for start-3 >= from && buf[start-1] == sep && isHex(buf[start-2]) && isHex(buf[start-3]) {
		start -= 3
	}
	end := i + 1
	for end+2 < to+0 && end+2 < len(buf) && buf[end] == sep && isHex(buf[end+1]) && isHex(buf[end+2]) {
		end += 3
	}
	for p := start + 2; p < end; p += 3 {
		if buf[p] != sep {
			return i + 1
		}
	}
	if start > from && (isAlnum(buf[start-1]) || buf[start-1] == sep && sep == '-') || end < to && (isAlnum(buf[end]) || buf[end] == '-' && sep == '-') {
		return end
	}
	if start > from && buf[start-1] == ':' && start-2 >= from && isHex(buf[start-2]) {
		return end // a part of something longer
	}
	if hardware(buf[start:end], buf[max(from, start-100):start]) {
		s.ident(start, end, MAC)
	}
	return end
}

// ipv6 verifies an address around the colon at i. 0 if there is none.
func (s *Scanner) ipv6(buf []byte, i, from, to int) int {
	start, end := i, i
	for start > from && i-start < 45 && (isHex(buf[start-1]) || buf[start-1] == ':' || buf[start-1] == '.') {
		start--
	}
	for end < to && end-i < 48 && (isHex(buf[end]) || buf[end] == ':' || buf[end] == '.') {
		end++
	}
	for end > start && (buf[end-1] == '.' || buf[end-1] == ':' && (end-start < 3 || buf[end-2] != ':')) {
		end--
	}
	for start < end && buf[start] == '.' || end-start > 2 && buf[start] == ':' && buf[start+1] != ':' {
		start++
	}
	if end-start < 3 || end < to && (isAlnum(buf[end]) || buf[end] == '_') || start > from && (isAlnum(buf[start-1]) || buf[start-1] == '_') {
		return 0
	}
	v := buf[start:end]
	colons := bytes.Count(v, []byte{':'})
	if colons < 7 && !bytes.Contains(v, []byte("::")) || colons > 8 {
		return 0
	}
	s.ident(start, end, IPv6)
	return end
}

func isLocalPart(c byte) bool {
	return isAlnum(c) || c == '.' || c == '_' || c == '-' || c == '+'
}

// shellPrompt takes the account and the machine of a prompt, NAME@MACHINE with
// the @ at i: anna@web1:~$ ls, [anna@web1 ~]# ls.
func (s *Scanner) shellPrompt(buf []byte, start, i, end, ls, to int) bool {
	if start != ls && !(start == ls+1 && buf[ls] == '[') || end >= to || buf[end] != ':' && buf[end] != ' ' && buf[end] != '#' && buf[end] != '>' && buf[end] != '$' && buf[end] != '%' || !isLetter(buf[i+1]) || end-i < 3 {
		return false
	}
	for p := end; p+1 < to && p < end+60 && buf[p] != '\n'; p++ {
		if c := buf[p]; (c == '$' || c == '#' || c == '%' || c == '>') && (buf[p+1] == ' ' || buf[p+1] == '\n' || p == end && isLetter(buf[p+1])) {
			if local := buf[start:i]; isLetter(local[0]) && len(local) > 1 && !keptUsers.has(local) {
				s.ident(start, i, User)
			}
			if !foldIs(buf[i+1:end], "localhost") {
				s.ident(i+1, end, Host)
			}
			return true
		}
	}
	return false
}

// email verifies an address around the @ at i.
func (s *Scanner) email(buf []byte, i, from, to int) {
	start, end := i, i+1
	for start > from && i-start < 64 && isLocalPart(buf[start-1]) {
		start--
	}
	for start < i && !isAlnum(buf[start]) {
		start++
	}
	dots := 0
	for end < to && end-i < 255 && (isAlnum(buf[end]) || buf[end] == '-' || buf[end] == '.' || end > i+1 && end+1 < to && latin(buf[end-1:end+2])) {
		if buf[end] == '.' {
			dots++
		}
		end++
	}
	for end > i+1 && (buf[end-1] == '.' || buf[end-1] == '-') {
		if buf[end-1] == '.' {
			dots--
		}
		end--
	}
	if start == i && end-i > 3 && s.ikeID(buf, i, from) {
		s.ident(i+1, end, Host)
		return
	}
	if start == i || end-i < 3 {
		return
	}
	domain := buf[i+1 : end]
	if dots == 0 {
		// name@machine at the end of an SSH key
		from = max(from, start-1024)
		ls := max(from, s.lineOf(start))
		if s.shellPrompt(buf, start, i, end, ls, to) {
			return
		}
		if near := buf[max(ls, start-64):start]; isLetter(domain[0]) && (bytes.Contains(buf[ls:start], []byte("ssh-")) || bytes.Contains(near, []byte("ssh ")) || bytes.Contains(near, []byte("scp ")) || bytes.Contains(near, []byte("sftp ")) || bytes.Contains(near, []byte("rsync "))) {
			s.ident(start, end, Email)
		}
		return
	}
	if foldIs(domain, "openssh.com") || foldIs(domain, "libssh.org") || foldIs(domain, "lysator.liu.se") || foldIs(domain, "ssh.com") {
		return // names of algorithms: umac-64@openssh.com
	}
	last := domain[bytes.LastIndexByte(domain, '.')+1:]
	if len(last) < 2 || isDigit(last[0]) {
		if validQuad(domain) && !isToken(buf[start:i]) {
			s.ident(start, i, User)
		}
		return
	}
	for _, t := range [][]byte{[]byte("service"), []byte("socket"), []byte("timer"), []byte("target"), []byte("mount"), []byte("scope"), []byte("slice"), []byte("device")} {
		if bytes.Equal(last, t) {
			return // systemd units
		}
	}
	if buf[start] == 'R' && isToken(buf[start:i]) {
		s.ident(i+1, end, Host) // user:password@host, sanitized before
		return
	}
	if start-2 > from && buf[start-1] == '<' && buf[start-2] == ' ' {
		s.person(buf, start-2, max(from, s.lineOf(start), start-64))
	}
	s.ident(start, end, Email)
}

// latin is true for b whose second byte is one of a Latin or Cyrillic letter
// beyond ASCII.
func latin(b []byte) bool {
	return b[1] >= 0xc3 && b[1] <= 0xd1 && b[2] >= 0x80 && b[2] < 0xc0 || b[0] >= 0xc3 && b[0] <= 0xd1 && b[1] >= 0x80 && b[1] < 0xc0
}

// ikeID is true for the @ at i in front of the name that a gateway has for another:
// leftid=@fw1, id = @fw1.
func (s *Scanner) ikeID(buf []byte, i, from int) bool {
	for i > from && (buf[i-1] == ' ' || buf[i-1] == '"') {
		i--
	}
	if i-4 < from || buf[i-1] != '=' {
		return false
	}
	for i--; i > from && (buf[i-1] == ' ' || isDigit(buf[i-1]) || buf[i-1] == '-'); i-- {
	}
	if i -= 2; i < from || !foldEqual(buf[i:i+2], "id") {
		return false
	}
	return i == from || isSpace(buf[i-1]) || buf[i-1] == '\n' || i-from >= 4 && (foldEqual(buf[i-4:i], "left") || foldEqual(buf[i-4:i], "ight"))
}
