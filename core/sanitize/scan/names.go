package scan

import (
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// Names is a dictionary of the machine's own names.
type Names struct {
	first  uint32 // by the low five bits of the first byte
	heads  [1 << 15 / 64]uint64
	words  map[string]What
	sizes  uint64      // a bit for each length that a name has, from 1 on
	kernel *mask.Words // made when all are known
}

// keptUsers are accounts that every system has.
var keptUsers = listOf("root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data", "backup", "list", "irc", "gnats", "nobody", "systemd-network", "systemd-resolve", "systemd-timesync", "messagebus", "sshd", "ntp", "chrony", "postfix", "mysql", "postgres", "redis", "nginx", "apache", "adm", "shutdown", "halt", "operator", "ftp", "dbus", "polkitd", "rpc", "tss", "unknown", "user", "username", "admin", "test", "guest", "localhost", "localdomain", "none", "null", "true", "false", "system", "service", "default", "password", "invalid", "the", "and", "for", "from")

// NewNames makes a dictionary. Names shorter than three letters and those that
// every system has are left out.
func NewNames(hosts, domains, users []string) *Names {
	n := &Names{words: map[string]What{}}
	for _, h := range append(append([]string(nil), hosts...), domains...) {
		n.add(h, Host)
	}
	for _, u := range users {
		n.add(u, User)
	}
	if len(n.words) == 0 {
		return nil
	}
	texts := make([]string, 0, len(n.words))
	for w := range n.words {
		texts = append(texts, w)
	}
	slices.Sort(texts)
	n.kernel = mask.NewWords(texts, needles)
	return n
}

func (n *Names) add(name string, w What) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(name) < 3 || len(name) > 64 || keptUsers.has([]byte(name)) || !isAlnum(name[0]) {
		return
	}
	if _, ok := n.words[name]; ok {
		return
	}
	n.words[name] = w
	n.sizes |= 1 << (len(name) - 1)
	n.first |= 1 << (name[0] & 31)
	h := nameHead(name[0], name[1], name[2])
	n.heads[h/64] |= 1 << (h % 64)
}

// starts is what the kernel looks for; nil for no names at all.
func (n *Names) starts() *mask.Words {
	if n == nil {
		return nil
	}
	return n.kernel
}

func nameHead(a, b, c byte) uint32 {
	return uint32(a&31) | uint32(b&31)<<5 | uint32(c&31)<<10
}

// head tells whether a name may begin with the first three bytes of b.
func (n *Names) head(b []byte) bool {
	_ = b[2]
	h := nameHead(b[0], b[1], b[2])
	return n.heads[h/64%uint32(len(n.heads))]>>(h%64)&1 != 0
}

// name looks the word at i up: as long as it goes with dots and dashes, then
// shorter.
func (s *Scanner) name(buf []byte, i, to int) {
	end := min(s.labelEnd(i, to), i+64)
	e, ok := s.known.ask(buf, i, end, isName)
	if !ok {
		n, w := s.Names.lookUp(buf[i:end])
		if e == nil {
			if n > 0 {
				s.ident(i, i+n, w)
			}
			return
		}
		e.answer, e.What = uint8(n), w
	}
	if e.answer > 0 {
		s.ident(i, i+int(e.answer), e.What)
	}
}

// lookUp says how many of the first bytes of v, 64 at most, are a name.
func (n *Names) lookUp(v []byte) (int, What) {
	var low [65]byte
	for i, c := range v {
		low[i] = lower(c)
	}
	for k := len(v); k >= 3; {
		if n.sizes>>(k-1)&1 != 0 {
			if w, ok := n.words[string(low[:k])]; ok {
				return k, w
			}
		}
		for k--; k > 0 && low[k] != '.' && low[k] != '-' && low[k] != '_'; k-- {
		}
	}
	return 0, 0
}
