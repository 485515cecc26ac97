package pseudonym

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ErrUnknown means that there is no way back from a text: it is no pseudonym,
// or one of another key, or its name is not in the book.
var ErrUnknown = errors.New("no pseudonym that this key and book can turn back")

// A Lookup finds the name behind a token. [*Book] is one.
type Lookup interface {
	Lookup(token string) (original string, ok bool)
}

// Reveal turns a pseudonym back: an address with or without a prefix length, a
// MAC address, a host name, a user or a mail address. names may be nil, then
// only addresses can be turned back. Labels that are no tokens stay. What was
// kept by the Mapper comes back as it is; an address that never was a
// pseudonym of this key cannot be told from one that was. The error wraps
// [ErrUnknown] if nothing could be turned back.
func (m *Mapper) Reveal(text string, names Lookup) (string, error) {
	// Eight octets look like an IPv6 address too, but nobody writes one so.
	if out, ok := m.revealMAC(text); ok {
		return out, nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		addr := m.revealAddr(p.Addr())
		return netip.PrefixFrom(addr, p.Bits()).Masked().String(), nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return m.revealAddr(a).String(), nil
	}
	found := false
	var missing string
	out := mapLabels(text, func(label string) string {
		if !m.IsToken([]byte(label)) {
			return label
		}
		if names != nil {
			if name, ok := names.Lookup(strings.ToLower(label)); ok {
				found = true
				return name
			}
		}
		missing = label
		return label
	})
	if found {
		return out, nil
	}
	if missing != "" {
		return "", fmt.Errorf("reveal %q: the book has no name for %s: %w", text, missing, ErrUnknown)
	}
	return "", fmt.Errorf("reveal %q: %w", text, ErrUnknown)
}

// mapLabels calls fn on the pieces between the separators of names.
func mapLabels(text string, fn func(string) string) string {
	var b strings.Builder
	for len(text) > 0 {
		i := strings.IndexAny(text, ".@:/\\ ")
		if i < 0 {
			b.WriteString(fn(text))
			break
		}
		b.WriteString(fn(text[:i]))
		b.WriteByte(text[i])
		text = text[i+1:]
	}
	return b.String()
}

func (m *Mapper) revealAddr(a netip.Addr) netip.Addr {
	if a.Is4() {
		b := a.As4()
		binary.BigEndian.PutUint32(b[:], m.map4(binary.BigEndian.Uint32(b[:]), true))
		return netip.AddrFrom4(b)
	}
	b := a.As16()
	m.map6(bitsOf(&b), true).put(&b)
	return netip.AddrFrom16(b).WithZone(a.Zone())
}

func (m *Mapper) revealMAC(text string) (string, bool) {
	var o [maxOctets]byte
	n, ok := parseOctets(o[:], []byte(text))
	if !ok || n != 6 && n != 8 {
		return "", false
	}
	switch {
	case n == 6:
		v := macBytes(m.mapMAC(macBits([6]byte(o[:6])), true))
		copy(o[:], v[:])
	case o[3] == 0xff && o[4] == 0xfe:
		v := macBytes(m.mapMAC(macBits([6]byte{o[0], o[1], o[2], o[5], o[6], o[7]}), true))
		copy(o[:], v[:3])
		copy(o[5:], v[3:])
	default:
		var b [16]byte
		copy(b[:8], o[:8])
		m.mapWide(bitsOf(&b), true).put(&b)
		copy(o[:8], b[:8])
	}
	var s strings.Builder
	for i := range n {
		if i > 0 {
			s.WriteByte(':')
		}
		fmt.Fprintf(&s, "%02x", o[i])
	}
	return s.String(), true
}
