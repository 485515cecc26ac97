package link

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/tunnel/cork"
)

// authority is a CA with a certificate for 127.0.0.1.
type authority struct {
	ca   *x509.Certificate
	pool *x509.CertPool
	leaf tls.Certificate
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to, BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "rss"}, NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	ld, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{ca: ca, pool: x509.NewCertPool(), leaf: tls.Certificate{Certificate: [][]byte{ld, der}, PrivateKey: key}}
	a.pool.AddCert(ca)
	return a
}

// testRelay is a relay that accepts links and hands them over.
type testRelay struct {
	*authority
	key     ssh.Signer
	address string
	accept  Accepter
	conns   chan *Conn
	errs    chan error
}

func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signWith(key ssh.Signer) func([]byte) ([]byte, error) {
	return func(m []byte) ([]byte, error) { return identity.Sign(key, Namespace, bytes.NewReader(m)) }
}

func newRelay(t testing.TB, change ...func(*tls.Config)) *testRelay {
	t.Helper()
	r := &testRelay{authority: newAuthority(t, "Vendor CA"), key: newKey(t), conns: make(chan *Conn, 10), errs: make(chan error, 10)}
	r.accept = Accepter{Sign: signWith(r.key), AllowRaw: true}
	cfg := &tls.Config{Certificates: []tls.Certificate{r.leaf}}
	for _, c := range change {
		c(cfg)
	}
	r.address = serve(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := r.accept.Accept(w, req)
		if err != nil {
			r.errs <- err
			return
		}
		r.conns <- conn
	}))
	return r
}

// leavable is a listener whose connections' TLS can be left.
type leavable struct{ net.Listener }

func (l leavable) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return cork.New(c), nil
}

func serve(t testing.TB, cfg *tls.Config, h http.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln = tls.NewListener(leavable{ln}, cfg)
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

func (r *testRelay) client(t testing.TB, address string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{Address: address, Trust: client.Trust{Roots: r.pool}, Kind: api.KindSystem})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// link makes a link and returns both ends.
func (r *testRelay) link(t testing.TB, d Dialer) (*Conn, *Conn) {
	t.Helper()
	if d.Client == nil {
		d.Client = r.client(t, r.address)
	}
	d.RelayKey = r.key.PublicKey()
	near, err := d.Dial(t.Context(), "/v1/link", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	select {
	case far := <-r.conns:
		t.Cleanup(func() { far.Close() })
		return near, far
	case err := <-r.errs:
		t.Fatal(err)
	case <-time.After(10 * time.Second):
		t.Fatal("no link at the relay")
	}
	return nil, nil
}
