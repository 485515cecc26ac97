package peers

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Squid starts squid without a login. It refuses targets with the port
// forbidden; ForbiddenPort when that is empty.
func Squid(t testing.TB, forbidden string) *Proxy {
	t.Helper()
	return squid(t, Dir(t), forbidden, "")
}

// squid starts squid with the lines of auth.
func squid(t testing.TB, dir, forbidden, auth string, env ...string) *Proxy {
	t.Helper()
	rules := "http_access deny CONNECT forbidden\nhttp_access allow all\n"
	if auth != "" {
		rules = auth + "acl known proxy_auth REQUIRED\nhttp_access deny CONNECT forbidden\nhttp_access allow known\nhttp_access deny all\n"
	}
	return squidWith(t, dir, forbidden, "", rules, env...)
}

// squidWith starts squid with what stands behind its port, and with rules.
func squidWith(t testing.TB, dir, forbidden, port, rules string, env ...string) *Proxy {
	t.Helper()
	Need(t, "squid")
	if forbidden == "" {
		forbidden = ForbiddenPort
	}
	addr := FreeAddr(t)
	conf := write(t, filepath.Join(dir, "squid.conf"), fmt.Sprintf(`http_port %s %s
pid_filename none
cache deny all
access_log none
cache_log %s/cache.log
coredump_dir %s
shutdown_lifetime 0 seconds
max_filedescriptors 1024
acl CONNECT method CONNECT
acl forbidden port %s
%s`, addr, port, dir, dir, forbidden, rules))
	background(t, addr, env, "squid", "-N", "-f", conf)
	return &Proxy{Program: version("squid", find("squid"), "-v"), Does: "no login", Address: addr, Scheme: "https"}
}

// helper finds a program of squid's.
func helper(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("/usr/lib/squid", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("squid's %s is not installed", name)
	}
	return path
}

func (p *Proxy) login(does, user, password string) *Proxy {
	p.Does, p.User, p.Password = does, user, password
	return p
}

// SquidBasic wants Basic.
func SquidBasic(t testing.TB) *Proxy {
	t.Helper()
	program := helper(t, "basic_ncsa_auth")
	Need(t, "openssl")
	dir := Dir(t)
	hash := strings.TrimSpace(command(t, nil, Password, "openssl", "passwd", "-apr1", "-stdin"))
	write(t, filepath.Join(dir, "passwd"), Account+":"+hash+"\n")
	p := squid(t, dir, "", fmt.Sprintf("auth_param basic program %s %s/passwd\nauth_param basic realm peers\n", program, dir))
	return p.login("Basic", Account, Password)
}

// SquidDigest wants Digest.
func SquidDigest(t testing.TB) *Proxy {
	t.Helper()
	program := helper(t, "digest_file_auth")
	dir := Dir(t)
	ha1 := md5.Sum([]byte(Account + ":peers:" + Password)) // what RFC 2617 calls A1
	write(t, filepath.Join(dir, "digest"), fmt.Sprintf("%s:peers:%x\n", Account, ha1))
	p := squid(t, dir, "", fmt.Sprintf("auth_param digest program %s -c %s/digest\nauth_param digest realm peers\n", program, dir))
	return p.login("Digest", Account, Password)
}
