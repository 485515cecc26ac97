package https

import (
	"encoding/base64"
	"fmt"
	"net"

	"github.com/jcmturner/gokrb5/v8/client"
	krbconfig "github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/spnego"

	"github.com/latchstring/latchstring/sdk/transport"
)

// negotiateLogin is SPNEGO with Kerberos (RFC 4559) in one leg.
type negotiateLogin struct {
	*settings
	tried bool
}

func (s *settings) haveKerberos() bool {
	k := s.Kerberos
	return k.CCache != "" || k.Keytab != "" && s.User != "" || k.Realm != "" && s.User != "" && !s.Password.IsZero()
}

func (*negotiateLogin) name() string { return "Negotiate (Kerberos)" }
func (*negotiateLogin) bound() bool  { return false }

func (n *negotiateLogin) next([]offer) (string, error) {
	if n.tried {
		return "", errDenied
	}
	n.tried = true
	cl, err := n.client()
	if err != nil {
		return "", err
	}
	defer cl.Destroy()
	spn := n.Kerberos.SPN
	if spn == "" {
		host, _, err := net.SplitHostPort(n.Proxy)
		if err != nil {
			return "", err
		}
		spn = "HTTP/" + host
	}
	s := spnego.SPNEGOClient(cl, spn)
	if err := s.AcquireCred(); err != nil {
		return "", transport.Errorf(transport.ProxyAuth, "check realm, user and password, keytab or tickets, and the clock", "log in to Kerberos: %w", err)
	}
	token, err := s.InitSecContext()
	if err != nil {
		return "", transport.Errorf(transport.ProxyAuth, "does the realm know the proxy as "+spn+"?", "get a ticket for the proxy: %w", err)
	}
	b, err := token.Marshal()
	if err != nil {
		return "", transport.Errorf(transport.ProxyAuth, "", "encode the Kerberos ticket: %w", err)
	}
	return "Negotiate " + base64.StdEncoding.EncodeToString(b), nil
}

func (n *negotiateLogin) client() (*client.Client, error) {
	k := n.Kerberos
	cfg, err := k.load()
	if err != nil {
		return nil, transport.Errorf(transport.Config, "set kerberos.kdc and kerberos.realm, or write that file", "read the Kerberos configuration %s: %w", k.Config, err)
	}
	// FAST is what Active Directory does not do by default.
	options := []func(*client.Settings){client.DisablePAFXFAST(true)}
	switch {
	case k.CCache != "":
		cc, err := credentials.LoadCCache(k.CCache)
		if err != nil {
			return nil, transport.Errorf(transport.Config, "run kinit", "read the tickets in %s: %w", k.CCache, err)
		}
		cl, err := client.NewFromCCache(cc, cfg, options...)
		if err != nil {
			return nil, transport.Errorf(transport.ProxyAuth, "run kinit", "use the tickets in %s: %w", k.CCache, err)
		}
		return cl, nil
	case k.Keytab != "":
		kt, err := keytab.Load(k.Keytab)
		if err != nil {
			return nil, transport.Errorf(transport.Config, "", "read the keytab %s: %w", k.Keytab, err)
		}
		return client.NewWithKeytab(n.User, n.realm(cfg), kt, cfg, options...), nil
	}
	return client.NewWithPassword(n.User, n.realm(cfg), n.Password.Reveal(), cfg, options...), nil
}

// load reads the Kerberos configuration, or makes one of the settings. Kerberos
// goes over TCP then, as everything else that leaves here.
func (k *kerberos) load() (*krbconfig.Config, error) {
	if k.KDC == "" {
		return krbconfig.Load(k.Config)
	}
	return krbconfig.NewFromString(fmt.Sprintf("[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n dns_lookup_realm = false\n udp_preference_limit = 1\n[realms]\n %[1]s = {\n  kdc = %[2]s\n }\n", k.Realm, k.KDC))
}

func (n *negotiateLogin) realm(cfg *krbconfig.Config) string {
	if n.Kerberos.Realm != "" {
		return n.Kerberos.Realm
	}
	return cfg.LibDefaults.DefaultRealm
}
