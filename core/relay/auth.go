package relay

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	nonceTime  = 2 * time.Minute
	bearerTime = 15 * time.Minute
)

// authority makes and checks nonces and bearer tokens. Neither is stored: both
// carry a MAC under a key that all nodes share, so that nobody fills a table
// by asking, and a restart logs nobody out.
type authority struct {
	key []byte
	now func() time.Time
}

func (a *authority) mac(purpose string, b []byte) []byte {
	m := hmac.New(sha256.New, a.key)
	m.Write([]byte("latchstring rss " + purpose + " v1\n"))
	m.Write(b)
	return m.Sum(nil)
}

var b64 = base64.RawURLEncoding

// nonce is 16 random bytes, an expiry and the MAC over both.
func (a *authority) nonce() (string, time.Time) {
	expires := a.now().Add(nonceTime).Truncate(time.Second)
	b := make([]byte, 24)
	rand.Read(b[:16]) // never fails
	binary.BigEndian.PutUint64(b[16:], uint64(expires.Unix()))
	return b64.EncodeToString(append(b, a.mac("nonce", b)...)), expires.UTC()
}

func (a *authority) checkNonce(s string) error {
	bad := func(why string) error {
		return api.Errorf(http.StatusUnauthorized, api.CodeBadNonce, "the challenge %s: ask for a new one", why)
	}
	b, err := b64.DecodeString(s)
	if err != nil || len(b) != 24+sha256.Size || !hmac.Equal(b[24:], a.mac("nonce", b[:24])) {
		return bad("is not of this relay")
	}
	if a.now().After(time.Unix(int64(binary.BigEndian.Uint64(b[16:24])), 0)) {
		return bad("has expired")
	}
	return nil
}

// claims are what a bearer token says.
type claims struct {
	Kind    api.Kind `json:"k"`
	Subject string   `json:"s"` // system id or engineer name
	Key     string   `json:"f"` // fingerprint of the key that logged in
	Expires int64    `json:"e"`
}

func (a *authority) bearer(kind api.Kind, subject string, key ssh.PublicKey) (string, time.Time, error) {
	expires := a.now().Add(bearerTime).Truncate(time.Second)
	b, err := json.Marshal(claims{Kind: kind, Subject: subject, Key: ssh.FingerprintSHA256(key), Expires: expires.Unix()})
	if err != nil {
		return "", time.Time{}, err
	}
	return b64.EncodeToString(b) + "." + b64.EncodeToString(a.mac("bearer", b)), expires.UTC(), nil
}

func (a *authority) checkBearer(token string) (claims, error) {
	bad := func(why string) error {
		return api.Errorf(http.StatusUnauthorized, api.CodeUnauthorized, "the login %s: log in again", why)
	}
	body, mac, ok := strings.Cut(token, ".")
	b, err := b64.DecodeString(body)
	m, err2 := b64.DecodeString(mac)
	if !ok || err != nil || err2 != nil || !hmac.Equal(m, a.mac("bearer", b)) {
		return claims{}, bad("is not of this relay")
	}
	var c claims
	if err := json.Unmarshal(b, &c); err != nil {
		return claims{}, bad("is malformed")
	}
	if a.now().After(time.Unix(c.Expires, 0)) {
		return claims{}, bad("has expired")
	}
	return c, nil
}

func (s *Server) challenge(*http.Request) (any, error) {
	nonce, expires := s.auth.nonce()
	return api.ChallengeResponse{Nonce: nonce, Expires: expires, Time: s.now().UTC()}, nil
}

func (s *Server) login(r *http.Request) (any, error) {
	var req api.TokenRequest
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	key, err := identity.ParseKey(req.PublicKey)
	if err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	subject, err := s.authenticate(r.Context(), req, key)
	if err != nil {
		s.metrics.loginsRefused.Add(1)
		// A record for each refusal would let anybody write the log full.
		s.log.Warn("login refused", "kind", req.Kind, "key", ssh.FingerprintSHA256(key), "remote", r.RemoteAddr, "error", err)
		return nil, err
	}
	token, expires, err := s.auth.bearer(req.Kind, subject, key)
	if err != nil {
		return nil, err
	}
	if req.Kind == api.KindSystem {
		if err := s.reg.Seen(r.Context(), subject); err != nil {
			return nil, unavailable(err)
		}
	}
	return api.TokenResponse{Token: token, Expires: expires, Subject: subject}, nil
}

func (s *Server) authenticate(ctx context.Context, req api.TokenRequest, key ssh.PublicKey) (string, error) {
	if err := s.auth.checkNonce(req.Nonce); err != nil {
		return "", err
	}
	statement := api.LoginStatement(req.Kind, s.relay.Pin(), req.Nonce)
	if err := identity.Verify(key, identity.NamespaceRSS, strings.NewReader(string(statement)), []byte(req.Signature)); err != nil {
		return "", api.Errorf(http.StatusUnauthorized, api.CodeBadSignature, "the login is not signed by the key for this relay: %v", err)
	}
	subject, err := s.subject(ctx, req.Kind, key)
	if err != nil {
		return "", err
	}
	// Only who signed rightly gets here, so strangers cannot fill this table.
	sum := sha256.Sum256([]byte(req.Nonce))
	switch err := s.reg.Once(ctx, b64.EncodeToString(sum[:])); {
	case errors.Is(err, store.ErrExists):
		return "", api.Errorf(http.StatusUnauthorized, api.CodeBadNonce, "the challenge was used already: ask for a new one")
	case err != nil:
		return "", unavailable(err)
	}
	return subject, nil
}

