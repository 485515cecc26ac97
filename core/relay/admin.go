package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

// NewTokenRequest asks for an enrolment token.
type NewTokenRequest struct {
	System  string        `json:"system"`
	Serial  string        `json:"serial,omitempty"`
	Valid   time.Duration `json:"valid"`
	Replace bool          `json:"replace"`
}

// NewTokenResponse holds the text of the token, which is not kept.
type NewTokenResponse struct {
	Token   string    `json:"token"`
	System  string    `json:"system"`
	Expires time.Time `json:"expires"`
}

// AddEngineerRequest lets an engineer in.
type AddEngineerRequest struct {
	Name   string   `json:"name"`
	Key    string   `json:"key"`
	Roles  []string `json:"roles"`
	Groups []string `json:"groups,omitempty"` // of systems; none: all systems
}

// EngineerList answers with all engineers, and what they need to log in.
type EngineerList struct {
	Engineers []store.Engineer `json:"engineers"`
	Address   string           `json:"address"`
	Pin       string           `json:"pin"`
}

// actorKey is where a request on the local socket has who it is from.
type actorKey struct{}

// WithActor says on whose behalf the requests of ctx are.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// LocalActor names the user of this process, or the one with that id.
func LocalActor(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return fmt.Sprintf("uid:%d(%s)", uid, u.Username)
	}
	return fmt.Sprintf("uid:%d", uid)
}

func actor(r *http.Request) string {
	if a, ok := r.Context().Value(actorKey{}).(string); ok {
		return a
	}
	return "local"
}

// Admin is the API of the local socket. It does not ask who calls: the socket
// does.
func (s *Server) Admin() http.Handler { return s.admin }

func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	json := func(pattern string, h func(*http.Request) (any, error)) {
		mux.Handle(pattern, jsonHandler(h))
	}
	json("POST /admin/tokens", s.adminNewToken)
	json("GET /admin/systems", func(r *http.Request) (any, error) {
		list, err := s.reg.Systems(r.Context())
		if err == nil {
			list = match(list, r.URL.Query().Get("q"))
			err = s.hub.withSessions(r.Context(), list)
		}
		return api.SystemList{Systems: list}, err
	})
	json("GET /admin/systems/{id}", s.adminSystem)
	json("POST /admin/systems/{id}/retire", s.adminRetire)
	json("POST /admin/systems/{id}/groups", s.adminGroups)
	json("POST /admin/systems/{id}/serial", s.adminSerial)
	json("POST /admin/seal", s.seal)
	json("GET /admin/revocations", s.revocationsKept)
	json("POST /admin/revocations", func(r *http.Request) (any, error) { return s.takeRevocations(r, actor(r)) })
	json("GET /admin/nodes", s.nodes)
	json("GET /admin/recordings", s.adminRecordings)
	json("GET /admin/recordings/{system}/{connection}", s.adminRecording)
	mux.HandleFunc("GET /admin/recordings/{system}/{connection}/{n}", s.adminSegment)
	json("GET /admin/engineers", func(r *http.Request) (any, error) {
		list, err := s.reg.Engineers(r.Context())
		return EngineerList{Engineers: list, Address: s.relay.Config.Address, Pin: s.relay.Pin().String()}, err
	})
	json("POST /admin/engineers", func(r *http.Request) (any, error) {
		var req AddEngineerRequest
		if err := readJSON(r, &req); err != nil {
			return nil, err
		}
		return s.addEngineer(r.Context(), req, actor(r))
	})
	json("POST /admin/engineers/{name}/revoke", func(r *http.Request) (any, error) {
		return s.revokeEngineer(r.Context(), r.PathValue("name"), actor(r))
	})
	json("GET /admin/bundles", func(r *http.Request) (any, error) {
		list, err := s.reg.Bundles(r.Context())
		return api.BundleList{Bundles: list}, err
	})
	json("POST /admin/bundles", func(r *http.Request) (any, error) {
		q := r.URL.Query()
		return s.importBundle(r.Context(), r.Body, q.Get("filename"), q.Get("system"), actor(r))
	})
	mux.HandleFunc("GET /admin/audit", s.adminAudit)
	mux.Handle("GET /metrics", s.metrics.handler())
	return mux
}

func (s *Server) adminNewToken(r *http.Request) (any, error) {
	var req NewTokenRequest
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	text, tok, err := s.newToken(r.Context(), req, actor(r))
	if err != nil {
		return nil, err
	}
	return NewTokenResponse{Token: text.String(), System: tok.System, Expires: tok.Expires}, nil
}

