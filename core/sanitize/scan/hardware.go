package scan

import "bytes"

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
