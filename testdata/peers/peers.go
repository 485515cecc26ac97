package peers

import (
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The account at the proxies that keep accounts of their own, and the password
// everywhere.
const (
	Account  = "ada"
	Password = "c4n4ry-p4ssword"
)

// ForbiddenPort is the port of targets that the proxies refuse, unless they are
// told another.
const ForbiddenPort = "9"

// Proxy is a running proxy.
type Proxy struct {
	Program string // "squid 5.7": what runs, and which version
	Does    string // "Digest": what is special about it
	Address string // host:port
	Scheme  string // of its URL
	User    string // empty where no login is needed
	// Password of the user; empty where there is none.
	Password string
	// Settings are further settings that the transport needs.
	Settings map[string]any
}

// URL is the proxy as users write it.
func (p *Proxy) URL() string {
	user := ""
	if p.User != "" {
		user = p.User + "@"
	}
	return p.Scheme + "://" + user + p.Address
}

// All are the proxies, by the names of tests.
var All = []struct {
	Name  string
	Start func(t testing.TB) *Proxy
}{
	{"squid", func(t testing.TB) *Proxy { return Squid(t, "") }},
	{"squid-basic", SquidBasic},
	{"squid-digest", SquidDigest},
	{"squid-ntlm", SquidNTLM},
	{"squid-kerberos", SquidKerberos},
	{"tinyproxy", Tinyproxy},
	{"connect-over-tls", OverTLS},
	{"dante-socks4", func(t testing.TB) *Proxy { return Dante(t, "socks4") }},
	{"dante-socks5", func(t testing.TB) *Proxy { return Dante(t, "socks5") }},
	{"dante-password", DantePassword},
	{"openssh-socks4", func(t testing.TB) *Proxy { return OpenSSH(t, "socks4") }},
	{"openssh-socks4a", func(t testing.TB) *Proxy { return OpenSSH(t, "socks4a") }},
	{"openssh-socks5", func(t testing.TB) *Proxy { return OpenSSH(t, "socks5") }},
	{"microsocks", Microsocks},
}

var number = regexp.MustCompile(`[0-9]+\.[0-9]([0-9.p]*[0-9])?`)

// version asks a program for its version; the first number with a point in what
// it prints is taken for that.
func version(name, program string, args ...string) string {
	out, _ := exec.Command(program, args...).CombinedOutput() // some end with an error
	if v := number.FindString(string(out)); v != "" {
		return name + " " + v
	}
	return name
}

// packaged is the version of a Debian package, for programs that tell none.
func packaged(name, pkg string) string {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", pkg).Output()
	if err != nil {
		return name
	}
	upstream, _, _ := strings.Cut(strings.TrimSpace(string(out)), "-")
	upstream, _, _ = strings.Cut(upstream, "+")
	return name + " " + upstream
}

// Port of an address.
func Port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}
