package pseudonym

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var testKey = [KeySize]byte{1, 2, 3}

func mapper(t testing.TB, opt Options) *Mapper {
	t.Helper()
	m, err := New(&testKey, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func eachMode(t *testing.T, test func(t *testing.T, m *Mapper)) {
	t.Run("prefix", func(t *testing.T) { test(t, mapper(t, Options{})) })
	t.Run("random", func(t *testing.T) { test(t, mapper(t, Options{RandomIPs: true})) })
}

func v4(s string) [4]byte { return netip.MustParseAddr(s).As4() }

func TestNeedsKey(t *testing.T) {
	if _, err := New(nil, Options{}); err == nil {
		t.Error("no error")
	}
}

func TestClassesStay(t *testing.T) {
	classes := []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"}
	eachMode(t, func(t *testing.T, m *Mapper) {
		rng := rand.New(rand.NewPCG(1, 1))
		for _, c := range classes {
			p := netip.MustParsePrefix(c)
			seen := map[[4]byte]bool{}
			for range 500 {
				a := p.Addr().As4()
				v := binary.BigEndian.Uint32(a[:]) | rng.Uint32()>>p.Bits()
				binary.BigEndian.PutUint32(a[:], v)
				out := m.IPv4(a)
				if !p.Contains(netip.AddrFrom4(out)) {
					t.Fatalf("%v left %s: %v", a, c, out)
				}
				seen[out] = true
			}
			if len(seen) < 480 {
				t.Errorf("%s: %d images of 500", c, len(seen))
			}
		}
		for range 3000 {
			var a [4]byte
			binary.BigEndian.PutUint32(a[:], rng.Uint32())
			before, after := class4(binary.BigEndian.Uint32(a[:])), uint32(0)
			out := m.IPv4(a)
			after = binary.BigEndian.Uint32(out[:])
			if class4(after).id != before.id {
				t.Fatalf("%v of class %d became %v of class %d", a, before.id, out, class4(after).id)
			}
			if back := m.map4(after, true); back != binary.BigEndian.Uint32(a[:]) {
				t.Fatalf("%v does not come back", a)
			}
		}
		for _, c := range []string{"fc00::/7", "fd00::/8", "fe80::/64", "fe80::/10", "2000::/3", "ff02::1:ff00:0/104"} {
			p := netip.MustParsePrefix(c)
			for range 200 {
				a := p.Addr().As16()
				x := bitsOf(&a).or(bits128{rng.Uint64(), rng.Uint64()}.and(first(p.Bits()).not()))
				x.put(&a)
				out := m.IPv6(a)
				if !p.Contains(netip.AddrFrom16(out)) {
					t.Fatalf("%x left %s: %x", a, c, out)
				}
				if m.map6(bitsOf(&out), true) != x {
					t.Fatalf("%x does not come back", a)
				}
			}
		}
	})
}

func TestKeptAddresses(t *testing.T) {
	eachMode(t, func(t *testing.T, m *Mapper) {
		for _, s := range []string{
			"0.0.0.0", "127.0.0.1", "127.0.1.1", "127.0.0.53", "255.255.255.255", "255.255.255.0", "255.255.0.0", "255.0.0.0", "255.255.254.0",
			"224.0.0.1", "239.255.255.250", "128.0.0.0", "192.0.0.0", "224.0.0.0", "240.0.0.0", "0.0.0.255", "169.254.169.254",
		} {
			if out := m.IPv4(v4(s)); netip.AddrFrom4(out).String() != s {
				t.Errorf("%s became %v", s, out)
			}
		}
		for _, s := range []string{"::", "::1", "ff02::1", "ff02::fb", "ff05::1:3"} {
			if got, ok := m.AppendIPv6(nil, []byte(s)); !ok || string(got) != s {
				t.Errorf("%s became %s", s, got)
			}
		}
		for _, s := range []string{"192.0.2.1", "198.51.100.23", "203.0.113.80", "8.8.8.8", "10.0.0.0", "172.16.0.1", "240.1.2.3"} {
			if out := m.IPv4(v4(s)); netip.AddrFrom4(out).String() == s {
				t.Errorf("%s was kept", s)
			}
		}
	})
}

func TestPrefixesArePreserved(t *testing.T) {
	m := mapper(t, Options{})
	rng := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		// Within a class the common prefix is exact.
		a := 10<<24 | rng.Uint32()>>8
		b := a ^ rng.Uint32()>>(8+rng.IntN(24))
		if got, want := bits.LeadingZeros32(m.map4(a, false)^m.map4(b, false)), bits.LeadingZeros32(a^b); got != want {
			t.Fatalf("%x %x share %d bits, then %d", a, b, want, got)
		}
		// Public ones that share 16 bits walk together.
		a = 0x50000000 | rng.Uint32()>>4
		b = a ^ rng.Uint32()>>(16+rng.IntN(16))
		if got, want := bits.LeadingZeros32(m.map4(a, false)^m.map4(b, false)), bits.LeadingZeros32(a^b); got != want {
			t.Fatalf("public %x %x share %d bits, then %d", a, b, want, got)
		}
	}
}

func TestRandomHasNoPrefixes(t *testing.T) {
	m := mapper(t, Options{RandomIPs: true})
	long := 0
	for i := range uint32(200) {
		a := uint32(10<<24 | 1<<16 | i<<8)
		if bits.LeadingZeros32(m.map4(a, false)^m.map4(a+1, false)) >= 24 {
			long++
		}
	}
	if long > 3 {
		t.Errorf("%d of 200 neighbours are neighbours still", long)
	}
}

// A permutation of a whole small class, in random mode, has no collision.
func TestRandomIsOneToOne(t *testing.T) {
	m := mapper(t, Options{RandomIPs: true})
	seen := map[uint32]bool{}
	for i := range uint32(1 << 16) {
		v := m.map4(192<<24|168<<16|i, false)
		if seen[v] {
			t.Fatal("collision")
		}
		seen[v] = true
	}
}

func TestNetworks(t *testing.T) {
	m := mapper(t, Options{})
	net24 := string(m.AppendIPv4Prefix(nil, v4("10.1.2.0"), 24))
	host := m.IPv4(v4("10.1.2.77"))
	if !netip.MustParsePrefix(net24).Contains(netip.AddrFrom4(host)) || !strings.HasSuffix(net24, ".0/24") {
		t.Errorf("%v is not in %s", host, net24)
	}
	for in, want := range map[string]string{"10.0.0.0/8": "10.0.0.0/8", "0.0.0.0/0": "0.0.0.0/0", "192.168.0.0/16": "192.168.0.0/16", "127.0.0.0/8": "127.0.0.0/8"} {
		p := netip.MustParsePrefix(in)
		if got := string(m.AppendIPv4Prefix(nil, p.Addr().As4(), p.Bits())); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
	if got := string(m.AppendIPv4Prefix(nil, v4("10.1.2.3"), 24)); got != fmt.Sprintf("%s/24", m.AppendIPv4(nil, v4("10.1.2.3"))) {
		t.Errorf("a host with a prefix length became %s", got)
	}
	if got := string(m.AppendIPv4Prefix(nil, v4("10.1.2.3"), 99)); !strings.HasSuffix(got, "/99") {
		t.Errorf("%s", got)
	}
}

func TestIPv6Text(t *testing.T) {
	m := mapper(t, Options{})
	get := func(s string) string {
		t.Helper()
		out, ok := m.AppendIPv6([]byte("x"), []byte(s))
		if !ok {
			t.Fatalf("%s is refused", s)
		}
		return string(out[1:])
	}
	if a, b := get("2001:db8::1"), get("2001:DB8::1"); a != strings.ToLower(b) || a == b {
		t.Errorf("case: %s %s", a, b)
	}
	if a, b := get("2001:db8::1"), get("2001:0db8:0000:0000:0000:0000:0000:0001"); len(b) != 39 || netip.MustParseAddr(a) != netip.MustParseAddr(b) {
		t.Errorf("expanded: %s %s", a, b)
	}
	if s := get("fe80::5054:ff:feab:cdef%eth0"); !strings.HasSuffix(s, "%eth0") || !strings.HasPrefix(s, "fe80::") {
		t.Errorf("zone: %s", s)
	}
	if s := get("2001:db8:1:2::/64"); !netip.MustParsePrefix(s).Contains(netip.MustParseAddr(get("2001:db8:1:2::99"))) {
		t.Errorf("network: %s", s)
	}
	if s := get("fe80::1%eth0/64"); !strings.HasSuffix(s, "%eth0/64") {
		t.Errorf("zone and length: %s", s)
	}
	want := string(m.AppendIPv4(nil, v4("10.1.2.3")))
	if s := get("::ffff:10.1.2.3"); s != "::ffff:"+want {
		t.Errorf("mapped: %s, want %s", s, want)
	}
	if s := get("::ffff:a01:203"); netip.MustParseAddr(s).Unmap().String() != want || strings.Contains(s, ".") {
		t.Errorf("mapped in hex: %s", s)
	}
	if s := get("64:ff9b::10.1.2.3"); netip.MustParseAddr(s).As16()[15] != netip.MustParseAddr(want).As4()[3] {
		t.Errorf("translated: %s", s)
	}
	for _, bad := range []string{"", ":", "10.1.2.3", "1:2", "::1/129", "::1/", "::1/x", "1::2::3", "::g", strings.Repeat(":", 50), "12:34:56"} {
		if out, ok := m.AppendIPv6([]byte("x"), []byte(bad)); ok || string(out) != "x" {
			t.Errorf("%q became %s", bad, out)
		}
	}
}

func TestMAC(t *testing.T) {
	m := mapper(t, Options{})
	get := func(m *Mapper, s string) string {
		t.Helper()
		out, ok := m.AppendMAC(nil, []byte(s))
		if !ok || len(out) != len(s) {
			t.Fatalf("%s became %s, %v", s, out, ok)
		}
		return string(out)
	}
	one := get(m, "52:54:00:ab:cd:ef")
	hw, err := net.ParseMAC(one)
	if err != nil || one == "52:54:00:ab:cd:ef" || hw[0]&3 != 2 {
		t.Errorf("%s, %v", one, err)
	}
	for _, s := range []string{"52-54-00-AB-CD-EF", "5254.00ab.cdef", "52.54.00.ab.cd.ef", "52:54:00:AB:CD:EF"} {
		strip := strings.NewReplacer(":", "", "-", "", ".", "")
		if got := strip.Replace(strings.ToLower(get(m, s))); got != strip.Replace(one) {
			t.Errorf("%s became %s, not %s", s, got, one)
		}
	}
	if s := get(m, "52:54:00:AB:CD:EF"); s != strings.ToUpper(one) {
		t.Errorf("case: %s", s)
	}
	for _, s := range []string{"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01", "01:80:c2:00:00:0e", "00:00:00:00:00:00:00:00"} {
		if got := get(m, s); got != s {
			t.Errorf("%s became %s", s, got)
		}
	}
	if s := get(m, "33:33:ff:ab:cd:ef"); !strings.HasPrefix(s, "33:33:ff:") || s == "33:33:ff:ab:cd:ef" {
		t.Errorf("solicited node: %s", s)
	}
	if s := get(m, "50:54:00:ff:fe:ab:cd:ef"); s[:8] != get(m, "50:54:00:ab:cd:ef")[:8] || s[9:14] != "ff:fe" {
		t.Errorf("EUI-64 of a MAC: %s", s)
	}
	ib := "80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1"
	if s := get(m, ib); s == ib || s[36:] == ib[36:] || s[:11] == ib[:11] {
		t.Errorf("InfiniBand: %s", s)
	}
	keep := mapper(t, Options{KeepOUI: true})
	if s := get(keep, "52:54:00:ab:cd:ef"); !strings.HasPrefix(s, "52:54:00:") || s == "52:54:00:ab:cd:ef" {
		t.Errorf("KeepOUI: %s", s)
	}
	for _, bad := range []string{"", "52:54:00:ab:cd", "52:54:00:ab:cd:e", "52:54-00:ab:cd:ef", "5254.00ab", "zz:54:00:ab:cd:ef", "525400abcdef00", "52:54:00:ab:cd:ef:", "52:54:00:ab:cd:ef0", "5254:00ab:cdef"} {
		if _, ok := m.AppendMAC(nil, []byte(bad)); ok {
			t.Errorf("%q is taken", bad)
		}
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for _, m := range []*Mapper{m, keep} {
		for range 2000 {
			var a [6]byte
			binary.BigEndian.PutUint32(a[2:], rng.Uint32())
			a[0], a[1] = byte(rng.Uint32()), byte(rng.Uint32())
			out := m.MAC(a)
			if out[0]&3 != a[0]&3 {
				t.Fatalf("%x became %x", a, out)
			}
			if macBytes(m.mapMAC(macBits(out), true)) != a {
				t.Fatalf("%x does not come back", a)
			}
		}
	}
}

var token = regexp.MustCompile(`\b[hu]-[a-z2-7]{8}\b`)

func TestHosts(t *testing.T) {
	m := mapper(t, Options{})
	host := func(s string) string { return string(m.AppendHost(nil, []byte(s))) }
	shape := func(s string) string { return token.ReplaceAllString(host(s), "T") }
	for in, want := range map[string]string{
		"web-17":                          "T",
		"web-17.corp.acme.example":        "T.T.T.example",
		"db1.acme.com":                    "T.T.com",
		"db1.acme.co.uk":                  "T.T.co.uk",
		"db1.acme.com.":                   "T.T.com.",
		"x.s3.amazonaws.com":              "T.s3.amazonaws.com",
		"api.prod.svc.cluster.local":      "T.T.svc.cluster.local",
		"printer.local":                   "T.local",
		"localhost":                       "localhost",
		"localhost.localdomain":           "localhost.localdomain",
		"*.acme.com":                      "*.T.com",
		"_ldap._tcp.acme.com":             "_ldap._tcp.T.com",
		"host.unknowntldx":                "T.T",
		"com":                             "T",
		"co.uk":                           "co.uk",
		"":                                "",
		"a..b":                            "T..T",
		strings.Repeat("a", 300) + ".com": "T.com",
		"ключ.acme.com":                   "T.T.com",
	} {
		if got := shape(in); got != want {
			t.Errorf("%s has the shape %s, want %s", in, got, want)
		}
	}
	if host("WEB-17.Acme.COM") != host("web-17.acme.com") {
		t.Error("case is not folded")
	}
	if !strings.HasPrefix(host("web-17.acme.com"), host("web-17")+".") {
		t.Error("short and full name differ")
	}
	if host("jdoe") == string(m.AppendUser(nil, []byte("jdoe"))) {
		t.Error("users and hosts are alike")
	}
	mail := string(m.AppendEmail(nil, []byte("JDoe@laptop.acme.com")))
	if want := string(m.AppendUser(nil, []byte("jdoe"))) + "@" + host("laptop.acme.com"); mail != want {
		t.Errorf("mail is %s, want %s", mail, want)
	}
	if got := string(m.AppendEmail(nil, []byte("jdoe"))); got != string(m.AppendUser(nil, []byte("jdoe"))) {
		t.Errorf("mail without @: %s", got)
	}
	ip := m.IPv4(v4("10.1.2.3"))
	if got, want := host("3.2.1.10.in-addr.arpa"), fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", ip[3], ip[2], ip[1], ip[0]); got != want {
		t.Errorf("reverse zone: %s, want %s", got, want)
	}
	if got, want := host("2.1.10.in-addr.arpa."), fmt.Sprintf("%d.%d.%d.in-addr.arpa.", ip[2], ip[1], ip[0]); got != want {
		t.Errorf("reverse zone: %s, want %s", got, want)
	}
	if got := host("10.1.2.3"); got != string(m.AppendIPv4(nil, v4("10.1.2.3"))) {
		t.Errorf("an address as a host: %s", got)
	}
	six := netip.MustParseAddr("2001:db8::567:89ab").As16()
	six = m.IPv6(six)
	var want strings.Builder
	for i := 31; i >= 0; i-- {
		fmt.Fprintf(&want, "%x.", six[i/2]>>(4*(1-i%2))&15)
	}
	if got := host("b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"); got != want.String()+"ip6.arpa" {
		t.Errorf("reverse zone: %s", got)
	}
}

// REQ: sanitize(sanitize(x)) = sanitize(x) for names.
func TestNamesAreFixedPoints(t *testing.T) {
	m := mapper(t, Options{})
	for i := range 500 {
		for _, once := range [][]byte{
			m.AppendHost(nil, fmt.Appendf(nil, "host%d.dep%d.acme.com", i, i%7)),
			m.AppendHost(nil, fmt.Appendf(nil, "H%d", i)),
		} {
			if twice := m.AppendHost(nil, once); !bytes.Equal(once, twice) {
				t.Fatalf("%s became %s", once, twice)
			}
			if twice := m.AppendHost(nil, bytes.ToUpper(once)); !bytes.Equal(once, twice) {
				t.Fatalf("%s in capitals became %s", once, twice)
			}
		}
		user := m.AppendUser(nil, fmt.Appendf(nil, "user%d", i))
		if twice := m.AppendUser(nil, user); !bytes.Equal(user, twice) {
			t.Fatalf("%s became %s", user, twice)
		}
		mail := m.AppendEmail(nil, fmt.Appendf(nil, "user%d@h%d", i, i))
		if twice := m.AppendEmail(nil, mail); !bytes.Equal(mail, twice) {
			t.Fatalf("%s became %s", mail, twice)
		}
	}
}

// A real host that is named like a token is not let through.
func TestForeignTokensAreNames(t *testing.T) {
	m := mapper(t, Options{})
	other, err := New(&[KeySize]byte{9}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	const n = 2000
	for i := range n {
		foreign := other.AppendHost(nil, fmt.Appendf(nil, "host%d", i))
		if !LooksLikeToken(foreign) || !other.IsToken(foreign) {
			t.Fatalf("%s is no token", foreign)
		}
		if m.IsToken(foreign) {
			passed++
		}
	}
	if passed > 30 {
		t.Errorf("%d of %d pass", passed, n)
	}
	for _, s := range []string{"", "h-", "h-aaaaaaaaa", "x-aaaaaaaa", "h-aaaaaaa1", "h_aaaaaaaa", "h-aaaaaa\x92a", "h-aaaa@aaa", "h-aaaa[aaa"} {
		if LooksLikeToken([]byte(s)) {
			t.Errorf("%q looks like a token", s)
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	a := mapper(t, Options{})
	again := mapper(t, Options{CacheEntries: 1})
	b, _ := New(&[KeySize]byte{9}, Options{})
	all := func(m *Mapper) []string {
		six, _ := m.AppendIPv6(nil, []byte("2001:db8::1"))
		mac, _ := m.AppendMAC(nil, []byte("52:54:00:ab:cd:ef"))
		return []string{string(m.AppendIPv4(nil, v4("10.1.2.3"))), string(six), string(mac), string(m.AppendHost(nil, []byte("web"))), string(m.AppendUser(nil, []byte("web")))}
	}
	x, y, z := all(a), all(again), all(b)
	for i := range x {
		if x[i] != y[i] {
			t.Errorf("one key gives %s and %s", x[i], y[i])
		}
		if x[i] == z[i] {
			t.Errorf("two keys give %s", x[i])
		}
	}
	for _, s := range []string{fmt.Sprint(a), fmt.Sprintf("%v %+v %#v", a, a, a)} {
		if strings.Contains(s, "1 2 3") {
			t.Errorf("the key prints: %s", s)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := mapper(t, Options{CacheEntries: 16}) // collisions all the time
	type answer struct{ ip, host, mac string }
	get := func(i int) answer {
		mac, _ := m.AppendMAC(nil, fmt.Appendf(nil, "52:54:00:00:%02x:%02x", i>>8, i&255))
		return answer{string(m.AppendIPv4(nil, [4]byte{10, 1, byte(i >> 8), byte(i)})), string(m.AppendHost(nil, fmt.Appendf(nil, "h%d.acme.com", i))), string(mac)}
	}
	var want []answer
	for i := range 300 {
		want = append(want, get(i))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 300 {
				if got := get(i); got != want[i] {
					t.Errorf("%d: %v, want %v", i, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestHitsDoNotAllocate(t *testing.T) {
	m := mapper(t, Options{})
	dst := make([]byte, 0, 200)
	six, mac, host, mail := []byte("2001:db8::1"), []byte("52:54:00:ab:cd:ef"), []byte("Web-17.acme.com"), []byte("jdoe@acme.com")
	all := func() {
		dst = m.AppendIPv4(dst[:0], [4]byte{10, 1, 2, 3})
		dst, _ = m.AppendIPv6(dst, six)
		dst, _ = m.AppendMAC(dst, mac)
		dst = m.AppendHost(dst, host)
		dst = m.AppendEmail(dst, mail)
		dst = m.AppendUser(dst, host)
	}
	all()
	if n := testing.AllocsPerRun(100, all); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("web-17.acme.com", uint32(1))
	f.Add("3.2.1.10.in-addr.arpa", uint32(0xffffff00))
	f.Add("52:54:00:ab:cd:ef", uint32(7))
	f.Add("2001:DB8::1%e/64", uint32(7))
	m := mapper(f, Options{})
	r := mapper(f, Options{RandomIPs: true})
	f.Fuzz(func(t *testing.T, name string, a uint32) {
		once := m.AppendHost(nil, []byte(name))
		if _, numeric := m.appendReverse(nil, bytes.ToLower([]byte(name))); !numeric {
			if _, dotted := parseDotted([]byte(name)); !dotted {
				if twice := m.AppendHost(nil, once); !bytes.Equal(once, twice) && !bytes.HasSuffix(once, []byte("arpa")) {
					t.Fatalf("%q became %q, then %q", name, once, twice)
				}
			}
		}
		m.AppendEmail(nil, []byte(name))
		for _, m := range []*Mapper{m, r} {
			if out, ok := m.AppendIPv6(nil, []byte(name)); ok {
				if back, ok := m.AppendIPv6(nil, out); !ok {
					t.Fatalf("%q became %q, then %q", name, out, back)
				}
			}
			if out, ok := m.AppendMAC(nil, []byte(name)); ok && len(out) != len(name) {
				t.Fatalf("%q became %q", name, out)
			}
			if m.map4(m.map4(a, false), true) != a || class4(m.map4(a, false)).id != class4(a).id {
				t.Fatalf("%x became %x", a, m.map4(a, false))
			}
		}
	})
}

func BenchmarkIPv4(b *testing.B) {
	m := mapper(b, Options{})
	dst := make([]byte, 0, 32)
	b.Run("hit", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			dst = m.AppendIPv4(dst[:0], [4]byte{10, 1, byte(i >> 4 & 3), byte(i)})
		}
	})
	b.Run("miss", func(b *testing.B) {
		for i := uint32(0); b.Loop(); i++ {
			m.map4(10<<24|i&0xffffff, false)
		}
	})
	b.Run("miss random", func(b *testing.B) {
		m := mapper(b, Options{RandomIPs: true})
		for i := uint32(0); b.Loop(); i++ {
			m.map4(10<<24|i&0xffffff, false)
		}
	})
}

func BenchmarkIPv6(b *testing.B) {
	m := mapper(b, Options{})
	dst := make([]byte, 0, 64)
	text := []byte("2001:db8:12:34::77")
	for b.Loop() {
		dst, _ = m.AppendIPv6(dst[:0], text)
	}
}

func BenchmarkHost(b *testing.B) {
	m := mapper(b, Options{})
	dst := make([]byte, 0, 64)
	b.Run("hit", func(b *testing.B) {
		name := []byte("web-17.corp.acme.com")
		for b.Loop() {
			dst = m.AppendHost(dst[:0], name)
		}
	})
	b.Run("miss", func(b *testing.B) {
		name := []byte("web-0000000.corp.acme.com")
		for i := 0; b.Loop(); i++ {
			for k, v := 10, i; k > 3; k, v = k-1, v/10 {
				name[k] = '0' + byte(v%10)
			}
			dst = m.AppendHost(dst[:0], name)
		}
	})
}
