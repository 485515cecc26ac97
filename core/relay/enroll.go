package relay

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

// enroll exchanges a token for a place in the registry (REQ G9).
func (s *Server) enroll(r *http.Request) (any, error) {
	var req api.EnrollRequest
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	key, err := identity.ParseKey(req.PublicKey)
	if err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	ctx := r.Context()
	tok, revision, err := s.tokenFor(ctx, req.Secret)
	if err != nil {
		s.log.Warn("enrolment refused", "token", api.TokenID(req.Secret), "remote", r.RemoteAddr, "error", err)
		return nil, err
	}
	statement := api.EnrollStatement(s.relay.Pin(), tok.ID, key)
	if err := identity.Verify(key, identity.NamespaceRSS, strings.NewReader(string(statement)), []byte(req.Signature)); err != nil {
		return nil, api.Errorf(http.StatusForbidden, api.CodeBadSignature, "the enrolment is not signed by the key that it names: %v", err)
	}
	sys := store.System{ID: identity.IDOf(key), Name: tok.System, Serial: tok.Serial, Hostname: clean(req.Hostname, 255), PublicKey: identity.FormatKey(key), EnrolledAt: s.now().UTC().Truncate(time.Second)}
	if err := s.useToken(ctx, tok, revision, sys, r.RemoteAddr); err != nil {
		return nil, err
	}
	return api.EnrollResponse{System: sys.ID, Name: sys.Name, Vendor: s.relay.Vendor(sys.Name)}, nil
}

// tokenFor finds the token of a secret. A wrong secret is the same as none.
func (s *Server) tokenFor(ctx context.Context, secret string) (store.Token, uint64, error) {
	unknown := api.Errorf(http.StatusForbidden, api.CodeTokenUnknown, "the enrolment token is not of this relay; ask support for a new one")
	id := api.TokenID(secret)
	if id == "" {
		return store.Token{}, 0, unknown
	}
	tok, revision, err := s.reg.Token(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Token{}, 0, unknown
	}
	if err != nil {
		return store.Token{}, 0, unavailable(err)
	}
	if subtle.ConstantTimeCompare([]byte(tok.Hash), []byte(api.HashSecret(secret))) != 1 {
		return store.Token{}, 0, unknown
	}
	return tok, revision, nil
}

