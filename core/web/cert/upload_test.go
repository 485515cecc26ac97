package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// What editors, mail programs and certificate authorities make of a file.
// REQ D2, D5, D9
func TestTaken(t *testing.T) {
	root := newAuthority(t, "Root", nil)
	middle := newAuthority(t, "Middle", root)
	lower := newAuthority(t, "Lower", middle)
	key := newP256(t)
	leaf := lower.leaf(key.Public(), "sa.example.com", nil)
	k, all := pkcs8(t, key), text(leaf, lower.cert, middle.cert, root.cert)
	sec1, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	wide := func(order func(uint16) []byte) string {
		out := order(0xFEFF)
		for _, u := range utf16.Encode([]rune(k + all)) {
			out = append(out, order(u)...)
		}
		return string(out)
	}
	for name, file := range map[string]string{
		"as it should be":       k + all,
		"certificates first":    all + k,
		"any order":             text(root.cert, middle.cert) + k + text(lower.cert, leaf),
		"things twice":          k + all + k + all,
		"CRLF":                  strings.ReplaceAll(k+all, "\n", "\r\n"),
		"CR":                    strings.ReplaceAll(k+all, "\n", "\r"),
		"byte order mark":       "\xEF\xBB\xBF" + k + "\xEF\xBB\xBF" + all,
		"UTF-16, little endian": wide(func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }),
		"UTF-16, big endian":    wide(func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} }),
		"joined without an end": strings.TrimSuffix(k, "\n") + all,
		"indented":              "  " + strings.ReplaceAll(k+all, "\n", " \n\t"),
		"remarks":               "Bag Attributes\n    friendlyName: sa\n" + k + "subject=CN = sa\n" + all + "\nregards\n",
		"SEC 1, with its curve": block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}) + block("EC PRIVATE KEY", sec1) + all,
		"wrong label":           block("RSA PRIVATE KEY", sec1) + all,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			before, _ := s.Get(nil)
			told := Change{}
			c, err := s.Upload([]byte(file), false, func(c Change) error { told = c; return nil })
			if err != nil {
				t.Fatal(err)
			}
			if !told.Old.Equal(before.Leaf) || !told.New.Equal(leaf) || len(c.Notes) != 0 || c.How != "uploaded" {
				t.Errorf("%+v", c)
			}
			got, err := s.Get(nil)
			if err != nil || len(got.Certificate) != 4 {
				t.Fatalf("%d certificates, %v", len(got.Certificate), err)
			}
			for i, want := range []*x509.Certificate{leaf, lower.cert, middle.cert, root.cert} {
				if !bytes.Equal(got.Certificate[i], want.Raw) {
					t.Errorf("certificate %d is another", i)
				}
			}
			if info, err := os.Stat(s.Path()); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
}

