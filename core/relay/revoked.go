package relay

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/revoke"
)

// revocations gives the list of revoked certificates to systems and engineers.
// It is signed: the relay only carries it.
func (s *Server) revocations(r *http.Request) (any, error) {
	if _, err := s.principal(r); err != nil {
		return nil, err
	}
	return s.revocationsKept(r)
}

func (s *Server) revocationsKept(r *http.Request) (any, error) {
	raw, _, err := s.reg.Revocations(r.Context())
	if err != nil {
		return nil, unavailable(err)
	}
	return api.Revocations{List: string(raw)}, nil
}

// publishRevocations takes a new list from an engineer. Who he is matters only to
// the event log: what counts is the signature of the support CA.
func (s *Server) publishRevocations(r *http.Request) (any, error) {
	p, err := s.principal(r)
	if err != nil {
		return nil, err
	}
	if p.kind != api.KindEngineer {
		return nil, api.Errorf(http.StatusForbidden, api.CodeForbidden, "only engineers may do this")
	}
	return s.takeRevocations(r, p.String())
}

func (s *Server) takeRevocations(r *http.Request, by string) (any, error) {
	var req api.Revocations
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	ca, err := identity.ParseKey(s.relay.Config.SupportCA)
	if err != nil {
		return nil, api.Errorf(http.StatusConflict, api.CodeBadRequest, "this relay knows no support CA: %v", err)
	}
	list, err := revoke.Parse([]byte(req.List), ca)
	if err != nil {
		return nil, api.Errorf(http.StatusForbidden, api.CodeBadSignature, "%v", err)
	}
	for range 3 { // another one may be published at the same moment
		have, revision, err := s.reg.Revocations(r.Context())
		if err != nil {
			return nil, unavailable(err)
		}
		if string(have) == req.List {
			return api.Revocations{List: req.List}, nil
		}
		if old, err := revoke.Parse(have, ca); err == nil && old.Number >= list.Number {
			return nil, api.Errorf(http.StatusConflict, api.CodeBadRequest, "list %d of revoked certificates is there already, and this is %d", old.Number, list.Number)
		}
		if err := s.record(r.Context(), audit.RevocationsPublished, by, strconv.FormatUint(list.Number, 10), map[string]string{
			"entries": strconv.Itoa(len(list.Revoked)), "issued": list.Issued.Format("2006-01-02T15:04:05Z07:00"),
		}); err != nil {
			return nil, err
		}
		err = s.reg.PutRevocations(r.Context(), []byte(req.List), revision)
		if err == nil {
			s.hub.readRevoked(r.Context())
			return api.Revocations{List: req.List}, nil
		}
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrExists) {
			return nil, unavailable(err)
		}
	}
	return nil, api.Errorf(http.StatusConflict, api.CodeBadRequest, "lists of revoked certificates are being published; try again")
}

// readRevoked notes the number of the list, which systems are told.
func (h *hub) readRevoked(ctx context.Context) {
	ca, err := identity.ParseKey(h.srv.relay.Config.SupportCA)
	if err != nil {
		return // then there is none
	}
	raw, _, err := h.srv.reg.Revocations(ctx)
	if err != nil || raw == nil {
		return
	}
	if list, err := revoke.Parse(raw, ca); err == nil {
		h.revoked.Store(list.Number)
	}
}
