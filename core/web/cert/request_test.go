package cert

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func parseIPs(all ...string) (out []net.IP) {
	for _, a := range all {
		out = append(out, net.ParseIP(a))
	}
	return out
}

// selfMade looks like a certificate that was made here by itself.
func selfMade(t *testing.T, key crypto.Signer) *x509.Certificate {
	t.Helper()
	a := &authority{t: t, key: key, cert: &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "sa.example.com", Organization: []string{organization}}, DNSNames: []string{"sa.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}}
	return a.sign(a.cert, key.Public())
}

// The whole way: a request, its certificate alone, the key that waited. REQ D6, D7
func TestRequest(t *testing.T) {
	root := newAuthority(t, "Root", nil)
	for _, kind := range []string{"rsa2048", "p256", "p384"} {
		t.Run(kind, func(t *testing.T) {
			s := newStore(t)
			r, err := s.Request(Subject{CommonName: "sa.example.com", Organization: "Example Bank, Ltd.", Unit: "IT", Country: "us", State: "Zürich", Names: []string{"sa", "192.0.2.7", "SA.example.com", "fd00::7"}, KeyType: kind},
				func(*Request) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if err := r.CSR.CheckSignature(); err != nil || strings.Join(r.Names(), " ") != "sa.example.com sa 192.0.2.7 fd00::7" || r.Kind != kind {
				t.Errorf("%v, %q, %s", err, r.Names(), r.Kind)
			}
			if got := r.CSR.Subject; got.Country[0] != "US" || got.Province[0] != "Zürich" || got.CommonName != "sa.example.com" {
				t.Errorf("%+v", got)
			}
			if info, err := os.Stat(s.requestPath()); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
			// A certificate for another key is not for it, and changes nothing.
			stranger := newP256(t)
			_, err = s.Upload([]byte(text(root.leaf(stranger.Public(), "sa.example.com", nil))), false, fine)
			if refused := new(Refused); !errors.As(err, &refused) || refused.Check != KeyMatches || !strings.Contains(err.Error(), "request (CSR) that was made here") {
				t.Error(err)
			}
			// Somebody else's pair does not take it away.
			if _, err := s.Upload([]byte(pkcs8(t, stranger)+text(root.leaf(stranger.Public(), "sa.example.com", nil))), false, fine); err != nil {
				t.Error(err)
			}
			leaf := root.leaf(r.CSR.PublicKey, "sa.example.com", nil)
			c, err := s.Upload([]byte("\xEF\xBB\xBF"+strings.ReplaceAll(text(root.cert, leaf), "\n", "\r\n")), false, fine)
			if err != nil || c.How != "uploaded for the request" || len(c.Notes) != 0 {
				t.Fatalf("%+v, %v", c, err)
			}
			if got, err := s.Get(nil); err != nil || !got.Leaf.Equal(leaf) || len(got.Certificate) != 2 {
				t.Errorf("%v", err)
			}
			if _, err := s.Waiting(); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the request waits still: %v", err)
			}
			// The same key, signed once more: a renewal.
			if c, err := s.Upload([]byte(text(root.leaf(r.CSR.PublicKey, "sa.example.com", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(9) }))), false, fine); err != nil || c.How != "uploaded" {
				t.Errorf("a renewal: %v", err)
			}
		})
	}
}