// subject finds who has the key, if he may log in.
func (s *Server) subject(ctx context.Context, kind api.Kind, key ssh.PublicKey) (string, error) {
	unknown := func(what string) error {
		return api.Errorf(http.StatusForbidden, api.CodeUnknownKey, "%s with key %s is not known here, or was removed", what, ssh.FingerprintSHA256(key))
	}
	switch kind {
	case api.KindSystem:
		sys, err := s.reg.System(ctx, identity.IDOf(key))
		if errors.Is(err, store.ErrNotFound) || err == nil && (sys.Retired || sys.PublicKey != identity.FormatKey(key)) {
			return "", unknown("a system")
		}
		if err != nil {
			return "", unavailable(err)
		}
		if sys.Sealed != nil && !sys.Sealed.Bundles {
			return "", sealedError(sys)
		}
		return sys.ID, nil
	case api.KindEngineer:
		e, err := s.reg.EngineerByKey(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			return "", unknown("an engineer")
		}
		if err != nil {
			return "", unavailable(err)
		}
		return e.Name, nil
	}
	return "", api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "kind %.20q is neither system nor engineer", string(kind))
}

// principal is who made a request.
type principal struct {
	kind     api.Kind
	system   store.System
	engineer store.Engineer
}

func (p principal) String() string {
	if p.kind == api.KindEngineer {
		return "engineer:" + p.engineer.Name
	}
	return "system:" + p.system.ID
}

// claims reads the login of a request: a bearer token, or a signature.
func (s *Server) claims(r *http.Request) (claims, error) {
	header := r.Header.Get("Authorization")
	if l, ok, err := api.ParseSignedLogin(header); err != nil {
		return claims{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	} else if ok {
		return s.signed(r, l)
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return claims{}, api.Errorf(http.StatusUnauthorized, api.CodeUnauthorized, "log in first: the request has no bearer token")
	}
	return s.auth.checkBearer(token)
}

// principal checks the login of a request, and that its subject still has that
// key and may still log in.
func (s *Server) principal(r *http.Request) (principal, error) {
	c, err := s.claims(r)
	if err != nil {
		return principal{}, err
	}
	p, err := s.lookup(r.Context(), c)
	if err != nil {
		return principal{}, err
	}
	if who, ok := r.Context().Value(whoKey{}).(*string); ok {
		*who = p.String()
	}
	return p, nil
}

func (s *Server) lookup(ctx context.Context, c claims) (principal, error) {
	p := principal{kind: c.Kind}
	line, active := "", false
	var err error
	switch c.Kind {
	case api.KindSystem:
		p.system, err = s.reg.System(ctx, c.Subject)
		line, active = p.system.PublicKey, !p.system.Retired
	case api.KindEngineer:
		p.engineer, err = s.reg.Engineer(ctx, c.Subject)
		line, active = p.engineer.Key, p.engineer.Active()
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return principal{}, unavailable(err)
	}
	if p.system.Sealed != nil && !p.system.Sealed.Bundles {
		return principal{}, sealedError(p.system)
	}
	if err == nil && active {
		if key, err := identity.ParseKey(line); err == nil && ssh.FingerprintSHA256(key) == c.Key {
			return p, nil
		}
	}
	return principal{}, api.Errorf(http.StatusForbidden, api.CodeUnknownKey, "%s %s was removed from this relay", c.Kind, c.Subject)
}

// system is principal for requests of systems.
func (s *Server) system(r *http.Request) (store.System, error) {
	p, err := s.principal(r)
	if err != nil {
		return store.System{}, err
	}
	if p.kind != api.KindSystem {
		return store.System{}, api.Errorf(http.StatusForbidden, api.CodeForbidden, "only systems may do this, not engineers")
	}
	return p.system, nil
}

// engineer is principal for requests of engineers with a role.
func (s *Server) engineer(r *http.Request, role store.Role) (store.Engineer, error) {
	p, err := s.principal(r)
	if err != nil {
		return store.Engineer{}, err
	}
	if p.kind != api.KindEngineer {
		return store.Engineer{}, api.Errorf(http.StatusForbidden, api.CodeForbidden, "only engineers may do this, not systems")
	}
	if !p.engineer.May(role) {
		return store.Engineer{}, api.Errorf(http.StatusForbidden, api.CodeForbidden, "engineer %s does not have the role %q; the operator of the relay gives it", p.engineer.Name, role)
	}
	return p.engineer, nil
}