// useToken marks the token as used and stores the system. The same key may
// repeat it, because the answer may have been lost; another may not.
func (s *Server) useToken(ctx context.Context, tok store.Token, revision uint64, sys store.System, remote string) error {
	detail := map[string]string{"token": tok.ID, "name": sys.Name, "remote": remote, "hostname": sys.Hostname}
	refuse := func(e *api.Error) error {
		if err := s.record(ctx, audit.TokenRefused, "system:"+sys.ID, tok.ID, detail); err != nil {
			return err
		}
		return e
	}
	switch {
	case tok.UsedBy != "" && tok.UsedBy != sys.ID:
		detail["why"] = "used by " + tok.UsedBy
		return refuse(api.Errorf(http.StatusConflict, api.CodeTokenUsed,
			"the enrolment token was used already, by system %s at %s; ask support for a new one, and tell them if that was not you", tok.UsedBy, tok.UsedAt.Format(time.RFC3339)))
	case s.now().After(tok.Expires):
		detail["why"] = "expired"
		return refuse(api.Errorf(http.StatusForbidden, api.CodeTokenExpired,
			"the enrolment token has expired at %s; ask support for a new one", tok.Expires.Format(time.RFC3339)))
	}
	old, err := s.reg.Active(ctx, sys.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return unavailable(err)
	}
	if err == nil && old.ID != sys.ID && !tok.Replace {
		return api.Errorf(http.StatusConflict, api.CodeNameTaken,
			"a system named %s is enrolled already (%s); ask support for a token that replaces it", sys.Name, old.ID)
	}
	known, err := s.reg.System(ctx, sys.ID)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return unavailable(err)
	case known.Sealed != nil:
		return sealedError(known)
	case known.Retired && tok.UsedBy == sys.ID:
		return api.Errorf(http.StatusForbidden, api.CodeUnknownKey, "this system was removed; ask support for a new token")
	}
	before := known
	if known.ID == "" {
		before = old // it takes the place of another
	}
	sys.Groups, sys.Serial = before.Groups, cmp.Or(tok.Serial, before.Serial)
	if tok.UsedBy == "" {
		tok.UsedBy, tok.UsedAt = sys.ID, s.now().UTC().Truncate(time.Second)
		switch err := s.reg.UseToken(ctx, tok, revision); {
		case errors.Is(err, store.ErrConflict):
			return api.Errorf(http.StatusConflict, api.CodeTokenUsed, "the enrolment token is being used by another system at this moment")
		case err != nil:
			return unavailable(err)
		}
	}
	if err := s.record(ctx, audit.SystemEnrolled, "token:"+tok.ID, sys.ID, detail); err != nil {
		return err
	}
	if old.ID != "" && old.ID != sys.ID {
		if err := s.retire(ctx, old, "token:"+tok.ID); err != nil {
			return err
		}
	}
	_, err = s.reg.ChangeSystem(ctx, sys.ID, func(now *store.System, _ bool) error {
		if now.Sealed != nil { // since it was looked at
			return sealedError(*now)
		}
		if known.ID != "" {
			sys.Groups = now.Groups // an operator may have changed them since
			sys.Serial = cmp.Or(tok.Serial, now.Serial)
		}
		*now = sys
		return nil
	})
	if refused := (*api.Error)(nil); errors.As(err, &refused) {
		return err
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// retire ends a system's right to log in.
func (s *Server) retire(ctx context.Context, sys store.System, by string) error {
	if err := s.record(ctx, audit.SystemRetired, by, sys.ID, map[string]string{"name": sys.Name}); err != nil {
		return err
	}
	sys, err := s.reg.ChangeSystem(ctx, sys.ID, func(now *store.System, _ bool) error {
		now.Retired = true
		return nil
	})
	if err != nil {
		return unavailable(err)
	}
	s.hub.systemChanged(sys)
	return nil
}

// NewToken makes an enrolment token; its text is returned and not kept.
func (s *Server) newToken(ctx context.Context, req NewTokenRequest, by string) (api.Token, store.Token, error) {
	name, valid, replace := req.System, req.Valid, req.Replace
	bad := func(format string, args ...any) (api.Token, store.Token, error) {
		return api.Token{}, store.Token{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, format, args...)
	}
	if err := store.CheckName("system", name); err != nil {
		return bad("%v", err)
	}
	if err := store.CheckSerial(req.Serial); err != nil {
		return bad("%v", err)
	}
	if valid < time.Minute || valid > 90*24*time.Hour {
		return bad("a token is valid for a minute to 90 days, not %s", valid)
	}
	old, err := s.reg.Active(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return api.Token{}, store.Token{}, unavailable(err)
	}
	if err == nil && !replace {
		return api.Token{}, store.Token{}, api.Errorf(http.StatusConflict, api.CodeNameTaken,
			"a system named %s is enrolled (%s); use --replace to let a new one take its place", name, old.ID)
	}
	text := api.Token{RSS: s.relay.Config.Address, Pin: s.relay.Pin(), Secret: api.NewSecret()}
	now := s.now().UTC().Truncate(time.Second)
	tok := store.Token{ID: text.ID(), Hash: api.HashSecret(text.Secret), System: name, Serial: req.Serial, Replace: replace, Created: now, By: by, Expires: now.Add(valid)}
	if err := s.record(ctx, audit.TokenCreated, by, tok.ID, map[string]string{"name": name, "expires": tok.Expires.Format(time.RFC3339)}); err != nil {
		return api.Token{}, store.Token{}, err
	}
	if err := s.reg.AddToken(ctx, tok); err != nil {
		return api.Token{}, store.Token{}, unavailable(err)
	}
	return text, tok, nil
}

// addEngineer lets an engineer in.
func (s *Server) addEngineer(ctx context.Context, req AddEngineerRequest, by string) (store.Engineer, error) {
	name := req.Name
	bad := func(err error) (store.Engineer, error) {
		return store.Engineer{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	if err := store.CheckName("engineer", name); err != nil {
		return bad(err)
	}
	key, err := identity.ParseKey(req.Key)
	if err != nil {
		return bad(err)
	}
	rs, err := store.ParseRoles(req.Roles)
	if err != nil {
		return bad(err)
	}
	groups, err := store.CheckGroups(req.Groups)
	if err != nil {
		return bad(err)
	}
	if e, err := s.reg.EngineerByKey(ctx, key); err == nil && e.Name != name {
		return store.Engineer{}, api.Errorf(http.StatusConflict, api.CodeNameTaken, "engineer %s has this key already", e.Name)
	}
	if e, err := s.reg.Engineer(ctx, name); err == nil && e.Active() && e.Key != identity.FormatKey(key) {
		return store.Engineer{}, api.Errorf(http.StatusConflict, api.CodeNameTaken, "engineer %s is there with another key; revoke it first", name)
	}
	e := store.Engineer{Name: name, Key: identity.FormatKey(key), Roles: rs, Groups: groups, Added: s.now().UTC().Truncate(time.Second), By: by}
	if err := s.record(ctx, audit.EngineerAdded, by, name, map[string]string{"key": ssh.FingerprintSHA256(key), "roles": strings.Join(req.Roles, ","), "groups": strings.Join(groups, ",")}); err != nil {
		return store.Engineer{}, err
	}
	if err := s.reg.PutEngineer(ctx, e); err != nil {
		return store.Engineer{}, unavailable(err)
	}
	s.hub.engineerChanged(e)
	return e, nil
}

func (s *Server) revokeEngineer(ctx context.Context, name, by string) (store.Engineer, error) {
	e, err := s.reg.Engineer(ctx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && !e.Active() {
		return store.Engineer{}, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no active engineer named %.60s", name)
	}
	if err != nil {
		return store.Engineer{}, unavailable(err)
	}
	if err := s.record(ctx, audit.EngineerRevoked, by, name, nil); err != nil {
		return store.Engineer{}, err
	}
	e.Revoked = s.now().UTC().Truncate(time.Second)
	if err := s.reg.PutEngineer(ctx, e); err != nil {
		return store.Engineer{}, unavailable(err)
	}
	s.hub.engineerChanged(e)
	return e, nil
}

// clean makes text of strangers safe to show: printable, bounded.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			return -1
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}