// A request that somebody else can read, or has changed, is not used.
func TestRequestOfOthers(t *testing.T) {
	s := newStore(t)
	r, err := s.Request(Subject{CommonName: "sa.example.com", KeyType: "p256"}, func(*Request) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.requestPath(), 0o640); err != nil {
		t.Fatal(err)
	}
	leaf := newAuthority(t, "Root", nil).leaf(r.CSR.PublicKey, "sa.example.com", nil)
	if _, err := s.Upload([]byte(text(leaf)), false, fine); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if err := os.WriteFile(s.requestPath(), []byte(pkcs8(t, newP256(t))+string(r.PEM())), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.requestPath(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Waiting(); err == nil || !strings.Contains(err.Error(), "holds no request with its key") {
		t.Error(err)
	}
	os.Remove(s.requestPath())
	if err := os.Symlink("/etc/passwd", s.requestPath()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Waiting(); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a link is followed: %v", err)
	}
}

// REQ D6, D8, D9
func TestSubject(t *testing.T) {
	good := Subject{CommonName: "sa.example.com"}
	for name, tt := range map[string]struct {
		change func(*Subject)
		says   string
	}{
		"fine":               {func(*Subject) {}, ""},
		"everything":         {func(s *Subject) { s.Organization, s.Unit, s.Country, s.State = "Ö & Co.", "IT", "il", "x" }, ""},
		"a wildcard":         {func(s *Subject) { s.Names = []string{"*.example.com"} }, ""},
		"a title, and names": {func(s *Subject) { s.CommonName, s.Names = "Our SA", []string{"sa"} }, ""},
		"a title alone":      {func(s *Subject) { s.CommonName = "Our SA" }, "is no host name"},
		"no name":            {func(s *Subject) { s.CommonName = "  " }, "(CN) is missing"},
		"three letters":      {func(s *Subject) { s.Country = "USA" }, "two letters"},
		"one letter":         {func(s *Subject) { s.Country = "U" }, "two letters"},
		"digits":             {func(s *Subject) { s.Country = "49" }, "two letters"},
		"two bytes":          {func(s *Subject) { s.Country = "ß" }, "two letters"},
		"long":               {func(s *Subject) { s.Organization = strings.Repeat("x", 65) }, "longer than 64"},
		"lines":              {func(s *Subject) { s.Unit = "a\nb" }, "cannot be shown"},
		"bytes":              {func(s *Subject) { s.State = "\xff" }, "cannot be shown"},
		"backwards":          {func(s *Subject) { s.State = "a\u202eb" }, "cannot be shown"},
		"an URL":             {func(s *Subject) { s.Names = []string{"https://sa"} }, "no host name"},
		"a command":          {func(s *Subject) { s.Names = []string{"$(reboot)"} }, "no host name"},
		"many names":         {func(s *Subject) { s.Names = make([]string, 51) }, "51 alternative names"},
		"a strange key":      {func(s *Subject) { s.KeyType = "rsa512" }, "no kind of key"},
	} {
		s := good
		tt.change(&s)
		_, err := s.check()
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// REQ D5, D8
func TestSelfSigned(t *testing.T) {
	s := newStore(t)
	c, err := s.SelfSign(Subject{CommonName: "ibox3333", Organization: "Infinidat, Ltd.", Country: "US", KeyType: "p384"}, fine)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(nil)
	if err != nil || !got.Leaf.Equal(c.New) {
		t.Fatal(err)
	}
	for _, name := range []string{"ibox3333", "sa.example.com", "sa", "192.0.2.7"} {
		if err := got.Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if left := time.Until(got.Leaf.NotAfter); left < 700*24*time.Hour || got.Leaf.Subject.Organization[0] != "Infinidat, Ltd." {
		t.Errorf("%s, %v", left, got.Leaf.Subject)
	}
}

// openssl, as another program that reads what is made here, and makes what is
// read. REQ D3, D6, D9
func TestOpenSSL(t *testing.T) {
	openssl := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("openssl", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl here; install the package openssl")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Example CA", "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "30")
	for _, kind := range KeyTypes {
		s := newStore(t)
		r, err := s.Request(Subject{CommonName: "sa.example.com", Organization: "Example Bank", Unit: "IT", Country: "US", State: "California", Names: []string{"192.0.2.7"}, KeyType: kind}, func(*Request) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		key, err := r.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		write("key", string(key))
		write("csr", string(r.PEM()))
		if out := openssl("req", "-verify", "-noout", "-text", "-in", at("csr")); !strings.Contains(out, "DNS:sa.example.com, IP Address:192.0.2.7") || !strings.Contains(out, "O = Example Bank, OU = IT, CN = sa.example.com") {
			t.Errorf("%s: %s", kind, out)
		}
		if out := openssl("pkey", "-check", "-noout", "-in", at("key")); !strings.Contains(out, "Key is valid") {
			t.Errorf("%s: %s", kind, out)
		}
		openssl("x509", "-req", "-in", at("csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "20", "-copy_extensions", "copy", "-out", at("signed.pem"))
		if _, err := s.Upload([]byte(read("signed.pem")+read("ca.pem")), false, fine); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	// Keys as openssl writes them, in all forms.
	for form, args := range map[string][]string{
		"PKCS #8":              {"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
		"PKCS #1":              {"genrsa", "-traditional", "2048"},
		"SEC 1":                {"ecparam", "-name", "secp384r1", "-genkey"},
		"encrypted":            {"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:x"},
		"encrypted, as of old": {"genrsa", "-traditional", "-aes128", "-passout", "pass:x", "2048"},
	} {
		openssl(slices.Insert(args, 1, "-out", at("k"))...)
		openssl("req", "-x509", "-key", at("k"), "-passin", "pass:x", "-subj", "/CN=sa.example.com", "-addext", "subjectAltName=DNS:sa.example.com", "-out", at("c"), "-days", "9")
		_, err := newStore(t).Upload([]byte(read("k")+read("c")), false, fine)
		if refused := new(Refused); slices.Contains(args, "pass:x") {
			if !errors.As(err, &refused) || refused.Check != NoPassword {
				t.Errorf("%s: %v", form, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
	// What openssl shows of a certificate before it, and its own kind of it.
	openssl("x509", "-in", at("signed.pem"), "-trustout", "-addtrust", "serverAuth", "-out", at("trusted.pem"))
	if p, err := parse([]byte(read("trusted.pem"))); err != nil || len(p.certs) != 1 || !strings.Contains(read("trusted.pem"), "TRUSTED") {
		t.Errorf("%v: %s", err, read("trusted.pem"))
	}
}

// Several at once: every change is whole, and what is served always has its key.
func TestAtOnce(t *testing.T) {
	s := newStore(t)
	root := newAuthority(t, "Root", nil)
	var all sync.WaitGroup
	for range 4 {
		key := newP256(t)
		file := []byte(pkcs8(t, key) + text(root.leaf(key.Public(), "sa.example.com", nil)))
		all.Go(func() {
			for range 5 {
				if _, err := s.Upload(file, false, fine); err != nil {
					t.Error(err)
				}
				if _, err := Open(filepath.Dir(s.Path()), nil).Get(nil); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			if _, err := s.SelfSign(Subject{CommonName: "sa.example.com", KeyType: "p256"}, fine); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY----------BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("\xff\xfe-\x00-\x00"))
	f.Add([]byte("\xef\xbb\xbf-----BEGIN X-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nAAAA\r\n-----END X-----"))
	key, err := makeKey("p256")
	if err != nil {
		f.Fatal(err)
	}
	c, err := selfSigned(filled{dns: []string{"sa"}}, key, time.Unix(2e9, 0), life)
	if err != nil {
		f.Fatal(err)
	}
	own, err := appendKey(nil, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(own, text(c)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		was := string(b)
		p, err := parse(b)
		if string(b) != was {
			t.Fatal("the file was changed in memory")
		}
		if refused := new(Refused); err != nil && !errors.As(err, &refused) {
			t.Fatalf("%v", err)
		}
		if err != nil {
			return
		}
		if len(p.keys)+len(p.certs) > maxBlocks {
			t.Fatalf("%d keys, %d certificates", len(p.keys), len(p.certs))
		}
		leaf, held, err := pair(p, nil)
		if err != nil {
			return
		}
		if !samePublic(held.key.Public(), leaf.PublicKey) {
			t.Fatal("a key of another certificate")
		}
		if above, strange, err := chain(leaf, p.certs, time.Now()); err == nil && len(above)+strange >= len(p.certs) {
			t.Fatalf("%d of %d in the chain, %d not", len(above), len(p.certs), strange)
		}
	})
}