// Each mistake has its own message, and the old certificate goes on being served.
// REQ D3, D4, J1
func TestRefused(t *testing.T) {
	root := newAuthority(t, "Root", nil)
	key, other := newP256(t), newP256(t)
	leaf := root.leaf(key.Public(), "sa.example.com", nil)
	k := pkcs8(t, key)
	made := func(key crypto.Signer, change func(*x509.Certificate)) string {
		return pkcs8(t, key) + text(root.leaf(key.Public(), "sa.example.com", change))
	}
	old := newAuthority(t, "Old", nil)
	old.cert.NotAfter = time.Now().Add(-time.Hour)
	expired := root.sign(old.cert, old.key.Public())
	below := (&authority{t: t, cert: expired, key: old.key}).leaf(key.Public(), "sa.example.com", nil)
	for name, tt := range map[string]struct {
		file  string
		check Check
		says  string
	}{
		"empty":                 {" \n", Readable, "is empty"},
		"no PEM":                {"hello", Readable, "nothing in PEM form"},
		"an archive":            {"PK\x03\x04" + k, Readable, "archive"},
		"compressed":            {"\x1f\x8b" + k, Readable, "archive"},
		"DER":                   {string(leaf.Raw), Readable, "binary form (DER)"},
		"PKCS #12":              {"\x30\x82\x01\x01zzz", Readable, "PKCS #12"},
		"PKCS #7":               {block("PKCS7", leaf.Raw), Readable, "PKCS #7"},
		"large":                 {strings.Repeat("x", MaxUpload+1), Readable, "larger than 256 kB"},
		"many":                  {strings.Repeat(text(leaf), maxBlocks+1), Readable, "41 parts"},
		"cut off":               {k + text(leaf)[:200], Readable, "1 of the 2 parts"},
		"damaged":               {strings.Replace(k, "A", "*", 1) + text(leaf), Readable, "1 of the 2 parts"},
		"a key that is none":    {block("PRIVATE KEY", []byte("nonsense")) + text(leaf), Readable, "the private key cannot be read"},
		"no certificate either": {k + block("CERTIFICATE", []byte("nonsense")), Readable, "the certificate cannot be read"},
		"a request":             {k + block("CERTIFICATE REQUEST", []byte("x")), Readable, "a request for a certificate"},
		"a key of OpenSSH":      {block("OPENSSH PRIVATE KEY", []byte("x")), Readable, "OpenSSH"},
		"only a key":            {k, Readable, "no certificate"},
		"only a certificate":    {text(leaf), Readable, "no private key"},
		"two keys":              {k + pkcs8(t, other) + text(leaf), Readable, "2 different private keys"},
		"encrypted, PKCS #8":    {block("ENCRYPTED PRIVATE KEY", []byte("x")) + text(leaf), NoPassword, "encrypted"},
		"encrypted, old":        {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n" + text(leaf), NoPassword, "encrypted"},
		"another key":           {pkcs8(t, other) + text(leaf), KeyMatches, "does not belong"},
		"RSA, 1024 bits":        {made(newRSA(t, 1024), nil), KeyType, "RSA with 1024 bits"},
		"RSA, 3072 bits":        {made(newRSA(t, 3072), nil), KeyType, "RSA with 3072 bits"},
		"P-521":                 {made(newEC(t, elliptic.P521()), nil), KeyType, "P-521"},
		"P-224":                 {made(newEC(t, elliptic.P224()), nil), KeyType, "P-224"},
		"Ed25519":               {made(newEd25519(t), nil), KeyType, "Ed25519"},
		"a huge key":            {block("RSA PRIVATE KEY", make([]byte, maxKey+1)) + text(leaf), KeyType, "far larger"},
		"expired":               {made(key, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), NotExpired, "expired on"},
		"in the future":         {made(key, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), NotFuture, "not good before"},
		"another name":          {made(key, func(c *x509.Certificate) { c.DNSNames = []string{"other.example.com"} }), Name, "for other.example.com, and this system is called sa.example.com"},
		"CN does not help": {made(key, func(c *x509.Certificate) {
			c.DNSNames = []string{"other.example.com"}
			c.Subject.CommonName = "sa.example.com"
		}), Name, "other.example.com"},
		"another domain":       {made(key, func(c *x509.Certificate) { c.DNSNames = []string{"sa.example.net"} }), Name, "sa.example.net"},
		"no name":              {made(key, func(c *x509.Certificate) { c.DNSNames = nil; c.Subject.CommonName = "" }), Name, "for nobody"},
		"for clients":          {made(key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), Purpose, "not for servers"},
		"an authority expired": {k + text(below, expired), NotExpired, `authority "Old" expired`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			before, _ := os.ReadFile(s.Path())
			_, err := s.Upload([]byte(tt.file), false, func(Change) error { t.Error("it is recorded"); return nil })
			var r *Refused
			if !errors.As(err, &r) || r.Check != tt.check || !strings.Contains(r.Error(), tt.says) || r.ExitCode() != 4 {
				t.Errorf("%v: %v", r, err)
			}
			if r != nil && r.Hint() == "" {
				t.Error("it does not say what to do")
			}
			if after, _ := os.ReadFile(s.Path()); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			if all, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Path()), "*")); len(all) > 2 {
				t.Errorf("left behind: %q", all)
			}
		})
	}
}

// The name, by all the ways a certificate and a machine can have one. REQ D3
func TestName(t *testing.T) {
	root := newAuthority(t, "Root", nil)
	key := newP256(t)
	for _, tt := range []struct {
		system []string
		names  []string
		cn     string
		ok     bool
	}{
		{[]string{"sa.example.com", "sa"}, []string{"SA.Example.COM"}, "", true},
		{[]string{"sa.example.com", "sa"}, []string{"other", "sa.example.com"}, "", true},
		{[]string{"sa.example.com", "sa"}, []string{"*.example.com"}, "", true},
		{[]string{"sa.lab.example.com", "sa"}, []string{"*.example.com"}, "", false},
		{[]string{"sa.example.com", "sa"}, []string{"sa"}, "", true},
		{[]string{"sa.example.com", "sa"}, []string{"sa.evil.example"}, "", false},
		{[]string{"sa.example.com", "sa"}, nil, "sa.example.com", true}, // an old one
		{[]string{"sa.example.com", "sa"}, nil, "evil.example", false},
		{[]string{"sa"}, []string{"sa.example.com"}, "", true}, // it does not know its domain
		{[]string{"sa"}, []string{"*.example.com"}, "", false},
		{[]string{"sa"}, []string{"sb.example.com"}, "", false},
		{[]string{"sa", "192.0.2.7"}, []string{"192.0.2.7"}, "", false}, // an address is no DNS name
		{[]string{}, []string{"sa"}, "", false},
	} {
		c := root.leaf(key.Public(), "x", func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = tt.names, tt.cn })
		if err := checkName(c, tt.system); (err == nil) != tt.ok {
			t.Errorf("%v for %v: %v", tt.names, tt.system, err)
		}
	}
	s := newStore(t)
	alias := pkcs8(t, key) + text(root.leaf(key.Public(), "alias.example.net", nil), root.cert)
	c, err := s.Upload([]byte(alias), true, fine) // he says so
	if err != nil || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "alias.example.net") {
		t.Errorf("%+v, %v", c, err)
	}
	byAddress := root.leaf(key.Public(), "x", func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, parseIPs("192.0.2.7") })
	if err := checkName(byAddress, []string{"sa", "192.0.2.7"}); err != nil {
		t.Error(err)
	}
}

