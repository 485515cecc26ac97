package scan

import (
	"bytes"
	"math/bits"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// hardware tells the address of an interface from what is written in the same
// way: fingerprints, serial numbers, the moduli of keys. A MAC address has six
// octets (seven as a client's identifier in DHCP), a WWN and an EUI-64 eight. A
// DUID holds a MAC, an address of InfiniBand has 20 octets, four of them
// before the GID.
func hardware(v, before []byte) bool {
	switch n := (len(v) + 1) / 3; n {
	case 6, 7, 8:
		return true
	case 10:
		return string(v[:11]) == "00:03:00:01"
	case 14:
		return string(v[:11]) == "00:01:00:01"
	case 19:
		return v[0]|0x20 == 'f' && v[1]|0x20 == 'f' // RFC 4361
	case 20:
		return foldEqual(v[12:17], "fe:80") || bytes.Contains(before, []byte("infiniband"))
	}
	return false
}

// dotted finds addresses as switches write them: 0011.22aa.bbcc. Their dots are
// five bytes apart.
func (s *Scanner) dotted(buf []byte, from, to int) {
	const groups = 0b1111_0_1111_0_1111 // the places of the digits
	for b, d := range s.masks.Dot[:s.filled] {
		next := uint64(0)
		if b+1 < s.filled {
			next = s.masks.Dot[b+1]
		}
		for m := d & (d>>5 | next<<59); m != 0; m &= m - 1 {
			start := s.origin + b*mask.Size + bits.TrailingZeros64(m) - 4
			end := start + 14
			if start < from || end > to {
				continue
			}
			letters := s.masks.HexAF.From(start - s.origin)
			if hex := letters | s.masks.Digit.From(start-s.origin); hex&groups != groups || letters&groups == 0 || start > from && wordByte(buf[start-1]) || end < to && wordByte(buf[end]) {
				continue
			}
			s.ident(start, end, MAC)
		}
	}
}

// wordByte is true for what goes on with a word, a number or an address.
func wordByte(c byte) bool { return isAlnum(c) || c == '.' || c == '-' || c == '_' || c == ':' }
