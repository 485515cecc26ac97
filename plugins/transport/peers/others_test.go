package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/transport"
)

func waitFor(t *testing.T, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not get ready")
		}
	}
}

func TestTinyproxy(t *testing.T) {
	need(t, "tinyproxy")
	addr, to := freeAddr(t), target(t)
	dir := workdir(t)
	conf := write(t, filepath.Join(dir, "tinyproxy.conf"), fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nBasicAuth %s %s\nConnectPort %s\n", port(addr), account, password, port(to)))
	background(t, addr, nil, "tinyproxy", "-d", "-c", conf)
	settings := map[string]any{"proxy": addr}
	through(t, configured(t, "https", as(settings, account, password)), to)
	refused(t, configured(t, "https", as(settings, account, "wrong-"+password)), to, transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, "", "")), to, transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, account, password)), "127.0.0.1:9", transport.ProxyRefused)
}

// A proxy that is itself reached over TLS: haproxy in front of squid.
func TestProxyOverTLS(t *testing.T) {
	need(t, "haproxy", "openssl")
	dir := workdir(t)
	inner := squid(t, dir, "")
	addr := freeAddr(t)
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
	conf := write(t, filepath.Join(dir, "haproxy.cfg"), fmt.Sprintf(`defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen tls
  bind %s ssl crt %s/both.pem
  server squid %s
`, addr, dir, inner))
	background(t, addr, nil, "haproxy", "-db", "-f", conf)
	through(t, configured(t, "https", map[string]any{"proxy": addr, "tls": true, "ca": string(ca), "timeout": "10s"}), target(t))
	refused(t, configured(t, "https", map[string]any{"proxy": addr, "tls": true, "timeout": "10s"}), target(t), transport.TLS)
	refused(t, configured(t, "https", map[string]any{"proxy": inner, "tls": true, "ca": string(ca), "timeout": "10s"}), target(t), transport.ProxyBroken)
}

func TestMicrosocks(t *testing.T) {
	need(t, "microsocks")
	addr := freeAddr(t)
	background(t, addr, nil, "microsocks", "-i", "127.0.0.1", "-p", port(addr), "-u", account, "-P", password)
	settings := map[string]any{"proxy": addr, "version": "5"}
	through(t, configured(t, "socks", as(settings, account, password)), target(t))
	through(t, configured(t, "socks", as(settings, account, password)), "localhost:"+port(target(t)))
	refused(t, configured(t, "socks", as(settings, account, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "socks", as(settings, "", "")), target(t), transport.ProxyAuth)
	refused(t, configured(t, "socks", as(settings, account, password)), freeAddr(t), transport.Refused)
	refused(t, configured(t, "socks", map[string]any{"proxy": addr, "version": "4", "user": account, "timeout": "5s"}), target(t), transport.ProxyBroken, transport.Reset)
}

func dante(t *testing.T, method string) string {
	t.Helper()
	need(t, "danted")
	addr := freeAddr(t)
	dir := workdir(t)
	conf := write(t, filepath.Join(dir, "danted.conf"), fmt.Sprintf(`logoutput: %s/log
internal: 127.0.0.1 port = %s
external: 127.0.0.1
clientmethod: none
socksmethod: %s
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 port = 9 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
`, dir, port(addr), method))
	background(t, addr, nil, "danted", "-f", conf, "-p", filepath.Join(dir, "pid"))
	return addr
}

// REQ A6: SOCKS4 carries a user id, SOCKS5 none here.
func TestDante(t *testing.T) {
	needRoot(t)
	addr := dante(t, "none")
	for _, version := range []string{"4", "5"} {
		tr := configured(t, "socks", map[string]any{"proxy": addr, "version": version, "user": account, "timeout": "10s"})
		if version == "5" {
			tr = configured(t, "socks", map[string]any{"proxy": addr, "version": version, "timeout": "10s"})
		}
		through(t, tr, target(t))
		refused(t, tr, "127.0.0.1:9", transport.ProxyRefused)
	}
	through(t, configured(t, "socks", map[string]any{"proxy": addr, "timeout": "10s"}), "localhost:"+port(target(t)))
	// Dante does not know 4a: it takes the impossible address for a real one.
	named := "localhost:" + port(target(t))
	refused(t, configured(t, "socks", map[string]any{"proxy": addr, "version": "4", "timeout": "10s"}), named, transport.ProxyRefused)
	through(t, configured(t, "socks", map[string]any{"proxy": addr, "version": "4", "local_resolve": true, "timeout": "10s"}), named)
}

func TestDantePassword(t *testing.T) {
	needRoot(t)
	need(t, "useradd", "chpasswd")
	unix := "latchdante" // dante checks the passwords of the machine
	makeAccount(t, unix)
	addr := dante(t, "username")
	settings := map[string]any{"proxy": addr, "version": "5"}
	through(t, configured(t, "socks", as(settings, unix, password)), target(t))
	refused(t, configured(t, "socks", as(settings, unix, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "socks", as(settings, "", "")), target(t), transport.ProxyAuth)
}

// ssh -D speaks SOCKS4, 4a and 5.
func TestOpenSSH(t *testing.T) {
	needRoot(t)
	need(t, "sshd", "ssh", "ssh-keygen")
	dir := workdir(t)
	if err := os.Chmod(dir, 0o755); err != nil { // sshd is strict
		t.Fatal(err)
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"host", "client"} {
		command(t, nil, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, k))
	}
	pub, err := os.ReadFile(filepath.Join(dir, "client.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "keys"), string(pub))
	server, proxy := freeAddr(t), freeAddr(t)
	conf := write(t, filepath.Join(dir, "sshd_config"), strings.ReplaceAll(`HostKey DIR/host
AuthorizedKeysFile DIR/keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
`, "DIR", dir))
	background(t, server, nil, lookup(t, "sshd"), "-D", "-e", "-f", conf, "-o", "ListenAddress="+server)
	background(t, proxy, nil, "ssh", "-N", "-D", proxy, "-i", filepath.Join(dir, "client"), "-p", port(server),
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", "root@127.0.0.1")
	for _, version := range []string{"4", "4a", "5"} {
		tr := configured(t, "socks", map[string]any{"proxy": proxy, "version": version, "timeout": "10s"})
		through(t, tr, target(t))
		through(t, tr, "localhost:"+port(target(t)))
	}
}
