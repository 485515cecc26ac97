package pseudonym

import (
	"bytes"
	"net/netip"
	"strconv"
	"unsafe"
)

func class6(a bits128) class {
	top := a.hi
	switch {
	case kept6(a):
		return class{classKept, 128}
	case top == 0xff02<<48 && a.lo>>24 == 0x1ff:
		return class{classSolicited, 104}
	case top>>57 == 0xfc>>1:
		return class{classULA, 8}
	case top == 0xfe80<<48:
		return class{classLink, 64}
	case top>>54 == 0xfe80>>6:
		return class{classLinkOdd, 10}
	case top>>61 == 1:
		return class{classGlobal, 3}
	}
	return class{classOther6, 3}
}

// kept6: unspecified, loopback, multicast (but for solicited nodes), discard.
func kept6(a bits128) bool {
	switch {
	case a.hi == 0 && a.lo <= 1:
		return true
	case a.hi>>56 == 0xff:
		return !(a.hi == 0xff02<<48 && a.lo>>24 == 0x1ff)
	}
	return a.hi == 0x0100<<48
}

// embedded4 says whether the low 32 bits are an IPv4 address: mapped
// (::ffff:0:0/96), translated (64:ff9b::/96, RFC 6052) or compatible (::/96
// with something in its first octet).
func embedded4(a bits128) bool {
	switch {
	case a.hi == 0x64<<48|0xff9b<<32:
		return a.lo>>32 == 0
	case a.hi != 0:
		return false
	}
	return a.lo>>32 == 0xffff || a.lo>>32 == 0 && a.lo >= 1<<24
}

const (
	kind6 = iota
	kindMAC
	kindEUI64
)

// IPv6 returns the pseudonym of an address. An IPv4 address inside is mapped
// as IPv4.
func (m *Mapper) IPv6(addr [16]byte) [16]byte {
	a := bitsOf(&addr)
	v, ok := m.wideCache.get(kind6, a)
	if !ok {
		v = m.map6(a, false)
		m.wideCache.put(kind6, a, v)
	}
	v.put(&addr)
	return addr
}

func (m *Mapper) map6(a bits128, back bool) bits128 {
	if embedded4(a) {
		return bits128{a.hi, a.lo&^0xffffffff | uint64(m.map4(uint32(a.lo), back))}
	}
	c := class6(a)
	if c.id == classKept {
		return a
	}
	for {
		switch {
		case m.opt.RandomIPs:
			a = m.mix.permute(a, c.keep, 128, c.id, back)
		case back:
			a = m.v6.decrypt(a, c.keep, 128)
		default:
			a = m.v6.encrypt(a, c.keep, 128)
		}
		if class6(a).id == c.id && !embedded4(a) {
			return a
		}
	}
}

// AppendIPv6 appends the pseudonym of the address in text, which may carry a
// zone ("%eth0", kept) and a prefix length ("/64", kept; a network stays a
// network). The result is in the form of RFC 5952, in upper case if text is,
// and uncompressed if text is. It reports false, and appends nothing, if text
// is no IPv6 address.
func (m *Mapper) AppendIPv6(dst, text []byte) ([]byte, bool) {
	addr, zone, bits, ok := parse6(text)
	if !ok {
		return dst, false
	}
	out := m.network6(addr, bits)
	start := len(dst)
	ip := netip.AddrFrom16(out)
	end := len(text) - len(zone)
	body := text[:end]
	if slash := bytes.IndexByte(body, '/'); slash >= 0 {
		body = body[:slash]
	}
	switch {
	case ip.Is4In6() && bytes.IndexByte(body, '.') < 0:
		dst = appendMapped(dst, out)
	case len(body) == 39 && bytes.IndexByte(body, '.') < 0:
		dst = appendExpanded(dst, out)
	default:
		dst = ip.AppendTo(dst)
	}
	if upperHex(body) {
		for i := start; i < len(dst); i++ {
			if 'a' <= dst[i] && dst[i] <= 'f' {
				dst[i] -= 'a' - 'A'
			}
		}
	}
	dst = append(dst, zone...)
	if bits >= 0 && !bytes.ContainsRune(zone, '/') {
		dst = strconv.AppendInt(append(dst, '/'), int64(bits), 10)
	}
	return dst, true
}

// parse6 splits addr[%zone][/bits]. zone includes its percent sign and what
// follows it.
func parse6(text []byte) (addr [16]byte, zone []byte, bits int, ok bool) {
	bits = -1
	body := text
	if i := bytes.IndexByte(body, '%'); i >= 0 {
		body, zone = body[:i], body[i:]
		if j := bytes.IndexByte(zone, '/'); j >= 0 {
			if bits = prefixLength(zone[j+1:]); bits < 0 {
				return addr, nil, 0, false
			}
		}
	} else if i := bytes.IndexByte(body, '/'); i >= 0 {
		if bits = prefixLength(body[i+1:]); bits < 0 {
			return addr, nil, 0, false
		}
		body = body[:i]
	}
	if len(body) < 2 || len(body) > 45 || bytes.IndexByte(body, ':') < 0 {
		return addr, nil, 0, false
	}
	// The string lives only as long as the call; a zone is not in it.
	ip, err := netip.ParseAddr(unsafe.String(&body[0], len(body)))
	if err != nil || !ip.Is6() {
		return addr, nil, 0, false
	}
	return ip.As16(), zone, bits, true
}

func prefixLength(b []byte) int {
	if len(b) == 0 || len(b) > 3 {
		return -1
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	if n > 128 {
		return -1
	}
	return n
}

func (m *Mapper) network6(addr [16]byte, bits int) [16]byte {
	out := m.IPv6(addr)
	if bits < 0 || bits >= 128 {
		return out
	}
	net := first(bits)
	if a := bitsOf(&addr); a.and(net) == a {
		bitsOf(&out).and(net).put(&out)
	}
	return out
}

func upperHex(b []byte) bool {
	up := false
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'f':
			return false
		case 'A' <= c && c <= 'F':
			up = true
		}
	}
	return up
}

const hexDigits = "0123456789abcdef"

func appendExpanded(dst []byte, a [16]byte) []byte {
	for i, b := range a {
		if i > 0 && i%2 == 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// appendMapped writes ::ffff:a01:203, which was not written with dots.
func appendMapped(dst []byte, a [16]byte) []byte {
	dst = append(dst, "::ffff:"...)
	dst = strconv.AppendUint(dst, uint64(a[12])<<8|uint64(a[13]), 16)
	return strconv.AppendUint(append(dst, ':'), uint64(a[14])<<8|uint64(a[15]), 16)
}
