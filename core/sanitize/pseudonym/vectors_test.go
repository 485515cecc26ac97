package pseudonym

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// The key and addresses of the sample trace that comes with the reference
// implementation of Crypto-PAn (Georgia Tech, 2002), and IPv6 results on which
// later implementations agree.
var sampleKey = []byte{
	21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
	216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
}

func TestCryptoPAnVectors(t *testing.T) {
	p, err := newPrefixCipher(sampleKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range [][2]string{
		{"128.11.68.132", "135.242.180.132"}, {"129.118.74.4", "134.136.186.123"},
		{"130.132.252.244", "133.68.164.234"}, {"141.223.7.43", "141.167.8.160"},
		{"141.233.145.108", "141.129.237.235"}, {"152.163.225.39", "151.140.114.167"},
		{"156.29.3.236", "147.225.12.42"}, {"165.247.96.84", "162.9.99.234"},
		{"166.107.77.190", "160.132.178.185"}, {"192.102.249.13", "252.138.62.131"},
		{"192.215.32.125", "252.43.47.189"}, {"192.233.80.103", "252.25.108.8"},
		{"198.26.132.101", "249.36.123.202"}, {"204.29.20.4", "243.33.20.123"},
		{"208.147.89.59", "227.237.98.191"}, {"216.254.18.172", "235.7.16.162"},
		{"24.0.250.221", "100.15.198.226"}, {"38.15.67.68", "64.3.66.187"},
		{"4.3.88.225", "124.60.155.63"}, {"63.97.7.140", "95.97.9.123"},
		{"64.39.15.238", "0.219.7.41"}, {"10.185.25.118", "117.161.29.118"},
	} {
		in, want := netip.MustParseAddr(v[0]).As4(), netip.MustParseAddr(v[1])
		a := bits128{uint64(binary.BigEndian.Uint32(in[:])) << 32, 0}
		out := p.encrypt(a, 0, 32)
		var got [4]byte
		binary.BigEndian.PutUint32(got[:], uint32(out.hi>>32))
		if netip.AddrFrom4(got) != want {
			t.Errorf("%s becomes %v, want %s", v[0], netip.AddrFrom4(got), v[1])
		}
		if p.decrypt(out, 0, 32) != a {
			t.Errorf("%s does not come back", v[0])
		}
	}
	for _, v := range [][2]string{
		{"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
		{"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
		{"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
		{"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
		{"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
	} {
		b := netip.MustParseAddr(v[0]).As16()
		out := p.encrypt(bitsOf(&b), 0, 128)
		if p.decrypt(out, 0, 128) != bitsOf(&b) {
			t.Errorf("%s does not come back", v[0])
		}
		out.put(&b)
		if got := netip.AddrFrom16(b); got != netip.MustParseAddr(v[1]) {
			t.Errorf("%s becomes %v, want %s", v[0], got, v[1])
		}
	}
}

// What is remembered of networks changes no result.
func TestNetworksAreCryptoPAn(t *testing.T) {
	m, err := New(&[KeySize]byte{7}, Options{CacheEntries: 64})
	if err != nil {
		t.Fatal(err)
	}
	a := uint32(1)
	for i := range 20000 {
		if i%5 == 0 {
			a = a*1664525 + 1013904223
		} else {
			a += uint32(i) * 37 // a neighbour
		}
		for _, keep := range []int{0, 4, 8, 10, 12, 16} {
			want := uint32(m.v4.encrypt(bits128{uint64(a) << 32, 0}, keep, 32).hi >> 32)
			if got := m.encrypt4(a, keep, 32); got != want {
				t.Fatalf("%08x, %d bits kept: %08x, want %08x", a, keep, got, want)
			}
		}
	}
}
