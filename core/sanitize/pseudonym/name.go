package pseudonym

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"hash/maphash"
)

// Kinds of names. The letter is the prefix of the token and separates the
// pseudonyms of equal strings: host jdoe and user jdoe look unrelated.
const (
	kindHost = 'h'
	kindUser = 'u'

	wholeHost = 'H' // cache keys
	wholeMail = 'M'
)

// TokenSize is the length of a name token: "h-" and eight base32 digits.
const TokenSize = 10

// maxName bounds what is cached; RFC 1035 allows 253 bytes.
const maxName = 256

// tokenEncoding is base32 of RFC 4648 in lower case, which no host name
// checker objects to.
var tokenEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// AppendHost appends the pseudonym of a host or domain name, label by label,
// in lower case. Public suffixes (com, co.uk), the suffixes of private
// networks (local, svc.cluster.local), service labels (_tcp), the wildcard and
// localhost are kept, and so are a trailing dot and labels that are pseudonyms
// of this key. The addresses in reverse zones (in-addr.arpa) are mapped as
// addresses. It does not allocate when name is in the cache.
func (m *Mapper) AppendHost(dst, name []byte) []byte {
	return m.cached(dst, wholeHost, name, (*Mapper).computeHost)
}

// AppendUser appends the pseudonym of an account name, which is folded to
// lower case first.
func (m *Mapper) AppendUser(dst, name []byte) []byte {
	return m.cached(dst, kindUser, name, func(m *Mapper, dst, folded []byte) []byte {
		return m.appendToken(dst, kindUser, folded)
	})
}

// AppendEmail appends the pseudonym of a mail address: its user at its host.
// Without an @ the text is a user.
func (m *Mapper) AppendEmail(dst, addr []byte) []byte {
	return m.cached(dst, wholeMail, addr, func(m *Mapper, dst, folded []byte) []byte {
		at := bytes.LastIndexByte(folded, '@')
		if at < 0 {
			return m.appendToken(dst, kindUser, folded)
		}
		dst = append(m.appendToken(dst, kindUser, folded[:at]), '@')
		return m.computeHost(dst, folded[at+1:])
	})
}

// cached folds name and looks it up, or computes and remembers it.
func (m *Mapper) cached(dst []byte, kind byte, name []byte, compute func(m *Mapper, dst, folded []byte) []byte) []byte {
	if len(name) == 0 {
		return dst
	}
	if len(name) > maxName {
		return compute(m, dst, bytes.ToLower(name))
	}
	var buf [maxName]byte
	folded := foldInto(&buf, name)
	h := maphash.Bytes(m.seed, folded) * (uint64(kind)<<1 | 1)
	if e := m.nameCache.get(h, kind, folded); e != nil {
		return append(dst, e.value...)
	}
	heap := bytes.Clone(folded)
	start := len(dst)
	dst = compute(m, dst, heap)
	m.nameCache.put(&nameEntry{h, kind, string(heap), string(dst[start:])})
	return dst
}

// foldInto lowers ASCII letters. Other bytes stay: names in other scripts
// reach logs in one spelling.
func foldInto(buf *[maxName]byte, name []byte) []byte {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return buf[:len(name)]
}

func (m *Mapper) computeHost(dst, name []byte) []byte {
	if out, ok := m.appendReverse(dst, name); ok {
		return out
	}
	if addr, ok := parseDotted(name); ok {
		return m.AppendIPv4(dst, addr)
	}
	suffix := keptSuffix(name)
	own := name[:len(name)-suffix]
	for len(own) > 0 {
		label, rest, dot := bytes.Cut(own, []byte{'.'})
		dst = m.appendLabel(dst, label)
		if dot {
			dst = append(dst, '.')
		}
		own = rest
	}
	return append(dst, name[len(name)-suffix:]...)
}

func (m *Mapper) appendLabel(dst, label []byte) []byte {
	if len(label) == 0 || keptLabel(label) {
		return append(dst, label...)
	}
	return m.appendToken(dst, kindHost, label)
}

// appendToken appends the token of a folded name, or the name itself if it is
// such a token.
func (m *Mapper) appendToken(dst []byte, kind byte, name []byte) []byte {
	if len(name) == 0 {
		return dst
	}
	if m.IsToken(name) {
		return append(dst, name...)
	}
	mac := m.names.Get().(*nameMAC)
	mac.h.Reset()
	mac.in[0] = kind
	mac.h.Write(mac.in[:1])
	mac.h.Write(name)
	v := binary.BigEndian.Uint32(mac.h.Sum(mac.sum[:0]))
	m.names.Put(mac)

	start := len(dst)
	dst = m.appendCode(append(dst, kind, '-'), kind, v)
	if m.opt.Record != nil {
		m.opt.Record(string(dst[start:]), string(name))
	}
	return dst
}

// appendCode appends 32 bits of pseudonym and 8 bits of check.
func (m *Mapper) appendCode(dst []byte, kind byte, v uint32) []byte {
	var code [5]byte
	binary.BigEndian.PutUint32(code[:], v)
	code[4] = m.checkOf(kind, v)
	return tokenEncoding.AppendEncode(dst, code[:])
}

func (m *Mapper) checkOf(kind byte, v uint32) byte {
	mac := m.check.Get().(*nameMAC)
	defer m.check.Put(mac)
	mac.h.Reset()
	mac.in[0] = kind
	binary.BigEndian.PutUint32(mac.in[1:], v)
	mac.h.Write(mac.in[:5])
	return mac.h.Sum(mac.sum[:0])[0]
}

// IsToken reports whether label is a name token of this key: of 256 strings
// that merely look like one, one passes.
func (m *Mapper) IsToken(label []byte) bool {
	if !LooksLikeToken(label) {
		return false
	}
	var folded, code [8]byte
	for i, c := range label[2:] {
		folded[i] = c | 0x20 // digits have the bit already
	}
	if n, err := tokenEncoding.Decode(code[:], folded[:]); err != nil || n != 5 {
		return false
	}
	return m.checkOf(label[0]|0x20, binary.BigEndian.Uint32(code[:])) == code[4]
}

// LooksLikeToken reports whether label has the shape of a name token, of any
// key.
func LooksLikeToken(label []byte) bool {
	if len(label) != TokenSize || label[1] != '-' {
		return false
	}
	if k := label[0] | 0x20; k != kindHost && k != kindUser {
		return false
	}
	for _, c := range label[2:] {
		if l := c | 0x20; !('a' <= l && l <= 'z' && c >= 'A' || '2' <= c && c <= '7') {
			return false
		}
	}
	return true
}

// parseDotted reads four decimal octets.
func parseDotted(b []byte) (addr [4]byte, ok bool) {
	octet, digits, v := 0, 0, 0
	for i := 0; i <= len(b); i++ {
		if i == len(b) || b[i] == '.' {
			if digits == 0 || digits > 3 || v > 255 || octet > 3 {
				return addr, false
			}
			addr[octet] = byte(v)
			octet, digits, v = octet+1, 0, 0
			continue
		}
		if b[i] < '0' || b[i] > '9' {
			return addr, false
		}
		digits, v = digits+1, v*10+int(b[i]-'0')
		if digits > 3 {
			return addr, false
		}
	}
	return addr, octet == 4
}