// oneSystem finds a system by id or name, the one of a name that is active.
func (s *Server) oneSystem(r *http.Request) (store.System, error) {
	id := r.PathValue("id")
	sys, err := s.reg.System(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		sys, err = s.reg.Active(r.Context(), id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return sys, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no active system %.63q", id)
	}
	if err != nil {
		return sys, unavailable(err)
	}
	return sys, nil
}

func (s *Server) adminSystem(r *http.Request) (any, error) {
	sys, err := s.oneSystem(r)
	if err != nil {
		return nil, err
	}
	one := []store.System{sys}
	return &one[0], s.hub.withSessions(r.Context(), one)
}

func (s *Server) adminRetire(r *http.Request) (any, error) {
	sys, err := s.oneSystem(r)
	if err == nil && sys.Retired {
		err = api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no active system %.63q", r.PathValue("id"))
	}
	if err != nil {
		return nil, err
	}
	return sys, s.retire(r.Context(), sys, actor(r))
}

// GroupsRequest says which groups a system is in from now on.
type GroupsRequest struct {
	Groups []string `json:"groups"`
}

func (s *Server) adminGroups(r *http.Request) (any, error) {
	var req GroupsRequest
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	groups, err := store.CheckGroups(req.Groups)
	if err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	sys, err := s.oneSystem(r)
	if err != nil {
		return nil, err
	}
	detail := map[string]string{"name": sys.Name, "groups": strings.Join(groups, ","), "before": strings.Join(sys.Groups, ",")}
	if err := s.record(r.Context(), audit.SystemGrouped, actor(r), sys.ID, detail); err != nil {
		return nil, err
	}
	sys, err = s.reg.ChangeSystem(r.Context(), sys.ID, func(now *store.System, _ bool) error {
		now.Groups = groups
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	s.hub.systemChanged(sys)
	return sys, nil
}

// SerialRequest says the serial number of a system; empty: it has none.
type SerialRequest struct {
	Serial string `json:"serial"`
}

func (s *Server) adminSerial(r *http.Request) (any, error) {
	var req SerialRequest
	if err := readJSON(r, &req); err != nil {
		return nil, err
	}
	if err := store.CheckSerial(req.Serial); err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	sys, err := s.oneSystem(r)
	if err != nil {
		return nil, err
	}
	detail := map[string]string{"name": sys.Name, "serial": req.Serial, "before": sys.Serial}
	if err := s.record(r.Context(), audit.SystemNumbered, actor(r), sys.ID, detail); err != nil {
		return nil, err
	}
	sys, err = s.reg.ChangeSystem(r.Context(), sys.ID, func(now *store.System, _ bool) error {
		now.Serial = req.Serial
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return sys, nil
}

// adminAudit writes the records one a line, as core/audit writes them; a break
// in the chain ends it with an error object.
func (s *Server) adminAudit(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(w)
	for rec, err := range s.events.Read(r.Context()) {
		if err != nil {
			enc.Encode(asAuditError(err))
			return
		}
		if enc.Encode(rec) != nil {
			return
		}
	}
}

func asAuditError(err error) *api.Error {
	return &api.Error{Code: api.CodeInternal, Message: err.Error()}
}

// ServeAdmin serves [Server.Admin] on a unix socket at path until ctx ends, for
// root and the user of this process.
func (s *Server) ServeAdmin(ctx context.Context, path string) error {
	ln, err := listenPrivate(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	srv := &http.Server{
		ReadHeaderTimeout: patience, MaxHeaderBytes: maxHeader,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			uid, err := peer(c)
			if err != nil || uid != 0 && uid != os.Geteuid() {
				return ctx
			}
			return WithActor(ctx, LocalActor(uid))
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Context().Value(actorKey{}) == nil {
				writeError(w, api.Errorf(http.StatusForbidden, api.CodeForbidden, "only root and the user of the relay may administer it"))
				return
			}
			s.admin.ServeHTTP(w, r)
		}),
	}
	return serve(ctx, srv, ln, func() {})
}

// listenPrivate listens on a unix socket that is there with its mode, or not at
// all: whoever finds it can rely on both.
func listenPrivate(path string) (*net.UnixListener, error) {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace socket: %w", err)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	ln.SetUnlinkOnClose(false) // that name is gone
	if err := errors.Join(os.Chmod(fresh, 0o600), os.Rename(fresh, path)); err != nil {
		ln.Close()
		os.Remove(fresh)
		return nil, fmt.Errorf("protect socket: %w", err)
	}
	return ln, nil
}

// peer asks the kernel who is at the other end.
func peer(c net.Conn) (int, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if credErr != nil {
		return 0, credErr
	}
	return int(cred.Uid), nil
}
