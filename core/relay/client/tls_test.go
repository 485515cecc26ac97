package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
)

type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func issue(t *testing.T, name string, by *pair, change func(*x509.Certificate)) *pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true}
	if by == nil {
		tmpl.IsCA, tmpl.KeyUsage = true, x509.KeyUsageCertSign
	} else {
		tmpl.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	if change != nil {
		change(tmpl)
	}
	parent, signer := tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{cert, key}
}

// serve shows a chain; the key is that of the first certificate.
func serve(t *testing.T, leaf *pair, rest ...*pair) string {
	t.Helper()
	c := tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}
	for _, p := range rest {
		c.Certificate = append(c.Certificate, p.cert.Raw)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}})
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"status":"ok"}`) })}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

// The first contact: everything that somebody in between could show.
func TestPinnedFirstContact(t *testing.T) {
	ca, evil := issue(t, "vendor CA", nil, nil), issue(t, "evil CA", nil, nil)
	good := issue(t, "rss", ca, nil)
	tests := []struct {
		name  string
		chain []*pair
		want  string // "" for success
	}{
		{"the relay", []*pair{good, ca}, ""},
		{"without its authority", []*pair{good}, "not the expected one"},
		{"another authority", []*pair{issue(t, "rss", evil, nil), evil}, "not the expected one"},
		{"own certificate, with the vendor's authority beside it", []*pair{issue(t, "rss", evil, nil), ca}, "not issued by the vendor"},
		{"own certificate, both authorities", []*pair{issue(t, "rss", evil, nil), evil, ca}, "not issued by the vendor"},
		{"self-signed with the authority's name", []*pair{issue(t, "vendor CA", nil, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }), ca}, "not issued by the vendor"},
		{"of the vendor, for another host", []*pair{issue(t, "other", ca, func(c *x509.Certificate) { c.IPAddresses = nil; c.DNSNames = []string{"other.example"} }), ca}, "for another name"},
		{"expired", []*pair{issue(t, "rss", ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), ca}, "this machine's clock says"},
		{"not valid yet", []*pair{issue(t, "rss", ca, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), ca}, "this machine's clock says"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := serve(t, tt.chain[0], tt.chain[1:]...)
			pin := api.PinOf(ca.cert)
			c, err := New(Options{Address: addr, Trust: Trust{Pin: &pin}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Health(t.Context())
			if tt.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var e *ConnectError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || Temporary(err) {
				t.Errorf("Health = %v; want a final error with %q", err, tt.want)
			}
			shown, _, err := Presented(t.Context(), addr, nil)
			if err != nil || shown != api.PinOf(tt.chain[len(tt.chain)-1].cert) {
				t.Errorf("Presented = %s, %v", shown, err)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	pin := api.Pin{}
	for _, o := range []Options{
		{Address: "host", Trust: Trust{Pin: &pin}}, {Address: "host:443"}, {Address: "host:443", Trust: Trust{Pin: &pin, Roots: x509.NewCertPool()}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) succeeded", o)
		}
	}
}

// Answers that no relay gives: of a proxy, a portal, somebody hostile.
func TestStrangeAnswers(t *testing.T) {
	ca := issue(t, "CA", nil, nil)
	leaf := issue(t, "rss", ca, nil)
	answers := map[string]func(http.ResponseWriter, *http.Request){
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		},
		"page":       func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>log in to the WLAN</html>") },
		"error page": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502); fmt.Fprint(w, "<html>bad gateway") },
		"cut":        func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	}
	want := map[string]string{"redirect": "redirect", "page": "not what a relay says", "error page": "502", "cut": "cut"}
	for name, answer := range answers {
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw, ca.cert.Raw}, PrivateKey: leaf.key}}})
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(answer)}
		go srv.Serve(ln)
		pin := api.PinOf(ca.cert)
		c, err := New(Options{Address: ln.Addr().String(), Trust: Trust{Pin: &pin}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Health(t.Context()); err == nil || !strings.Contains(err.Error(), want[name]) {
			t.Errorf("%s: %v; want an error with %q", name, err, want[name])
		}
		c.Close()
		srv.Close()
	}
}
