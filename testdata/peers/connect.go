package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Tinyproxy wants Basic, and refuses the forbidden port alone.
func Tinyproxy(t testing.TB) *Proxy {
	t.Helper()
	Need(t, "tinyproxy")
	addr := FreeAddr(t)
	conf := write(t, filepath.Join(Dir(t), "tinyproxy.conf"), fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nBasicAuth %s %s\n", Port(addr), Account, Password))
	background(t, addr, nil, "tinyproxy", "-d", "-c", conf)
	p := &Proxy{Program: version("tinyproxy", find("tinyproxy"), "-v"), Address: addr, Scheme: "https"}
	return p.login("Basic", Account, Password)
}

// TinyproxyFor wants Basic and allows one target port.
func TinyproxyFor(t testing.TB, port string) *Proxy {
	t.Helper()
	Need(t, "tinyproxy")
	addr := FreeAddr(t)
	conf := write(t, filepath.Join(Dir(t), "tinyproxy.conf"), fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nBasicAuth %s %s\nConnectPort %s\n", Port(addr), Account, Password, port))
	background(t, addr, nil, "tinyproxy", "-d", "-c", conf)
	p := &Proxy{Program: version("tinyproxy", find("tinyproxy"), "-v"), Address: addr, Scheme: "https"}
	return p.login("Basic, one port allowed", Account, Password)
}

// OverTLS is a proxy that is itself reached over TLS: haproxy in front of squid.
func OverTLS(t testing.TB) *Proxy {
	t.Helper()
	Need(t, "haproxy", "openssl")
	dir := Dir(t)
	inner := Squid(t, "")
	addr := FreeAddr(t)
	cert := filepath.Join(dir, "cert.pem")
	command(t, nil, "", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=proxy",
		"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", filepath.Join(dir, "key.pem"), "-out", cert)
	ca, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "both.pem"), string(ca)+string(key))
	haproxy(t, dir, addr, fmt.Sprintf(`listen tls
  bind %s ssl crt %s/both.pem
  server squid %s
`, addr, dir, inner.Address))
	return &Proxy{Program: haproxyVersion() + " before " + inner.Program, Does: "the proxy reached over TLS", Address: addr, Scheme: "https+tls", Settings: map[string]any{"ca": string(ca)}}
}

func haproxyVersion() string { return version("haproxy", find("haproxy"), "-v") }

func haproxy(t testing.TB, dir, addr, rules string) {
	t.Helper()
	Need(t, "haproxy")
	conf := write(t, filepath.Join(dir, "haproxy.cfg"), `defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`+rules)
	background(t, addr, nil, "haproxy", "-db", "-f", conf)
}

// Passthrough is haproxy that looks at the name in the TLS hello and passes
// what asks for name on to target; everything else it refuses. It returns its
// address.
func Passthrough(t testing.TB, name, target string) *Proxy {
	t.Helper()
	addr := FreeAddr(t)
	haproxy(t, Dir(t), addr, fmt.Sprintf(`frontend in
  bind %s
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend relay if { req.ssl_sni -i %s }
backend relay
  server relay %s
`, addr, name, target))
	return &Proxy{Program: haproxyVersion(), Does: "SNI passthrough", Address: addr}
}
