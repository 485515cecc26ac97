package relay

import (
	"bytes"
	"net/http"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// signed checks a login that a request carries itself; see [api.SignedLogin].
// A system that opens or comes back to its session needs one request then
// instead of three, which is what counts when thousands come back at once.
func (s *Server) signed(r *http.Request, l api.SignedLogin) (claims, error) {
	c, err := s.checkSigned(r, l)
	if err != nil {
		s.metrics.loginsRefused.Add(1)
		s.log.Debug("signed login refused", "kind", l.Kind, "remote", r.RemoteAddr, "error", err)
		return claims{}, err
	}
	if c.Kind == api.KindSystem && r.URL.Path == msg.PathLink { // not for each dial-back
		if err := s.reg.Seen(r.Context(), c.Subject); err != nil {
			return claims{}, unavailable(err)
		}
	}
	return c, nil
}

func (s *Server) checkSigned(r *http.Request, l api.SignedLogin) (claims, error) {
	// Whoever reads this answer logs in by a challenge instead.
	not := func(format string, args ...any) error {
		return api.Errorf(http.StatusUnauthorized, api.CodeUnauthorized, format, args...)
	}
	if r.TLS == nil {
		return claims{}, not("the connection has no TLS of its own to sign for: log in by a challenge")
	}
	exporter, err := r.TLS.ExportKeyingMaterial(api.LoginExporter, nil, api.LoginExporterSize)
	if err != nil {
		return claims{}, not("the connection has no TLS exporter to sign for: log in by a challenge")
	}
	key, err := identity.ParseKey(l.PublicKey)
	if err != nil {
		return claims{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	if err := identity.Verify(key, identity.NamespaceRSS, bytes.NewReader(api.ExporterStatement(l.Kind, s.relay.Pin(), exporter)), []byte(l.Signature)); err != nil {
		return claims{}, not("the login is not signed for this connection, which something on the way may have made: log in by a challenge")
	}
	subject, err := s.subject(r.Context(), l.Kind, key)
	if err != nil {
		return claims{}, err
	}
	return claims{Kind: l.Kind, Subject: subject, Key: ssh.FingerprintSHA256(key)}, nil
}
