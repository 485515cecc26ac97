package pseudonym

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// class says how much of an address must stay: its first keep bits, and the
// set that it belongs to.
type class struct {
	id   byte
	keep int
}

const (
	classKept      = iota // identifies nobody
	classPublic           // the rest
	class10               // RFC 1918
	class172              // RFC 1918
	class192              // RFC 1918
	class100              // RFC 6598, carrier-grade NAT
	class169              // RFC 3927, link local
	class240              // RFC 1112, reserved but used in data centres
	classULA              // RFC 4193
	classLink             // RFC 4291, fe80::/64
	classLinkOdd          // RFC 4291, the rest of fe80::/10
	classSolicited        // RFC 4291, ff02::1:ff00:0/104 carries 24 bits of an address
	classGlobal           // RFC 4291, 2000::/3
	classOther6
)

func class4(a uint32) class {
	switch {
	case kept4(a):
		return class{classKept, 32}
	case a>>24 == 10:
		return class{class10, 8}
	case a>>20 == 172<<4|1:
		return class{class172, 12}
	case a>>16 == 192<<8|168:
		return class{class192, 16}
	case a>>22 == 100<<2|1:
		return class{class100, 10}
	case a>>16 == 169<<8|254:
		return class{class169, 16}
	case a>>28 == 15:
		return class{class240, 4}
	}
	return class{classPublic, 0}
}

// kept4 reports whether an address names nobody: this network and wildcard
// masks (0/8), loopback, multicast, netmasks and broadcast (255/8 and
// contiguous masks), and the metadata service that all clouds share.
func kept4(a uint32) bool {
	switch a >> 24 {
	case 0, 127, 255:
		return true
	}
	if a>>28 == 14 || a == 169<<24|254<<16|169<<8|254 {
		return true
	}
	return a&1 == 0 && bits.LeadingZeros32(^a)+bits.TrailingZeros32(a) == 32
}

// IPv4 returns the pseudonym of an address, or the address itself if it
// identifies nobody.
func (m *Mapper) IPv4(addr [4]byte) [4]byte {
	a := binary.BigEndian.Uint32(addr[:])
	v, ok := m.v4Cache.get(a)
	if !ok {
		v = m.map4(a, false)
		m.v4Cache.put(a, v)
	}
	binary.BigEndian.PutUint32(addr[:], v)
	return addr
}

// Warm4 loads what is remembered of an address into the processor's cache, for
// callers that know of many addresses before they need the first. What it
// returns means nothing.
func (m *Mapper) Warm4(addr uint32) uint64 { return m.v4Cache.set(addr)[0].Load() }

// map4 walks the permutation until it is back in the class.
func (m *Mapper) map4(a uint32, back bool) uint32 {
	c := class4(a)
	if c.id == classKept {
		return a
	}
	x := bits128{uint64(a) << 32, 0}
	for {
		switch {
		case m.opt.RandomIPs:
			x = m.mix.permute(x, c.keep, 32, c.id, back)
		case back:
			x = m.v4.decrypt(x, c.keep, 32)
		default:
			x.hi = uint64(m.encrypt4(uint32(x.hi>>32), c.keep, 32)) << 32
		}
		if v := uint32(x.hi >> 32); class4(v).id == c.id {
			return v
		}
	}
}

// encrypt4 is encrypt for the first n bits of an address; the others become zero.
// The networks that an address is in are remembered: most addresses have many
// neighbours, and each bit takes an encryption.
func (m *Mapper) encrypt4(a uint32, keep, n int) uint32 {
	step := n - 8
	if step < 16 || step < keep {
		return uint32(m.v4.encrypt(bits128{uint64(a) << 32, 0}, keep, n).hi>>32) &^ (^uint32(0) >> n)
	}
	net := a &^ (^uint32(0) >> step)
	// The lowest eight bits of a network are free to tell what it was asked for.
	key := net | uint32(step)&8<<4 | uint32(keep)
	v, ok := m.netCache.get(key)
	if !ok {
		v = m.encrypt4(net, keep, step)
		m.netCache.put(key, v)
	}
	low := uint32(m.v4.encrypt(bits128{uint64(a) << 32, 0}, step, n).hi >> 32)
	return v | low&(^uint32(0)>>step)&^(^uint32(0)>>n)
}

// AppendIPv4 appends the pseudonym of addr in dotted form. It does not
// allocate once addr is in the cache and dst has room for 15 bytes.
func (m *Mapper) AppendIPv4(dst []byte, addr [4]byte) []byte {
	return appendDotted(dst, m.IPv4(addr))
}

// AppendIPv4Prefix appends the pseudonym of addr/bits in CIDR notation. The
// address of a network (nothing behind the prefix) becomes the address of a
// network. A length over 32 is appended as it is.
func (m *Mapper) AppendIPv4Prefix(dst []byte, addr [4]byte, bits int) []byte {
	dst = appendDotted(dst, m.network4(addr, bits))
	return strconv.AppendInt(append(dst, '/'), int64(bits), 10)
}

func (m *Mapper) network4(addr [4]byte, bits int) [4]byte {
	out := m.IPv4(addr)
	if bits < 0 || bits >= 32 {
		return out
	}
	host := ^uint32(0) >> bits
	if a := binary.BigEndian.Uint32(addr[:]); a&host == 0 {
		binary.BigEndian.PutUint32(out[:], binary.BigEndian.Uint32(out[:])&^host)
	}
	return out
}

// appendDotted writes groups of four bytes, each over what the one before it
// wrote too much.
func appendDotted(dst []byte, a [4]byte) []byte {
	var text [16]byte
	n := 0
	for _, o := range a {
		g := octets[o]
		binary.LittleEndian.PutUint32(text[n&15:][:4], g.text)
		n += int(g.n)
	}
	at := len(dst)
	if cap(dst)-at < len(text) {
		return append(dst, text[:n-1]...)
	}
	return append(dst, text[:]...)[:at+n-1] // a length that is known is copied sooner
}

// octets are the numbers of one byte, a dot behind each.
var octets = func() (t [256]struct {
	text uint32
	n    uint8
}) {
	for o := range t {
		b := strconv.AppendInt(nil, int64(o), 10)
		b = append(b, '.')
		t[o].n = uint8(len(b))
		t[o].text = binary.LittleEndian.Uint32(append(b, 0, 0, 0))
	}
	return t
}()
