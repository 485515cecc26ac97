package peers

import (
	"crypto/md5"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/sdk/transport"
)

// squid starts squid with the lines of auth and returns its address.
func squid(t *testing.T, dir, auth string, env ...string) string {
	t.Helper()
	need(t, "squid")
	addr := freeAddr(t)
	rules := "http_access allow all\n"
	if auth != "" {
		rules = "acl known proxy_auth REQUIRED\nhttp_access deny CONNECT forbidden\nhttp_access allow known\nhttp_access deny all\n"
	}
	conf := write(t, filepath.Join(dir, "squid.conf"), fmt.Sprintf(`http_port %s
pid_filename none
cache deny all
access_log none
cache_log %s/cache.log
coredump_dir %s
shutdown_lifetime 0 seconds
max_filedescriptors 1024
acl CONNECT method CONNECT
acl forbidden port 9
%s%s`, addr, dir, dir, auth, rules))
	background(t, addr, env, "squid", "-N", "-f", conf)
	return addr
}

func TestSquidOpen(t *testing.T) {
	addr := squid(t, workdir(t), "")
	tr := configured(t, "https", map[string]any{"proxy": addr, "timeout": "10s"})
	through(t, tr, target(t))
	refused(t, tr, freeAddr(t), transport.Refused)
	refused(t, tr, "no-such-name.invalid:443", transport.DNS, transport.Timeout, transport.Unreachable)
}

func TestSquidBasic(t *testing.T) {
	helper := squidHelper(t, "basic_ncsa_auth")
	need(t, "openssl")
	dir := workdir(t)
	hash := strings.TrimSpace(command(t, nil, password, "openssl", "passwd", "-apr1", "-stdin"))
	write(t, filepath.Join(dir, "passwd"), account+":"+hash+"\n")
	addr := squid(t, dir, fmt.Sprintf("auth_param basic program %s %s/passwd\nauth_param basic realm peers\n", helper, dir))
	logins(t, map[string]any{"proxy": addr})
}

func TestSquidDigest(t *testing.T) {
	helper := squidHelper(t, "digest_file_auth")
	dir := workdir(t)
	ha1 := md5.Sum([]byte(account + ":peers:" + password)) // what RFC 2617 calls A1
	write(t, filepath.Join(dir, "digest"), fmt.Sprintf("%s:peers:%x\n", account, ha1))
	addr := squid(t, dir, fmt.Sprintf("auth_param digest program %s -c %s/digest\nauth_param digest realm peers\n", helper, dir))
	logins(t, map[string]any{"proxy": addr})
}

// logins checks the right and the wrong password, none, and a forbidden port.
func logins(t *testing.T, settings map[string]any) {
	t.Helper()
	good := configured(t, "https", as(settings, account, password))
	through(t, good, target(t))
	refused(t, configured(t, "https", as(settings, account, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, "", "")), target(t), transport.ProxyAuth)
	refused(t, good, "127.0.0.1:9", transport.ProxyRefused)
}

