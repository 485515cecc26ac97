package relay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

// NamespaceSeal is that of the signature under the statement of a system that
// disabled remote access for good; core/policy/seal writes both.
const NamespaceSeal = "latchstring-seal"

// sealTitle begins such a statement.
const sealTitle = "Remote access was permanently disabled on this system."

// seal takes the goodbye of a system (REQ A9). Whoever holds the signed
// statement may present it: it can only ever take access away.
func (s *Server) seal(r *http.Request) (any, error) {
	var req api.SealRequest
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	id, bundles, err := readSeal(req.Statement)
	if err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	sys, err := s.reg.System(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no system %.40q", id)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	key, err := identity.ParseKey(sys.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := identity.Verify(key, NamespaceSeal, strings.NewReader(req.Statement), []byte(req.Signature)); err != nil {
		return nil, api.Errorf(http.StatusForbidden, api.CodeBadSignature, "the statement is not signed by system %s: %v", id, err)
	}
	if sys.Sealed == nil {
		if sys, err = s.putSealed(r.Context(), sys, api.Sealed{Statement: req.Statement, Signature: req.Signature, Bundles: bundles}); err != nil {
			return nil, err
		}
	}
	return api.SealResponse{System: sys.ID, At: sys.Sealed.At}, nil
}

// putSealed keeps the first seal, whoever else presents one or changes the record
// in this moment.
func (s *Server) putSealed(ctx context.Context, sys store.System, seal api.Sealed) (store.System, error) {
	detail := map[string]string{"name": sys.Name, "statement": clean(strings.ReplaceAll(seal.Statement, "\n", " | "), 2000)}
	if err := s.record(ctx, audit.SystemSealed, "system:"+sys.ID, sys.ID, detail); err != nil {
		return sys, err
	}
	seal.At = s.now().UTC().Truncate(time.Second)
	sys, err := s.reg.ChangeSystem(ctx, sys.ID, func(now *store.System, _ bool) error {
		if now.Sealed == nil {
			now.Sealed = &seal
		}
		return nil
	})
	if err != nil {
		return sys, unavailable(err)
	}
	s.hub.systemChanged(sys)
	return sys, nil
}

// readSeal finds whose statement it is, and whether it leaves bundles: a line
// "bundles: allowed".
func readSeal(text string) (system string, bundles bool, err error) {
	if !strings.HasPrefix(text, sealTitle) || len(text) > 32<<10 {
		return "", false, errors.New("this is not the statement of a system that disabled remote access")
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); name {
		case "system":
			if system != "" || !identity.ValidID(value) {
				return "", false, errors.New("the statement does not name one system")
			}
			system = value
		case "bundles":
			bundles = value == "allowed"
		}
	}
	if system == "" {
		return "", false, errors.New("the statement does not say which system it is of")
	}
	return system, bundles, nil
}
