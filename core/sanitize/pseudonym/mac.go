package pseudonym

// MAC returns the pseudonym of a 48-bit hardware address. The group and the
// local bit stay (and the vendor with [Options.KeepOUI]); all zeros,
// broadcast and the multicast addresses that standards assign are kept.
func (m *Mapper) MAC(addr [6]byte) [6]byte {
	// It is computed sooner than found in a table of many.
	return macBytes(m.mapMAC(macBits(addr), false))
}

func macBits(a [6]byte) bits128 {
	return bits128{uint64(a[0])<<56 | uint64(a[1])<<48 | uint64(a[2])<<40 |
		uint64(a[3])<<32 | uint64(a[4])<<24 | uint64(a[5])<<16, 0}
}

func macBytes(v bits128) (a [6]byte) {
	for i := range a {
		a[i] = byte(v.hi >> (56 - 8*i))
	}
	return a
}

// keptMAC: zeros, broadcast, IPv4 multicast (RFC 1112), IEEE 802.1 groups,
// Cisco's groups, IPv6 multicast (RFC 2464) but for solicited nodes, whose
// last 24 bits come from an address.
func keptMAC(a bits128) bool {
	v := a.hi >> 16
	switch {
	case v == 0 || v == 1<<48-1:
		return true
	case v>>24 == 0x01005e || v>>24 == 0x0180c2 || v>>24 == 0x01000c:
		return true
	}
	return v>>32 == 0x3333 && v>>24 != 0x3333ff
}

func (m *Mapper) mapMAC(a bits128, back bool) bits128 {
	if keptMAC(a) {
		return a
	}
	if m.opt.KeepOUI || a.hi>>40 == 0x3333ff {
		for {
			a = m.mix.permute(a, 24, 48, 0x20, back)
			if !keptMAC(a) {
				return a
			}
		}
	}
	for {
		a = swapFlags(m.mix.permute(swapFlags(a), 2, 48, 0x21, back))
		if !keptMAC(a) && a.hi>>40 != 0x3333ff {
			return a
		}
	}
}

// swapFlags moves the group and local bits (bits 7 and 6 of the first octet)
// to the front, where permute leaves them alone. It is its own inverse.
func swapFlags(a bits128) bits128 {
	const low, high = 3 << 56, 3 << 62
	return bits128{a.hi&^(low|high) | a.hi&low<<6 | a.hi&high>>6, a.lo}
}

// maxOctets bounds what AppendMAC takes for one address: an InfiniBand link
// address has 20 octets, a SHA-256 fingerprint 32.
const maxOctets = 64

// AppendMAC appends the pseudonym of the hardware address in text, in the same
// notation and case. It takes octets of two digits separated by ':' or '-' (or
// '.'), six or more of them, and the dotted groups of four digits that Cisco
// writes. Six octets are a MAC address, eight an EUI-64, of longer ones the
// last eight are an EUI-64 and the rest is hidden without a way back. It
// reports false, and appends nothing, if text is none of these.
func (m *Mapper) AppendMAC(dst, text []byte) ([]byte, bool) {
	var octets [maxOctets]byte
	n, ok := parseOctets(octets[:], text)
	if !ok {
		return dst, false
	}
	m.mapOctets(octets[:n])
	hex := hexDigits
	if upperHex(text) {
		hex = "0123456789ABCDEF"
	}
	digit := 0
	for _, c := range text {
		if c == ':' || c == '-' || c == '.' {
			dst = append(dst, c)
			continue
		}
		o := octets[digit/2]
		if digit%2 == 0 {
			o >>= 4
		}
		dst = append(dst, hex[o&15])
		digit++
	}
	return dst, true
}

// parseOctets reads hex digits in equal groups of two or four.
func parseOctets(dst, text []byte) (n int, ok bool) {
	if len(text) < 14 {
		return 0, false
	}
	sep, group := text[2], 2
	if !isSeparator(sep) {
		sep, group = text[4], 4
		if sep != '.' {
			return 0, false
		}
	}
	if !isSeparator(sep) || (len(text)+1)%(group+1) != 0 {
		return 0, false
	}
	digits := 0
	for i, c := range text {
		if i%(group+1) == group {
			if c != sep {
				return 0, false
			}
			continue
		}
		v, isHex := unhex(c)
		if !isHex || digits/2 >= len(dst) {
			return 0, false
		}
		if digits%2 == 0 {
			dst[digits/2] = v << 4
		} else {
			dst[digits/2] |= v
		}
		digits++
	}
	return digits / 2, digits/2 >= 6 && digits%2 == 0
}

func isSeparator(c byte) bool { return c == ':' || c == '-' || c == '.' }

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// mapOctets maps an address of six or more octets in place.
func (m *Mapper) mapOctets(o []byte) {
	if len(o) == 6 {
		v := m.MAC([6]byte(o))
		copy(o, v[:])
		return
	}
	if len(o) >= 8 {
		m.mapEUI64(o[len(o)-8:])
		o = o[:len(o)-8]
	}
	if allEqual(o, 0) || allEqual(o, 0xff) {
		return
	}
	mac := m.names.Get().(*nameMAC)
	defer m.names.Put(mac)
	for off := 0; off < len(o); off += 32 {
		part := o[off:min(off+32, len(o))]
		mac.h.Reset()
		mac.in[0] = 'o'
		mac.h.Write(mac.in[:1])
		n := copy(mac.sum[:], part) // part itself would move to the heap
		mac.h.Write(mac.sum[:n])
		copy(part, mac.h.Sum(mac.sum[:0]))
	}
}

// mapEUI64 maps the MAC address inside an EUI-64 that was made of one, so that
// both stay recognisable as the same, else all bits but the two flags.
func (m *Mapper) mapEUI64(o []byte) {
	if allEqual(o, 0) || allEqual(o, 0xff) {
		return
	}
	if o[3] == 0xff && o[4] == 0xfe {
		v := m.MAC([6]byte{o[0], o[1], o[2], o[5], o[6], o[7]})
		copy(o, v[:3])
		copy(o[5:], v[3:])
		return
	}
	var b [16]byte
	copy(b[:], o)
	a := bitsOf(&b)
	v, ok := m.wideCache.get(kindEUI64, a)
	if !ok {
		v = m.mapWide(a, false)
		m.wideCache.put(kindEUI64, a, v)
	}
	v.put(&b)
	copy(o, b[:8])
}

func (m *Mapper) mapWide(a bits128, back bool) bits128 {
	for {
		a = swapFlags(m.mix.permute(swapFlags(a), 2, 64, 0x22, back))
		if a.hi>>24&0xffff != 0xfffe && a.hi != 0 && a.hi != 1<<64-1 {
			return a
		}
	}
}

func allEqual(b []byte, v byte) bool {
	for _, c := range b {
		if c != v {
			return false
		}
	}
	return true
}