// The password is checked by a real winbind: NTLM version 2, all three legs.
func TestSquidNTLM(t *testing.T) {
	needRoot(t)
	need(t, "winbindd", "smbpasswd", "ntlm_auth", "useradd")
	proxyGroup, err := user.LookupGroup("proxy")
	if err != nil {
		t.Skip("there is no group proxy")
	}
	dir := workdir(t)
	unix := "latchntlm" // the machine has to know the user
	makeAccount(t, unix)
	for _, d := range []string{"private", "lock", "state", "cache", "ncalrpc"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	smb := write(t, filepath.Join(dir, "smb.conf"), strings.ReplaceAll(`[global]
server role = standalone
workgroup = PEERS
netbios name = PEERHOST
security = user
passdb backend = tdbsam
private dir = DIR/private
lock directory = DIR/lock
state directory = DIR/state
cache directory = DIR/cache
pid directory = DIR
ncalrpc dir = DIR/ncalrpc
log file = DIR/log.%m
`, "DIR", dir))
	// Clients find winbind at this place only, whatever the configuration says.
	if err := os.MkdirAll("/run/samba", 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, nil, password+"\n"+password+"\n", "smbpasswd", "-c", smb, "-s", "-a", unix)
	background(t, "", nil, "winbindd", "-F", "--no-process-group", "-s", smb)
	privileged := filepath.Join(dir, "state", "winbindd_privileged")
	waitFor(t, func() bool {
		_, err := os.Stat(filepath.Join(privileged, "pipe"))
		return err == nil && exec.Command("ntlm_auth", "--configfile="+smb, "--domain=PEERHOST", "--username="+unix, "--password="+password).Run() == nil
	})
	gid, _ := strconv.Atoi(proxyGroup.Gid)
	if err := os.Chown(privileged, 0, gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(privileged, 0o750); err != nil {
		t.Fatal(err)
	}
	addr := squid(t, dir, fmt.Sprintf("auth_param ntlm program /usr/bin/ntlm_auth --configfile=%s --helper-protocol=squid-2.5-ntlmssp\nauth_param ntlm children 2\n", smb))
	settings := map[string]any{"proxy": addr, "auth": []string{"ntlm"}}
	through(t, configured(t, "https", as(settings, unix, password)), target(t))
	through(t, configured(t, "https", as(settings, `PEERHOST\`+unix, password)), target(t))
	refused(t, configured(t, "https", as(settings, unix, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, "nobody-here", password)), target(t), transport.ProxyAuth)
}

// A key distribution centre of our own; the proxy is known as HTTP/localhost.
func TestSquidKerberos(t *testing.T) {
	needRoot(t)
	need(t, "krb5kdc", "kdb5_util", "kadmin.local", "kinit")
	helper := squidHelper(t, "negotiate_kerberos_auth")
	dir := workdir(t)
	const realm = "PEERS.EXAMPLE"
	kdc := freeAddr(t)
	conf := write(t, filepath.Join(dir, "krb5.conf"), strings.NewReplacer("DIR", dir, "KDC", kdc, "REALM", realm).Replace(`[libdefaults]
  default_realm = REALM
  dns_lookup_kdc = false
  dns_lookup_realm = false
  rdns = false
  udp_preference_limit = 1
[realms]
  REALM = {
    kdc = KDC
  }
[domain_realm]
  localhost = REALM
`))
	profile := write(t, filepath.Join(dir, "kdc.conf"), strings.NewReplacer("DIR", dir, "PORT", port(kdc), "REALM", realm).Replace(`[kdcdefaults]
  kdc_listen = 127.0.0.1:PORT
  kdc_tcp_listen = 127.0.0.1:PORT
[realms]
  REALM = {
    database_name = DIR/principal
    key_stash_file = DIR/stash
    acl_file = DIR/acl
  }
[logging]
  kdc = FILE:DIR/kdc.log
`))
	env := []string{"KRB5_CONFIG=" + conf, "KRB5_KDC_PROFILE=" + profile}
	command(t, env, "", "kdb5_util", "create", "-s", "-r", realm, "-P", "master")
	command(t, env, "", "kadmin.local", "-r", realm, "-q", "addprinc -pw "+password+" "+account)
	command(t, env, "", "kadmin.local", "-r", realm, "-q", "addprinc -randkey HTTP/localhost")
	keytab, mine := filepath.Join(dir, "http.keytab"), filepath.Join(dir, "ada.keytab")
	command(t, env, "", "kadmin.local", "-r", realm, "-q", "ktadd -k "+keytab+" HTTP/localhost")
	if err := os.Chmod(keytab, 0o644); err != nil {
		t.Fatal(err)
	}
	background(t, kdc, env, "krb5kdc", "-n", "-r", realm)
	addr := squid(t, dir, fmt.Sprintf("auth_param negotiate program %s -k %s -s HTTP/localhost@%s\nauth_param negotiate children 2\n", helper, keytab, realm), env...)

	proxy := net.JoinHostPort("localhost", port(addr))
	settings := func(kerberos map[string]any) map[string]any {
		kerberos["config"] = conf
		return map[string]any{"proxy": proxy, "kerberos": kerberos}
	}
	through(t, configured(t, "https", as(settings(map[string]any{"realm": realm}), account, password)), target(t))
	refused(t, configured(t, "https", as(settings(map[string]any{"realm": realm}), account, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "https", as(map[string]any{"proxy": proxy}, account, password)), target(t), transport.ProxyAuth)

	ccache := filepath.Join(dir, "tickets")
	command(t, env, password+"\n", "kinit", "-c", ccache, account+"@"+realm)
	through(t, configured(t, "https", as(settings(map[string]any{"ccache": ccache}), "", "")), target(t))

	command(t, env, "", "kadmin.local", "-r", realm, "-q", "ktadd -norandkey -k "+mine+" "+account)
	through(t, configured(t, "https", as(settings(map[string]any{"keytab": mine, "realm": realm}), account, "")), target(t))
}
