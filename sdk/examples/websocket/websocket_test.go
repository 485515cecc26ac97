package websocket

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Transport(t, New, plugintest.Options{
		Config: map[string]any{"url": "ws://" + plugintest.ProxyAddress + "/tunnel"},
		Proxy:  plugintest.WebSocket,
		Skip:   []string{"half-close"}, // WebSocket has no such thing
	})
}

func TestConformanceOverTLS(t *testing.T) {
	cert, authority := certificate(t)
	plugintest.Transport(t, New, plugintest.Options{
		Config: map[string]any{"url": "wss://" + plugintest.ProxyAddress + "/tunnel", "ca": authority},
		Proxy: func(conn net.Conn) (net.Conn, string, error) {
			secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			if err := secure.Handshake(); err != nil {
				return nil, "", err
			}
			return plugintest.WebSocket(secure)
		},
		Skip: []string{"half-close"},
	})
}

func TestSettings(t *testing.T) {
	for url, ok := range map[string]bool{"wss://proxy.example/t": true, "ws://h:8080": true, "https://h/": false, "wss:///t": false, "%": false} {
		s := settings{URL: url}
		if err := s.Validate(); (err == nil) != ok {
			t.Errorf("url %q: %v", url, err)
		}
	}
	if err := (&settings{URL: "wss://h/", CA: "no certificate"}).Validate(); err == nil {
		t.Error("nonsense was taken for a certificate")
	}
}

// certificate makes one for 127.0.0.1 that is its own authority.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err2 := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
