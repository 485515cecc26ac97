package scan

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// The oracles are slow and plain. They look at words that are set off by
// blanks, where there is no question of context.
var oracles = map[What]*regexp.Regexp{
	IPv4:  regexp.MustCompile(`(?:^| )((?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3})(?: |$)`),
	MAC:   regexp.MustCompile(`(?:^| )([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5})(?: |$)`),
	Email: regexp.MustCompile(`(?:^| )([a-zA-Z0-9][a-zA-Z0-9._+]*@[a-z][a-z0-9]*\.(?:com|org|net))(?: |$)`),
}

func randomWord(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return fmt.Sprintf("%d.%d.%d.%d", r.IntN(300), r.IntN(300), r.IntN(256), r.IntN(256))
	case 1:
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
	case 2:
		return fmt.Sprintf("u%d.x@h%d.%s", r.IntN(100), r.IntN(100), []string{"com", "org", "zzq"}[r.IntN(3)])
	case 3:
		return fmt.Sprintf("%d.%d.%d", r.IntN(30), r.IntN(30), r.IntN(30))
	case 4:
		return fmt.Sprintf("%02d:%02d:%02d", r.IntN(24), r.IntN(60), r.IntN(60))
	case 5:
		return fmt.Sprintf("%d.%d.%d.%d.%d", r.IntN(30), r.IntN(30), r.IntN(30), r.IntN(30), r.IntN(9))
	case 6:
		return fmt.Sprintf("%02x:%02x:%02x", r.IntN(256), r.IntN(256), r.IntN(256))
	}
	return []string{"and", "x=1", "(done)", "--", "#5", "1.2e3"}[r.IntN(6)]
}

func TestIdentifiersEqualTheOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, k := range []mask.Kernel{mask.Portable, mask.AVX2, mask.AVX512} {
		if !mask.Available(k) {
			continue
		}
		s := New()
		s.Identify, s.Kernel = true, k
		for range 2000 {
			var text []byte
			for range 1 + r.IntN(30) {
				text = append(append(text, randomWord(r)...), ' ')
				if r.IntN(6) == 0 {
					text[len(text)-1] = '\n'
				}
			}
			s.Reset("")
			s.Scan(text, 0, len(text))
			for what, re := range oracles {
				got, want := "", ""
				for _, id := range s.Idents {
					if id.What == what && (what != Email || bytes.HasSuffix(text[id.Start:id.End], []byte("com")) || bytes.HasSuffix(text[id.Start:id.End], []byte("org"))) {
						got += fmt.Sprintf("%d-%d ", id.Start, id.End)
					}
				}
				for at := 0; at < len(text); {
					// blanks are shared by neighbours
					m := re.FindSubmatchIndex(bytes.ReplaceAll(text[at:], []byte("\n"), []byte(" ")))
					if m == nil {
						break
					}
					want += fmt.Sprintf("%d-%d ", at+m[2], at+m[3])
					at += m[3]
				}
				if got != want {
					t.Fatalf("%v, kernel %v, in %q:\n got %s\nwant %s", what, k, text, got, want)
				}
			}
		}
	}
}

func TestVersionsAreNoAddresses(t *testing.T) {
	s := New()
	s.Identify = true
	for _, text := range []string{
		"Firmware version 4.2.1.16", `"version": "1.2.3.4"`, "OID: 1.3.6.1.4.1.2021.10.1.3.1", "Section 3.1.4.2 of the manual",
		"ii  foo             10.0.17.1  amd64 looks like an address", "pkg-10.0.17.1-1.el8.x86_64", "Version=4.0.0.0, Culture", "v1.2.3.4", "1.2.3.4.5", "256.1.1.1", "01.2.3.4",
	} {
		s.Reset("")
		s.Scan([]byte(text), 0, len(text))
		if len(s.Idents) > 0 {
			t.Errorf("%q: found %v", text, s.Idents)
		}
	}
	for _, text := range []string{"10.0.0.1:80", "(10.0.0.1)", "from 10.0.0.1, to", "10.0.0.1/8", "10.0.0.1-10.0.0.9", "http://10.0.0.1/x", "ip=10.0.0.1", "fe80::1", "2001:db8:12:34::77/64", "52:54:00:ab:cd:ef", "00-1A-2B-3C-4D-5E"} {
		s.Reset("")
		s.Scan([]byte(text), 0, len(text))
		if len(s.Idents) == 0 {
			t.Errorf("%q: found nothing", text)
		}
	}
}

func TestStateHasFixedSize(t *testing.T) {
	s := New()
	text := bytes.Repeat([]byte("password: |\n  x\n- name: DB_PASSWORD\n  value: x\nsecrets:\n  - a\n"), 100)
	s.Scan(text, 0, len(text))
	s.Reset("")
	if n := testing.AllocsPerRun(20, func() {
		s.Reset("")
		s.Scan(text, 0, len(text))
	}); n > 0 {
		t.Errorf("%v allocations in steady state", n)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("password=foo\n{\"token\":\"x\"}\n-----BEGIN RSA PRIVATE KEY-----\nabc\n"))
	f.Add([]byte("curl -u a:b http://c:d@e/ | passwd --stdin\n<password>\n x </password>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := New()
		s.Identify = true
		s.Scan(text, 0, len(text))
		for _, sp := range s.Spans {
			if sp.Start < 0 || sp.End > len(text) || sp.Start >= sp.End {
				t.Fatalf("span %+v of %d bytes", sp, len(text))
			}
			if bytes.IndexByte(text[sp.Start:sp.End], '\n') >= 0 {
				t.Fatalf("span %q crosses lines", text[sp.Start:sp.End])
			}
		}
		for _, id := range s.Idents {
			if id.Start < 0 || id.End > len(text) || id.Start >= id.End {
				t.Fatalf("identifier %+v of %d bytes", id, len(text))
			}
		}
	})
}
