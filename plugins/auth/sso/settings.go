package sso

import (
	"crypto/tls"
	"net/url"
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/config"
)

// The protocols.
const (
	oidcProtocol = "oidc"
	samlProtocol = "saml"
)

type settings struct {
	Protocol string `config:"protocol" default:"oidc" oneof:"oidc,saml" help:"what the identity provider speaks"`

	Issuer   string        `config:"issuer" help:"oidc: the provider's issuer, as https://idp.example.com/realm"`
	ClientID string        `config:"client_id" help:"oidc: the name under which the provider knows this system"`
	Secret   config.Secret `config:"client_secret" help:"oidc: the password that goes with it, if the provider gave one"`
	Scopes   []string      `config:"scopes" default:"openid,profile" help:"oidc: what is asked for; add what the provider needs to tell the groups"`
	UserInfo bool          `config:"userinfo" help:"oidc: ask the userinfo endpoint too, where claims are not in the token"`

	EntityID    string        `config:"entity_id" help:"saml: the name under which the provider knows this system"`
	Metadata    string        `config:"metadata" help:"saml: the provider's metadata, as XML"`
	MetadataURL string        `config:"metadata_url" help:"saml: where the provider's metadata is, instead"`
	Provider    string        `config:"provider" help:"saml: entity id of the provider, where its metadata has several"`
	Certificate string        `config:"certificate" help:"saml: PEM certificate with which requests are signed, where the provider wants that"`
	Key         config.Secret `config:"key" help:"saml: PEM key of it; also decrypts assertions"`

	Roles  string   `config:"roles" default:"groups" help:"the claim or attribute that says who is an administrator; a.b is b in a"`
	Admins []string `config:"admins" required:"true" help:"its values, one of which a user must have"`
	User   string   `config:"user" help:"the claim or attribute with the user's name; preferred_username or sub, in SAML the name id, when empty"`

	RequireMFA bool          `config:"require_mfa" help:"refuse whom the provider does not vouch for with a second factor"`
	AMR        []string      `config:"mfa_amr" default:"mfa" help:"oidc: values of amr that mean a second factor"`
	ACR        []string      `config:"mfa_acr" help:"values of acr, in SAML context classes, that mean a second factor; the provider is asked for them"`
	MaxAge     time.Duration `config:"max_age" default:"0s" help:"how long ago the user may have logged in at the provider; he is asked again if it is longer. 0 does not ask"`

	Redirect string        `config:"redirect" help:"the address to which the provider sends browsers back, where it is not what the web pages take it to be"`
	Pin      string        `config:"pin" help:"SHA-256 of the certificate of the provider, as SHA256:base64 or in hex; all of its addresses must show it"`
	CA       string        `config:"ca" help:"PEM certificates that the provider's certificate must chain to, instead of the system's"`
	Timeout  time.Duration `config:"timeout" default:"20s" help:"how long one request to the provider may take"`
	Proxy    proxySettings `config:"proxy"`
}

type proxySettings struct {
	Address  string        `config:"address" help:"host:port of an HTTP proxy (CONNECT) on the way to the provider"`
	TLS      bool          `config:"tls" help:"reach the proxy itself over TLS"`
	CA       string        `config:"ca" help:"PEM certificates that the proxy's certificate must chain to"`
	User     string        `config:"user" help:"user name at the proxy"`
	Password config.Secret `config:"password" help:"password at the proxy"`
}

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	if s.Protocol == samlProtocol {
		s.validateSAML(&p)
	} else {
		s.validateOIDC(&p)
	}
	for _, v := range s.Admins {
		if v == "" {
			p.Add("admins", "an empty value is nobody's role")
			break
		}
	}
	if s.Roles == "" {
		p.Add("roles", "name the claim or attribute")
	}
	if s.Redirect != "" && !secureURL(s.Redirect) {
		p.Add("redirect", "write it as https://...")
	}
	if s.Pin != "" {
		if _, err := trust.ParsePin(s.Pin); err != nil {
			p.Add("pin", "%v", err)
		}
	}
	if s.CA != "" {
		if err := trust.CheckCA(s.CA); err != nil {
			p.Add("ca", "%v", err)
		}
	}
	if s.Timeout <= 0 {
		p.Add("timeout", "it must be more than nothing")
	}
	if s.MaxAge < 0 {
		p.Add("max_age", "it must not be negative")
	}
	if s.Proxy.Address == "" && (s.Proxy.User != "" || s.Proxy.CA != "" || s.Proxy.TLS) {
		p.Add("proxy.address", "there are other settings of a proxy, but not where it is")
	}
	if s.Proxy.Address != "" {
		if _, err := s.way(); err != nil {
			p.Add("proxy.address", "%v", err)
		}
	}
	return p.Err()
}

func (s *settings) validateOIDC(p *config.Problems) {
	if u, err := url.Parse(s.Issuer); err != nil || !secureURL(s.Issuer) || u.RawQuery != "" {
		p.Add("issuer", "write it as https://..., exactly as the provider does")
	}
	if s.ClientID == "" {
		p.Add("client_id", "oidc needs one")
	}
	openid := false
	for _, scope := range s.Scopes {
		openid = openid || scope == "openid"
	}
	if !openid {
		p.Add("scopes", "openid must be among them")
	}
	if s.RequireMFA && len(s.AMR)+len(s.ACR) == 0 {
		p.Add("require_mfa", "mfa_amr and mfa_acr are both empty, so that nobody could prove a second factor")
	}
}

func (s *settings) validateSAML(p *config.Problems) {
	if s.EntityID == "" {
		p.Add("entity_id", "saml needs one")
	}
	switch {
	case (s.Metadata == "") == (s.MetadataURL == ""):
		p.Add("metadata", "give either metadata or metadata_url")
	case s.MetadataURL != "" && !secureURL(s.MetadataURL):
		p.Add("metadata_url", "write it as https://...")
	case s.Metadata != "":
		if _, err := parseMetadata([]byte(s.Metadata), s.Provider); err != nil {
			p.Add("metadata", "%v", err)
		}
	}
	if (s.Certificate == "") != s.Key.IsZero() {
		p.Add("certificate", "certificate and key go together")
	} else if s.Certificate != "" {
		s.Key.Use(func(key []byte) {
			if _, err := tls.X509KeyPair([]byte(s.Certificate), key); err != nil {
				p.Add("certificate", "certificate and key are no pair in PEM form")
			}
		})
	}
	if s.RequireMFA && len(s.ACR) == 0 {
		p.Add("require_mfa", "mfa_acr is empty, so that nobody could prove a second factor")
	}
}

// secureURL reports whether s is an absolute https URL without credentials or
// fragment.
func secureURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == "" && !strings.ContainsAny(s, " \t\r\n")
}
