package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// SquidInspector starts squid as a company does that inspects TLS (ssl-bump),
// and returns the certificate of its authority, too. WebSockets pass only where
// its administrator lets them. That needs Debian's package
// squid-openssl.
func SquidInspector(t testing.TB, webSockets bool) (*Proxy, []byte) {
	t.Helper()
	Need(t, "squid", "/usr/lib/squid/security_file_certgen")
	NeedRoot(t) // else the helper's files are not its own
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, cert := authority(t, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := Dir(t)
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), cert...)
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), both, 0o644); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "made")
	command(t, nil, "", "/usr/lib/squid/security_file_certgen", "-c", "-s", made, "-M", "4MB")
	command(t, nil, "", "chown", "-R", "proxy", made) // squid gives up root
	port := fmt.Sprintf("ssl-bump tls-cert=%s/ca.pem generate-host-certificates=on dynamic_cert_mem_cache_size=1MB", dir)
	p := squidWith(t, dir, "", port, fmt.Sprintf(`sslcrtd_program /usr/lib/squid/security_file_certgen -s %s -M 4MB
sslcrtd_children 2
acl hello at_step SslBump1
ssl_bump peek hello
ssl_bump bump all
tls_outgoing_options flags=DONT_VERIFY_PEER
sslproxy_cert_error allow all
http_upgrade_request_protocols websocket %s all
http_access deny CONNECT forbidden
http_access allow all
`, made, map[bool]string{true: "allow", false: "deny"}[webSockets]))
	p.Does = "TLS inspection"
	return p, cert
}
