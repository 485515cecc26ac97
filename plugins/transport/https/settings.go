package https

import (
	"net"
	"slices"
	"strings"
	"time"

	"github.com/latchstring/latchstring/sdk/config"
)

type settings struct {
	Proxy    string        `config:"proxy" required:"true" help:"host:port of the proxy"`
	TLS      bool          `config:"tls" help:"reach the proxy itself over TLS"`
	CA       string        `config:"ca" help:"PEM certificates that the proxy's certificate must chain to, instead of the system's"`
	User     string        `config:"user" help:"user name; for NTLM also DOMAIN\\user"`
	Password config.Secret `config:"password" help:"password"`
	Auth     []string      `config:"auth" default:"negotiate,ntlm,digest,basic" help:"ways to log in that may be used: negotiate, ntlm, digest, basic"`
	Kerberos kerberos      `config:"kerberos"`
	Timeout  time.Duration `config:"timeout" default:"20s" help:"how long one dial may take"`
}

type kerberos struct {
	Config string `config:"config" default:"/etc/krb5.conf" help:"Kerberos configuration"`
	Realm  string `config:"realm" help:"realm of the user; with user and password, or a keytab"`
	Keytab string `config:"keytab" help:"keytab of the user, instead of a password"`
	CCache string `config:"ccache" help:"file with tickets, instead of a password"`
	KDC    string `config:"kdc" help:"host:port of the realm's key distribution centre, instead of a Kerberos configuration"`
	SPN    string `config:"spn" help:"service name of the proxy; HTTP/host of the proxy when empty"`
}

// ways are the ways to log in, strongest first.
var ways = []string{"negotiate", "ntlm", "digest", "basic"}

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	if _, _, err := net.SplitHostPort(s.Proxy); err != nil {
		if strings.Contains(s.Proxy, ",") || strings.Contains(s.Proxy, " ") {
			p.Add("proxy", "one proxy only: chains of proxies are not supported")
		} else {
			p.Add("proxy", "write it as host:port")
		}
	}
	for _, a := range s.Auth {
		if !slices.Contains(ways, a) {
			p.Add("auth", "the ways to log in are %s", strings.Join(ways, ", "))
			break
		}
	}
	if strings.Contains(s.User, ":") {
		p.Add("user", "a user name has no colon")
	}
	if s.User == "" && !s.Password.IsZero() {
		p.Add("user", "a password needs a user name")
	}
	if s.CA != "" && !s.TLS {
		p.Add("ca", "only a proxy that is reached over TLS has a certificate; set tls")
	}
	if s.Kerberos.KDC != "" {
		if _, _, err := net.SplitHostPort(s.Kerberos.KDC); err != nil || strings.ContainsAny(s.Kerberos.KDC+s.Kerberos.Realm, " \t\r\n{}[]=#;") {
			p.Add("kerberos.kdc", "write it as host:port")
		}
		if s.Kerberos.Realm == "" {
			p.Add("kerberos.realm", "a key distribution centre is one of a realm")
		}
	}
	if len(p) > 0 {
		return p
	}
	return nil
}

func (s *settings) allows(way string) bool { return slices.Contains(s.Auth, way) }
