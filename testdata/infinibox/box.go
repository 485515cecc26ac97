package infinibox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options describe an array. The zero value is a healthy one with the users
// of [DefaultUsers].
type Options struct {
	Name    string // "ibox-lab"
	Serial  int    // 4242
	Version string // "7.3.11.0"
	Users   []User
	// Visibility is how long an event stays unseen after it was created; on
	// a real array about ten seconds.
	Visibility time.Duration
	// SessionTTL ends idle logins. Zero means 20 minutes.
	SessionTTL time.Duration
	// Guard is the InfiniBox inside of an InfiniGuard: it knows the servers in
	// front of it. What it says of itself is no more than is published.
	Guard bool
	// OldFirmware knows no SUPPORT_* event codes.
	OldFirmware bool
	// SMTP is the host:port behind the target "infinidat-smtp".
	SMTP string
	Now  func() time.Time
}

// Box is the state of an array and its HTTP handler. Serve it on several
// addresses to get several nodes; see [Box.Node].
type Box struct {
	Knobs Knobs

	opts     Options
	mu       sync.Mutex
	sessions map[string]*session
	events   []Event
	sshOpen  bool
	mux      *http.ServeMux
	logins   atomic.Int64
}

// New makes an array.
func New(o Options) *Box {
	if o.Name == "" {
		o.Name = "ibox-lab"
		if o.Guard {
			o.Name = "iguard-lab"
		}
	}
	if o.Serial == 0 {
		o.Serial = 4242
	}
	if o.Version == "" {
		o.Version = "7.3.11.0"
	}
	if o.Users == nil {
		o.Users = DefaultUsers()
	}
	if o.SessionTTL == 0 {
		o.SessionTTL = 20 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Box{opts: o, sessions: map[string]*session{}}
	b.mux = b.routes()
	return b
}

// ServeHTTP answers as the first management node.
func (b *Box) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.Node(0).ServeHTTP(w, r) }

// Node is the array at its i-th management address.
func (b *Box) Node(i int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-INFINIDAT-VERSION", b.opts.Version)
		if b.Knobs.meddle(w, r, i) {
			return
		}
		b.mux.ServeHTTP(w, r)
	})
}

func (b *Box) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/rest/_features", b.features)
	mux.HandleFunc("POST /api/rest/users/login", b.login)
	mux.HandleFunc("POST /api/rest/users/logout", b.logout)
	mux.HandleFunc("GET /api/rest/users", b.admin(b.listUsers))
	if b.opts.Guard {
		mux.HandleFunc("GET /api/rest/integrations/infiniguard/dde_nodes", b.user(b.ddeNodes))
	} else {
		mux.HandleFunc("GET /api/rest/system", b.user(b.system))
	}
	mux.HandleFunc("GET /api/rest/system/name", b.user(func(w http.ResponseWriter, _ *http.Request, _ User) { ok(w, b.opts.Name) }))
	mux.HandleFunc("GET /api/rest/system/ready", func(w http.ResponseWriter, _ *http.Request) { ok(w, true) })
	mux.HandleFunc("GET /api/rest/system/health_state", b.user(func(w http.ResponseWriter, _ *http.Request, _ User) { ok(w, health) }))
	mux.HandleFunc("GET /api/rest/system/ssh", b.user(b.ssh))
	mux.HandleFunc("POST /api/rest/system/ssh/open", b.admin(b.setSSH(true)))
	mux.HandleFunc("POST /api/rest/system/ssh/close", b.admin(b.setSSH(false)))
	mux.HandleFunc("GET /api/rest/components/racks/1/support_appliances", b.user(b.appliances))
	mux.HandleFunc("GET /api/rest/components/racks/1/nodes", b.user(b.nodes))
	mux.HandleFunc("GET /api/rest/events", b.user(b.listEvents))
	mux.HandleFunc("POST /api/rest/events", b.user(b.postEvent))
	mux.HandleFunc("GET /api/rest/events/types", b.user(b.eventTypes))
	mux.HandleFunc("POST /api/rest/events/custom", b.user(b.postCustomEvent))
	mux.HandleFunc("GET /api/rest/notifications/targets", b.user(b.listTargets))
	mux.HandleFunc("POST /api/rest/notifications/targets/{id}/test", b.admin(b.testTarget))
	mux.HandleFunc("GET /api/rest/config/sso/idps", b.user(b.idps))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "API_NOT_FOUND", "no such resource: "+r.URL.Path) // code invented
	})
	return mux
}

func (b *Box) features(w http.ResponseWriter, _ *http.Request) {
	var list []map[string]any
	for _, name := range []string{"api_auth_sessions", "sso_authentication", "block_ssh", "local_users_auth", "user_roles_v1", "event_retention"} {
		list = append(list, map[string]any{"name": name, "version": 1, "experimental": false, "enabled": true})
	}
	ok(w, list)
}

// envelope is what every answer is wrapped in.
type envelope struct {
	Result   any            `json:"result"`
	Error    *apiError      `json:"error"`
	Metadata map[string]any `json:"metadata"`
}

type apiError struct {
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Reasons  []string `json:"reasons"`
	Severity string   `json:"severity"`
	IsRemote bool     `json:"is_remote"`
	Data     any      `json:"data"`
}

func ok(w http.ResponseWriter, result any) { page(w, result, nil) }

func page(w http.ResponseWriter, result any, metadata map[string]any) {
	m := map[string]any{"ready": true}
	for k, v := range metadata {
		m[k] = v
	}
	write(w, http.StatusOK, envelope{Result: result, Metadata: m})
}

func fail(w http.ResponseWriter, status int, code, message string) {
	write(w, status, envelope{
		Error:    &apiError{Code: code, Message: message, Reasons: []string{}, Severity: "ERROR"},
		Metadata: map[string]any{"ready": true},
	})
}

func write(w http.ResponseWriter, status int, e envelope) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(e); err != nil {
		panic(fmt.Sprintf("infinibox: encode answer: %v", err))
	}
}

// read decodes a JSON body of at most 100 kB, the array's own limit for custom
// events.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 100_000)).Decode(v); err != nil {
		fail(w, http.StatusBadRequest, "BAD_REQUEST", err.Error()) // code invented
		return false
	}
	return true
}