func TestSystemNames(t *testing.T) {
	for _, tt := range []struct{ host, hosts, resolver, want string }{
		{"SA.Example.com.", "", "search other.example", "sa.example.com sa"},
		{"sa", "127.0.0.1 localhost\n10.0.0.5 sa.example.com sa # storage\n10.0.0.6 sb.example.com sb", "search other.example", "sa sa.example.com"},
		{"sa", "127.0.1.1\tsa", "nameserver 10.0.0.1\nsearch lab.example.com example.com\n", "sa sa.lab.example.com sa.example.com"},
		{"", "10.0.0.5 sa", "", ""},
	} {
		if got := strings.Join(systemNames(tt.host, tt.hosts, tt.resolver), " "); got != tt.want {
			t.Errorf("%q: %q, not %q", tt.host, got, tt.want)
		}
	}
	if all := SystemNames(); slices.Contains(all, "localhost") || slices.Contains(all, "127.0.0.1") {
		t.Errorf("%q: everybody is called that", all)
	}
}

func TestRemarks(t *testing.T) {
	root := newAuthority(t, "Root", nil)
	stranger := newAuthority(t, "Stranger", nil)
	key := newRSA(t, 2048)
	leaf := root.leaf(key.Public(), "sa.example.com", func(c *x509.Certificate) { c.DNSNames = nil })
	c, err := newStore(t).Upload([]byte(block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))+text(leaf, stranger.cert)), false, fine)
	if got := strings.Join(c.Notes, "\n"); err != nil || !strings.Contains(got, "no alternative names") || !strings.Contains(got, "authorities between") || !strings.Contains(got, "1 certificates of the file do not belong") {
		t.Errorf("%q, %v", got, err)
	}
}

// A change that cannot be recorded does not happen. REQ D4
func TestNotRecordedNotChanged(t *testing.T) {
	s := newStore(t)
	before, _ := s.Get(nil)
	key := newP256(t)
	root := newAuthority(t, "Root", nil)
	full := errors.New("the disk is full")
	_, err := s.Upload([]byte(pkcs8(t, key)+text(root.leaf(key.Public(), "sa.example.com", nil))), false, func(Change) error { return full })
	if !errors.Is(err, full) {
		t.Error(err)
	}
	if _, err := s.SelfSign(Subject{CommonName: "sa"}, func(Change) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	if _, err := s.Request(Subject{CommonName: "sa"}, func(*Request) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	if after, err := s.Get(nil); err != nil || !after.Leaf.Equal(before.Leaf) {
		t.Error("it was changed")
	}
	if _, err := s.Waiting(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a request waits: %v", err)
	}
	if all, _ := os.ReadDir(filepath.Dir(s.Path())); len(all) != 2 {
		t.Errorf("left behind: %v", all)
	}
}

// What somebody chose is never replaced by itself: not when it ends, and not
// because it looks like ours.
func TestChosenStays(t *testing.T) {
	root := newAuthority(t, "Root", nil)
	key := newP256(t)
	for name, put := range map[string]func(s *Store) error{
		"uploaded": func(s *Store) error {
			mine := selfMade(t, key)
			_, err := s.Upload([]byte(pkcs8(t, key)+text(mine)), false, fine)
			return err
		},
		"signed by somebody": func(s *Store) error {
			_, err := s.Upload([]byte(pkcs8(t, key)+text(root.leaf(key.Public(), "sa.example.com", func(c *x509.Certificate) { c.Subject.Organization = []string{organization} }))), false, fine)
			return err
		},
		"self-signed": func(s *Store) error {
			_, err := s.SelfSign(Subject{CommonName: "sa.example.com", Organization: organization}, fine)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			if err := put(s); err != nil {
				t.Fatal(err)
			}
			chosen, err := s.Get(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []time.Duration{-29 * 24 * time.Hour, time.Hour} {
				s.now = func() time.Time { return chosen.Leaf.NotAfter.Add(at) }
				s.loaded = nil // a new process
				if c, err := s.Get(nil); err != nil || !c.Leaf.Equal(chosen.Leaf) {
					t.Errorf("it was replaced: %v", err)
				}
				info, err := s.Info()
				if err != nil || info.Renewed || info.Ending(s.now()) == "" {
					t.Errorf("nobody is warned: %+v, %v", info, err)
				}
			}
		})
	}
}

func TestEnding(t *testing.T) {
	end := time.Date(2030, 5, 1, 12, 0, 0, 0, time.Local)
	i := Info{Certificate: &x509.Certificate{NotAfter: end}}
	for before, want := range map[time.Duration]string{
		31 * 24 * time.Hour: "", 10*24*time.Hour + time.Minute: "in 10 days, on 2030-05-01", 5 * time.Hour: "ends at 2030-05-01 12:00", -time.Hour: "expired on 2030-05-01",
	} {
		if got := i.Ending(end.Add(-before)); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", before, got)
		}
	}
	i.Renewed = true
	if got := i.Ending(end); got != "" {
		t.Error(got)
	}
}
