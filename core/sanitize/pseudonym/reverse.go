package pseudonym

import (
	"bytes"
	"strconv"
)

// appendReverse maps names of reverse zones, whose labels are the octets or
// the hex digits of an address in reverse order (RFC 1035 3.5, RFC 3596 2.5).
// Part of an address is a prefix of it and is mapped as such. It reports false
// for other names.
func (m *Mapper) appendReverse(dst, name []byte) ([]byte, bool) {
	if own, ok := bytes.CutSuffix(bytes.TrimRight(name, "."), []byte(".in-addr.arpa")); ok {
		labels := bytes.Split(own, []byte{'.'})
		var addr [4]byte
		if len(labels) > 4 {
			return dst, false
		}
		for i, l := range labels {
			v, err := strconv.ParseUint(string(l), 10, 8)
			if err != nil {
				return dst, false
			}
			addr[len(labels)-1-i] = byte(v)
		}
		addr = m.network4(addr, 8*len(labels))
		for i := len(labels) - 1; i >= 0; i-- {
			dst = append(strconv.AppendUint(dst, uint64(addr[i]), 10), '.')
		}
		return append(dst, name[len(own)+1:]...), true
	}
	own, ok := bytes.CutSuffix(bytes.TrimRight(name, "."), []byte(".ip6.arpa"))
	if !ok || len(own) > 63 || len(own)%2 == 0 {
		return dst, false
	}
	var addr [16]byte
	n := (len(own) + 1) / 2
	for i := range n {
		v, ok := unhex(own[2*i])
		if !ok || i < n-1 && own[2*i+1] != '.' {
			return dst, false
		}
		nibble := n - 1 - i
		addr[nibble/2] |= v << (4 * (1 - nibble%2))
	}
	addr = m.network6(addr, 4*n)
	for nibble := n - 1; nibble >= 0; nibble-- {
		dst = append(dst, hexDigits[addr[nibble/2]>>(4*(1-nibble%2))&15], '.')
	}
	return append(dst, name[len(own)+1:]...), true
}
