package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// topLevels are the last labels that make a dotted word a host name. Country
// codes that are also endings of files or common words are left out.
var topLevels = buildTopLevels()

var topLevelHeads [1 << 10]bool

// topLevelSlots has them by their first eight bytes, each in its place or in the
// next that was free.
var topLevelSlots [512]string

func topLevelSlot(low *[16]byte) int {
	return int(binary.LittleEndian.Uint64(low[:]) * 0x9E3779B97F4A7C15 >> 55)
}

// topLevel looks up the n bytes at the beginning of low; the others are zero.
func topLevel(low *[16]byte, n int) bool {
	for i := topLevelSlot(low); ; i++ {
		t := topLevelSlots[i%len(topLevelSlots)]
		if t == "" || t == string(low[:n]) {
			return t != ""
		}
	}
}

func buildTopLevels() map[string]struct{} {
	m := map[string]struct{}{}
	for _, t := range []string{"com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "io", "cloud", "tech", "eu", "local", "localdomain", "internal", "intern", "intra", "intranet", "lan", "corp", "home", "example", "test", "invalid", "priv", "private", "arpa", "site", "online", "company", "network", "systems", "solutions", "bank", "app", "ai",
		"uk", "de", "fr", "nl", "us", "ca", "au", "jp", "cn", "ru", "br", "es", "se", "fi", "dk", "ch", "cz", "kr", "il", "za", "mx", "ar", "nz", "ie", "pt", "gr", "hu", "ro", "tr", "ua", "pl", "it", "in", "sg", "hk", "tw", "lt", "lv", "ee", "sk", "si", "hr", "bg", "lu"} {
		m[t] = struct{}{}
	}
	return m
}

func init() {
	for t := range topLevels {
		topLevelHeads[headIndex(t[0], t[1])] = true
		var low [16]byte
		copy(low[:], t)
		i := topLevelSlot(&low)
		for topLevelSlots[i%len(topLevelSlots)] != "" {
			i++
		}
		topLevelSlots[i%len(topLevelSlots)] = t
	}
}

func headIndex(a, b byte) int { return int(a&31)<<5 | int(b&31) }

func topLevelHead(a, b byte) bool { return topLevelHeads[headIndex(a, b)] }

// publicNames are sites that everybody talks to; their names say nothing about
// the customer.
var publicNames = []string{"apache.org", "github.com", "githubusercontent.com", "gitlab.com", "google.com", "googleapis.com", "gstatic.com", "microsoft.com", "azure.com", "windows.net", "amazonaws.com", "aws.amazon.com", "docker.io", "docker.com", "quay.io", "gcr.io", "ghcr.io", "k8s.io", "kubernetes.io", "debian.org", "ubuntu.com", "redhat.com", "centos.org", "fedoraproject.org", "kernel.org", "python.org", "npmjs.org", "npmjs.com", "nodejs.org", "golang.org", "go.dev", "rust-lang.org", "crates.io", "mozilla.org", "w3.org", "schema.org", "xmlsoap.org", "oasis-open.org", "ietf.org", "iana.org", "openssl.org", "openssh.com", "libssh.org", "postgresql.org", "mysql.com", "oracle.com", "java.sun.com", "springframework.org", "hashicorp.com", "elastic.co", "grafana.com", "freedesktop.org", "systemd.io", "gnu.org", "wikipedia.org", "stackoverflow.com", "letsencrypt.org", "digicert.com", "ntp.org", "vmware.com", "infinidat.com", "json-schema.org", "yaml.org", "example.com", "java.net", "asp.net", "system.net", "lysator.liu.se", "android.com", "apple.com"}

// publicTails finds public names by their last three letters.
var publicTails [1 << 10][]string

func publicTail(b []byte) int {
	n := len(b)
	return int(b[n-3]&31)<<5 ^ int(b[n-2]&31)<<3 ^ int(b[n-1]&31)
}

func init() {
	for _, p := range publicNames {
		i := publicTail([]byte(p))
		publicTails[i] = append(publicTails[i], p)
	}
}

// isPublic is true for public names and what is below them.
func isPublic(name []byte) bool {
	if len(name) < 3 {
		return false
	}
	for _, p := range publicTails[publicTail(name)] {
		if n := len(name) - len(p); n >= 0 && (n == 0 || name[n-1] == '.') && foldEqual(name[n:], p) {
			return true
		}
	}
	return false
}

// host verifies a host name whose last label ends at end.
func (s *Scanner) host(buf []byte, end, from, to int) {
	i := s.dotBefore(end)
	if end-i > 12 || end-i < 2 || !topLevelHead(buf[i], buf[i+1]) || end < to && (buf[end] == '-' || buf[end] == '_' || buf[end] == '(' || buf[end] == '@') {
		return
	}
	if end+1 < to && buf[end] == '.' && (isAlnum(buf[end+1]) || buf[end+1] == '_') {
		return
	}
	var low [16]byte
	for k := i; k < end; k++ {
		low[k-i] = buf[k] | 0x20
	}
	if !topLevel(&low, end-i) {
		return
	}
	start := max(s.labelStart(i), i-250)
	for start < i && !isAlnum(buf[start]) {
		start++
	}
	if start >= i-1 || start > from && (buf[start-1] == '@' || buf[start-1] == '$' || buf[start-1] == '{' || buf[start-1] >= 0x80) {
		return
	}
	e, ok := s.known.ask(buf, start, end, isHost)
	if !ok {
		yes := isHostName(buf[start:end], end-i)
		if e == nil {
			if !yes {
				return
			}
			e = &knownText{answer: 1}
		}
		e.answer = uint8(btoi(yes))
	}
	if e.answer == 0 {
		return
	}
	s.ident(start, end, Host)
	s.shortName(buf, start, end, to)
}

// dotBefore is behind the last dot of the window before end, or far away from it.
func (s *Scanner) dotBefore(end int) int {
	o := end - s.origin
	b, sh := o/64, uint(o)%64
	m := s.masks.Dot[b] << (64 - sh)
	if b > 0 {
		m |= s.masks.Dot[b-1] >> sh
	}
	return end - bits.LeadingZeros64(m)
}

// isHostName rules out what else looks like the name of a machine whose last
// label has a length of tail.
func isHostName(name []byte, tail int) bool {
	if name[0] == 'R' && bytes.HasPrefix(name, []byte("REDACTED_")) || bytes.Contains(name, []byte("..")) || isDigit(name[0]) && isVersionish(name) {
		return false
	}
	// os.environ.in, foo.app: one short lower label before a doubtful ending is
	// rather a file or an attribute.
	if bytes.Count(name, []byte{'.'}) == 1 && tail == 2 && len(name)-tail < 5 {
		return false
	}
	return !isPublic(name)
}
