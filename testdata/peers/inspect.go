package peers

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Inspector is an HTTP proxy that inspects TLS, as companies run them: it shows
// a certificate of its own for each target, and opens another TLS connection to
// the target. Unlike [SquidInspector] it tells what it read.
type Inspector struct {
	Proxy
	CA []byte // certificate of its authority, PEM

	t    testing.TB
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	mu   sync.Mutex
	seen []byte // what it read
}

// InspectorName is in the certificates of its authority.
const InspectorName = "Example Corp TLS inspection"

// StartInspector starts one.
func StartInspector(t testing.TB) *Inspector {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca, cert := authority(t, key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &Inspector{t: t, ca: ca, key: key, CA: cert}
	i.Program, i.Does, i.Address, i.Scheme = "inspector", "TLS inspection", l.Addr().String(), "https"
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go i.serve(conn)
		}
	}()
	return i
}

// authority makes the certificate of the authority, also as PEM.
func authority(t testing.TB, key *ecdsa.PrivateKey) (*x509.Certificate, []byte) {
	t.Helper()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: InspectorName}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func (i *Inspector) serve(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	req, err := http.ReadRequest(br)
	if err != nil || req.Method != http.MethodConnect {
		return
	}
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil {
		return
	}
	inner := tls.Server(conn, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return i.certify(host) }})
	defer inner.Close()
	if inner.Handshake() != nil {
		return // the client does not like the certificate
	}
	outer, err := tls.Dial("tcp", req.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer outer.Close()
	go func() {
		io.Copy(outer, io.TeeReader(inner, i))
		outer.CloseWrite()
	}()
	io.Copy(inner, io.TeeReader(outer, i))
}

// certify makes a certificate for a target.
func (i *Inspector) certify(host string) (*tls.Certificate, error) {
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, i.ca, i.key.Public(), i.key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}, err
}

// Write keeps what it reads.
func (i *Inspector) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.seen) < 64<<20 {
		i.seen = append(i.seen, p...)
	}
	return len(p), nil
}

// Seen is everything that it could read.
func (i *Inspector) Seen() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]byte(nil), i.seen...)
}
