package control

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Bounds of logins under way.
const (
	maxLogins    = 16
	maxLoginsOne = 2       // of one user
	maxAnswers   = 1 << 20 // bytes
)

// turn is one line of the stream of a login: what the user sees or is asked, and
// in the end the ticket.
type turn struct {
	Login  string  `json:"login,omitempty"` // the name under which answers are sent; in the first line
	Show   *Notice `json:"show,omitempty"`
	Ask    []Field `json:"ask,omitempty"`
	Ticket *Ticket `json:"ticket,omitempty"`
	Error  *Error  `json:"error,omitempty"`
}

// reply is what the user answers.
type reply struct {
	Values    map[string][]byte `json:"values,omitempty"`
	Cancelled bool              `json:"cancelled,omitempty"`
}

// open is a login under way.
type open struct {
	uid     uint32
	replies chan reply
}

// logins are those under way.
type logins struct {
	mu   sync.Mutex
	all  map[string]*open
	last map[uint32]time.Time // when a user began one
}

// pause is between two logins of one user: each of them is in the audit log,
// which nobody who may log in should be able to fill.
const pause = time.Second

func (l *logins) begin(uid uint32) (string, *open, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, o := range l.all {
		if o.uid == uid {
			n++
		}
	}
	// Root is not kept out by others.
	if uid != 0 && (len(l.all) >= maxLogins || n >= maxLoginsOne || time.Since(l.last[uid]) < pause) {
		return "", nil, &Error{Message: "too many logins at once", Help: "wait a moment; end those that are under way", Code: 1, Status: http.StatusTooManyRequests}
	}
	if l.all == nil {
		l.all = map[string]*open{}
	}
	if l.last == nil || len(l.last) > 1000 {
		l.last = map[uint32]time.Time{}
	}
	l.last[uid] = time.Now()
	id, o := rand.Text(), &open{uid, make(chan reply)}
	l.all[id] = o
	return id, o, nil
}

func (l *logins) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, id)
}

func (l *logins) find(id string, uid uint32) *open {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o := l.all[id]; o != nil && o.uid == uid {
		return o
	}
	return nil
}

// loginRoutes are open to every local user.
func (s *Server) loginRoutes(mux *http.ServeMux) {
	api, ok := s.API.(Logins)
	if !ok {
		return
	}
	under := new(logins)
	mux.HandleFunc("POST /v1/login", func(w http.ResponseWriter, r *http.Request) { s.login(w, r, api, under) })
	mux.HandleFunc("POST /v1/login/{id}", anybody(s, func(r *http.Request, by Caller) (any, error) { return answerLogin(r, by, under) }))
	mux.HandleFunc("DELETE /v1/login", anybody(s, func(r *http.Request, by Caller) (any, error) { return api.Logout(r.Context(), by) }))
	mux.HandleFunc("GET /v1/login", anybody(s, func(r *http.Request, by Caller) (any, error) { return api.WhoAmI(r.Context(), by) }))
	mux.HandleFunc("GET /v1/login/methods", anybody(s, func(r *http.Request, by Caller) (any, error) { return api.LoginMethods(r.Context(), by) }))
	mux.HandleFunc("GET /v1/consents", anybody(s, func(r *http.Request, by Caller) (any, error) { return api.WaitingLogins(r.Context(), by) }))
	mux.HandleFunc("POST /v1/consents", anybody(s, func(r *http.Request, by Caller) (any, error) {
		var c Confirmation
		if err := small(r, &c); err != nil {
			return nil, err
		}
		return api.ConfirmLogin(r.Context(), by, c)
	}))
}

// anybody answers every local user.
func anybody(s *Server, f func(*http.Request, Caller) (any, error)) http.HandlerFunc {
	return respond(s, s.identify, f)
}

// small reads a request of a stranger.
func small(r *http.Request, v any) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, 4<<10))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return &Error{Message: "the request cannot be read", Code: 2, Status: http.StatusBadRequest}
	}
	return nil
}

// login streams what a login shows and asks.
func (s *Server) login(w http.ResponseWriter, r *http.Request, api Logins, under *logins) {
	by, err := s.identify(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var req LoginRequest
	if err := small(r, &req); err != nil {
		s.fail(w, r, err)
		return
	}
	id, o, err := under.begin(by.UID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer under.end(id)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w.Header().Set("Content-Type", "application/x-ndjson")
	rc, enc := http.NewResponseController(w), json.NewEncoder(w)
	var mu sync.Mutex
	send := func(t turn) error {
		mu.Lock()
		defer mu.Unlock()
		if err := enc.Encode(t); err != nil {
			return err
		}
		return rc.Flush()
	}
	if send(turn{Login: id}) != nil {
		return
	}
	ticket, err := api.Login(ctx, by, req, &remoteUser{o, send})
	if err != nil {
		e := asError(err)
		s.Log.Info("login refused", "uid", by.UID, "method", req.Method, "err", e.Message)
		send(turn{Error: e})
		return
	}
	send(turn{Ticket: &ticket})
}

// remoteUser is a user at the other end of the socket.
type remoteUser struct {
	open *open
	send func(turn) error
}

func (u *remoteUser) Show(_ context.Context, n Notice) error { return u.send(turn{Show: &n}) }

var errGaveUp = errors.New("the user gave up")

func (u *remoteUser) Ask(ctx context.Context, fields []Field) (map[string][]byte, error) {
	if err := u.send(turn{Ask: fields}); err != nil {
		return nil, err
	}
	select {
	case r := <-u.open.replies:
		if r.Cancelled {
			return nil, errGaveUp
		}
		return r.Values, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the user: %w", context.Cause(ctx))
	}
}

// answerLogin hands answers to a login that asked. Its name is no secret that
// would let anybody else answer: the kernel says who does.
func answerLogin(r *http.Request, by Caller, under *logins) (any, error) {
	o := under.find(r.PathValue("id"), by.UID)
	if o == nil {
		return nil, &Error{Message: "no login of yours asks anything", Code: 1, Status: http.StatusNotFound}
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxAnswers))
	defer clear(b)
	var a reply
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil { // what json says may quote an answer
		return nil, &Error{Message: "the answers cannot be read", Code: 2, Status: http.StatusBadRequest}
	}
	select {
	case o.replies <- a:
		return struct{}{}, nil
	case <-r.Context().Done():
		for _, v := range a.Values {
			clear(v)
		}
		return nil, context.Cause(r.Context())
	}
}
