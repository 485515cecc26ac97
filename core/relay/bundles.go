package relay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

// vendor gives engineers what systems have pinned: the key of receipts, too.
func (s *Server) vendor(r *http.Request) (any, error) {
	p, err := s.principal(r)
	if err != nil {
		return nil, err
	}
	if p.kind != api.KindEngineer {
		return nil, api.Errorf(http.StatusForbidden, api.CodeForbidden, "only engineers may do this; a system got its record when it enrolled")
	}
	return s.relay.Vendor(""), nil
}

// listSystems is for engineers of any role. Whom they do not reach, they do not
// see.
func (s *Server) listSystems(r *http.Request) (any, error) {
	p, err := s.principal(r)
	if err != nil {
		return nil, err
	}
	if p.kind != api.KindEngineer {
		return nil, api.Errorf(http.StatusForbidden, api.CodeForbidden, "only engineers may do this, not systems")
	}
	list, err := s.reg.Systems(r.Context())
	if err != nil {
		return nil, unavailable(err)
	}
	out := []api.System{}
	for _, sys := range match(list, r.URL.Query().Get("q")) {
		if !sys.Retired && p.engineer.Reaches(sys) {
			out = append(out, sys)
		}
	}
	return api.SystemList{Systems: out}, s.hub.withSessions(r.Context(), out)
}

// match keeps the systems whose name, serial number, host name or id holds q.
func match(list []store.System, q string) []store.System {
	if q = strings.ToLower(q); q == "" {
		return list
	}
	return slices.DeleteFunc(list, func(sys store.System) bool {
		return !strings.Contains(strings.ToLower(sys.Name+" "+sys.Serial+" "+sys.Hostname+" "+sys.ID), q)
	})
}

// reached are the ids of the systems that an engineer reaches, or nil for all.
func (s *Server) reached(ctx context.Context, e store.Engineer) (map[string]bool, error) {
	if len(e.Groups) == 0 {
		return nil, nil
	}
	list, err := s.reg.Systems(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	out := map[string]bool{}
	for _, sys := range list {
		if e.Reaches(sys) {
			out[sys.ID] = true
		}
	}
	return out, nil
}

// reaches is reached for one system.
func (s *Server) reaches(ctx context.Context, e store.Engineer, system string) (bool, error) {
	if len(e.Groups) == 0 {
		return true, nil
	}
	sys, err := s.reg.System(ctx, system)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, unavailable(err)
	}
	return err == nil && e.Reaches(sys), nil
}

func (s *Server) listBundles(r *http.Request) (any, error) {
	e, err := s.engineer(r, store.RoleBundles)
	if err != nil {
		return nil, err
	}
	reached, err := s.reached(r.Context(), e)
	if err != nil {
		return nil, err
	}
	list, err := s.reg.Bundles(r.Context())
	if err != nil {
		return nil, unavailable(err)
	}
	want := r.URL.Query().Get("system")
	out := []api.Bundle{}
	for _, b := range list {
		if (want == "" || b.System == want || b.SystemName == want) && (reached == nil || reached[b.System]) {
			out = append(out, b)
		}
	}
	return api.BundleList{Bundles: out}, nil
}

// receipt is for the system that sent the bundle, and for engineers.
func (s *Server) receipt(r *http.Request) (any, error) {
	p, err := s.principal(r)
	if err != nil {
		return nil, err
	}
	if p.kind == api.KindEngineer && !p.engineer.May(store.RoleBundles) {
		return nil, api.Errorf(http.StatusForbidden, api.CodeForbidden, "engineer %s does not have the role %q", p.engineer.Name, store.RoleBundles)
	}
	b, err := s.bundle(r)
	if p.kind == api.KindSystem && asError(err).Code == api.CodeNotFound {
		b, err = s.intake.retry(r.Context(), p.system, r.PathValue("id"))
	}
	if err != nil {
		return nil, err
	}
	if p.kind == api.KindSystem && b.System != p.system.ID {
		return nil, noBundle(b.ID)
	}
	if p.kind == api.KindEngineer {
		if ok, err := s.reaches(r.Context(), p.engineer, b.System); err != nil || !ok {
			return nil, errors.Join(err, noBundle(b.ID))
		}
	}
	return b.Receipt, nil
}

func noBundle(id string) error {
	return api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no bundle %.40q", id)
}

func (s *Server) bundle(r *http.Request) (store.Bundle, error) {
	id := r.PathValue("id")
	if !api.ValidBundleID(id) {
		return store.Bundle{}, noBundle(id)
	}
	b, err := s.reg.Bundle(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Bundle{}, noBundle(id)
	}
	if err != nil {
		return store.Bundle{}, unavailable(err)
	}
	return b, nil
}

// content sends the bytes of a bundle to an engineer. Ranges are served, so
// that a fetch can be resumed; what is recorded is that one began.
func (s *Server) content(w http.ResponseWriter, r *http.Request) {
	e, err := s.engineer(r, store.RoleBundles)
	if err != nil {
		writeError(w, err)
		return
	}
	b, err := s.bundle(r)
	if err == nil {
		var ok bool
		if ok, err = s.reaches(r.Context(), e, b.System); err == nil && !ok {
			err = noBundle(b.ID)
		}
	}
	if err != nil {
		writeError(w, err)
		return
	}
	f, size, err := s.blobs.Open(r.Context(), b.ID)
	if err != nil || size != b.Size {
		if f != nil {
			f.Close()
		}
		s.log.Error("bundle is damaged", "bundle", b.ID, "bytes", size, "recorded", b.Size, "error", err)
		msg := "its bytes are not as they were received"
		if errors.Is(err, fs.ErrNotExist) {
			msg = "its bytes are missing"
		}
		writeError(w, api.Errorf(http.StatusInternalServerError, api.CodeInternal, "bundle %s is damaged on the relay: %s", b.ID, msg))
		return
	}
	defer f.Close()
	if rng := r.Header.Get("Range"); rng == "" || strings.HasPrefix(rng, "bytes=0-") {
		if err := s.record(r.Context(), audit.BundleFetched, "engineer:"+e.Name, b.ID, map[string]string{"system": b.System}); err != nil {
			writeError(w, err)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("ETag", fmt.Sprintf("%q", b.SHA256))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": b.Filename}))
	ctl := http.NewResponseController(w)
	http.ServeContent(&unstalled{ResponseWriter: w, ctl: ctl, stall: s.intake.stall}, r, "", time.Time{}, f)
}

// unstalled extends the deadline of a response as long as bytes go out.
type unstalled struct {
	http.ResponseWriter
	ctl   *http.ResponseController
	stall time.Duration
}

func (u *unstalled) Write(b []byte) (int, error) {
	u.ctl.SetWriteDeadline(time.Now().Add(u.stall))
	return u.ResponseWriter.Write(b)
}
