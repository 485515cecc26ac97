package peers

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Realm is the Kerberos realm of [SquidKerberos].
const Realm = "PEERS.EXAMPLE"

// Kerberos is a key distribution centre of our own.
type Kerberos struct {
	t    testing.TB
	dir  string
	env  []string
	KDC  string // host:port
	Conf string // its krb5.conf
}

// SquidKerberos wants Negotiate; the proxy is known as HTTP/localhost.
func SquidKerberos(t testing.TB) *Proxy {
	t.Helper()
	p, _ := SquidAndKerberos(t)
	return p
}

// SquidAndKerberos is SquidKerberos with its key distribution centre.
func SquidAndKerberos(t testing.TB) (*Proxy, *Kerberos) {
	t.Helper()
	NeedRoot(t)
	Need(t, "krb5kdc", "kdb5_util", "kadmin.local", "kinit")
	program := helper(t, "negotiate_kerberos_auth")
	dir := Dir(t)
	kdc := FreeAddr(t)
	conf := write(t, filepath.Join(dir, "krb5.conf"), strings.NewReplacer("DIR", dir, "KDC", kdc, "REALM", Realm).Replace(`[libdefaults]
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
	profile := write(t, filepath.Join(dir, "kdc.conf"), strings.NewReplacer("DIR", dir, "PORT", Port(kdc), "REALM", Realm).Replace(`[kdcdefaults]
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
	k := &Kerberos{t: t, dir: dir, KDC: kdc, Conf: conf, env: []string{"KRB5_CONFIG=" + conf, "KRB5_KDC_PROFILE=" + profile}}
	command(t, k.env, "", "kdb5_util", "create", "-s", "-r", Realm, "-P", "master")
	k.admin("addprinc -pw " + Password + " " + Account)
	k.admin("addprinc -randkey HTTP/localhost")
	keytab := filepath.Join(dir, "http.keytab")
	k.admin("ktadd -k " + keytab + " HTTP/localhost")
	if err := os.Chmod(keytab, 0o644); err != nil {
		t.Fatal(err)
	}
	background(t, kdc, k.env, "krb5kdc", "-n", "-r", Realm)
	p := squid(t, dir, "", fmt.Sprintf("auth_param negotiate program %s -k %s -s HTTP/localhost@%s\nauth_param negotiate children 2\n", program, keytab, Realm), k.env...)
	p.Program += ", " + packaged("MIT Kerberos", "krb5-kdc")
	p.Address = net.JoinHostPort("localhost", Port(p.Address))
	p.Settings = map[string]any{"kerberos": map[string]any{"realm": Realm, "kdc": kdc}}
	return p.login("Negotiate with Kerberos", Account, Password), k
}

func (k *Kerberos) admin(query string) {
	k.t.Helper()
	command(k.t, k.env, "", "kadmin.local", "-r", Realm, "-q", query)
}

// Tickets is a file with tickets of the user.
func (k *Kerberos) Tickets() string {
	k.t.Helper()
	path := filepath.Join(k.dir, "tickets")
	command(k.t, k.env, Password+"\n", "kinit", "-c", path, Account+"@"+Realm)
	return path
}

// Keytab is a keytab of the user.
func (k *Kerberos) Keytab() string {
	k.t.Helper()
	path := filepath.Join(k.dir, "user.keytab")
	k.admin("ktadd -norandkey -k " + path + " " + Account)
	return path
}
