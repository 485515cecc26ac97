package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Microsocks wants SOCKS5 with a password.
func Microsocks(t testing.TB) *Proxy {
	t.Helper()
	Need(t, "microsocks")
	addr := FreeAddr(t)
	background(t, addr, nil, "microsocks", "-i", "127.0.0.1", "-p", Port(addr), "-u", Account, "-P", Password)
	p := &Proxy{Program: packaged("microsocks", "microsocks"), Address: addr, Scheme: "socks5"}
	return p.login("SOCKS5 with password", Account, Password)
}

// Dante without a login, for socks4 or socks5. It does not know SOCKS4a.
func Dante(t testing.TB, scheme string) *Proxy {
	t.Helper()
	p := dante(t, "none")
	p.Scheme, p.Does = scheme, strings.ToUpper(scheme)
	if scheme == "socks4" {
		p.User = Account // an id, no login
		// It takes the impossible address of SOCKS4a for a real one.
		p.Settings = map[string]any{"version": "4"}
	}
	return p
}

// DantePassword wants SOCKS5 with a password of this machine's.
func DantePassword(t testing.TB) *Proxy {
	t.Helper()
	NeedRoot(t)
	unix := "latchdante"
	makeAccount(t, unix)
	p := dante(t, "username")
	p.Scheme = "socks5"
	return p.login("SOCKS5 with password", unix, Password)
}

func dante(t testing.TB, method string) *Proxy {
	t.Helper()
	NeedRoot(t)
	Need(t, "danted")
	addr, dir := FreeAddr(t), Dir(t)
	conf := write(t, filepath.Join(dir, "danted.conf"), fmt.Sprintf(`logoutput: %s/log
internal: 127.0.0.1 port = %s
external: 127.0.0.1
clientmethod: none
socksmethod: %s
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 port = %s }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
`, dir, Port(addr), method, ForbiddenPort))
	background(t, addr, nil, "danted", "-f", conf, "-p", filepath.Join(dir, "pid"))
	return &Proxy{Program: version("dante", find("danted"), "-v"), Address: addr}
}

// OpenSSH is `ssh -D`, for socks4, socks4a or socks5.
func OpenSSH(t testing.TB, scheme string) *Proxy {
	t.Helper()
	NeedRoot(t)
	Need(t, "sshd", "ssh", "ssh-keygen")
	dir := Dir(t)
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
	server, proxy := FreeAddr(t), FreeAddr(t)
	conf := write(t, filepath.Join(dir, "sshd_config"), strings.ReplaceAll(`HostKey DIR/host
AuthorizedKeysFile DIR/keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
`, "DIR", dir))
	background(t, server, nil, "sshd", "-D", "-e", "-f", conf, "-o", "ListenAddress="+server)
	background(t, proxy, nil, "ssh", "-N", "-D", proxy, "-i", filepath.Join(dir, "client"), "-p", Port(server),
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", "root@127.0.0.1")
	return &Proxy{Program: version("OpenSSH", find("ssh"), "-V"), Does: "`ssh -D`, " + strings.Replace(strings.ToUpper(scheme), "4A", "4a", 1), Address: proxy, Scheme: scheme}
}
