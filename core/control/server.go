package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Server serves an [API] on a unix socket.
type Server struct {
	API API
	Log *slog.Logger
}

// Listen opens the socket at path, mode 0600. It takes the place of a socket
// that a dead agent left, and refuses while another agent lives: the lock
// beside the socket tells the two apart, and dies with its holder.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("control socket path %s is longer than %d bytes; use a shorter --root", path, maxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create directory of the control socket: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the control socket: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another agent serves %s; stop it first", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		lock.Close()
		return nil, fmt.Errorf("remove the old control socket: %w", err)
	}
	// Bound under a umask, so that there is no moment in which others could
	// connect. The process sets it nowhere else while it runs.
	old := unix.Umask(0o177)
	l, err := net.Listen("unix", path)
	unix.Umask(old)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	return &lockedListener{Listener: l, lock: lock}, nil
}

// OpenToUsers lets every local user reach the socket: its directory can be
// passed through, but not listed. What each may do is decided call by call.
func OpenToUsers(path string) error {
	if err := os.Chmod(filepath.Dir(path), 0o711); err != nil {
		return fmt.Errorf("open the control socket to local users: %w", err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return fmt.Errorf("open the control socket to local users: %w", err)
	}
	return nil
}

// maxSocketPath is what fits into sockaddr_un.sun_path with its final zero.
const maxSocketPath = 107

type lockedListener struct {
	net.Listener
	lock *os.File
}

func (l *lockedListener) Close() error {
	err := l.Listener.Close() // removes the socket
	// A child that was just forked may have the file, too, and the lock with it.
	unix.Flock(int(l.lock.Fd()), unix.LOCK_UN)
	l.lock.Close()
	return err
}

// Serve answers until ctx ends, then lets running requests finish for a
// moment.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler(),
		ConnContext:       withPeer,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(newDoor(l)) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the local API: %w", err)
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := srv.Shutdown(shutdown); err != nil {
		srv.Close()
	}
	<-done
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", answer(s, func(r *http.Request, by Caller) (any, error) { return s.API.Status(r.Context(), by) }))
	mux.HandleFunc("GET /v1/plugins", answer(s, func(r *http.Request, by Caller) (any, error) { return s.API.Plugins(r.Context(), by) }))
	mux.HandleFunc("GET /v1/plugins/{name}", answer(s, func(r *http.Request, by Caller) (any, error) {
		return s.API.DescribePlugin(r.Context(), by, r.PathValue("name"))
	}))
	mux.HandleFunc("POST /v1/reload", answer(s, func(r *http.Request, by Caller) (any, error) { return s.API.Reload(r.Context(), by) }))
	mux.HandleFunc("GET /v1/events", s.events)
	s.remote(mux)
	s.loginRoutes(mux)
	mux.HandleFunc("/", answer(s, func(r *http.Request, _ Caller) (any, error) {
		return nil, &Error{Message: fmt.Sprintf("the local API has no %s %s", r.Method, r.URL.Path), Code: 2, Status: http.StatusNotFound}
	}))
	return mux
}

// answer checks the caller, runs f and writes its answer or error as JSON.
func answer(s *Server, f func(*http.Request, Caller) (any, error)) http.HandlerFunc {
	return respond(s, s.admit, f)
}

func respond(s *Server, admit func(*http.Request) (Caller, error), f func(*http.Request, Caller) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		by, err := admit(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		v, err := f(r, by)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			s.Log.Debug("caller of the local API went away", "path", r.URL.Path, "err", err)
		}
	}
}

// identify finds the caller, as the kernel knows him.
func (s *Server) identify(r *http.Request) (Caller, error) {
	p, ok := r.Context().Value(callerKey{}).(peer)
	if !ok || p.err != nil {
		return Caller{}, &Error{Message: "the caller of the local API could not be identified", Code: 1, Status: http.StatusForbidden}
	}
	return p.caller, nil
}

// Admitter is an API that lets other local users do some things: what they have
// proved to be allows it. What is the method and the pattern of a request, as
// "POST /v1/session/on".
type Admitter interface {
	Admit(by Caller, what string) error
}

// admit finds the caller and turns strangers away.
func (s *Server) admit(r *http.Request) (Caller, error) {
	by, err := s.identify(r)
	if err != nil || by.Trusted() {
		return by, err
	}
	a, ok := s.API.(Admitter)
	if !ok {
		return Caller{}, forbidden(by)
	}
	if err := a.Admit(by, r.Pattern); err != nil {
		return Caller{}, err
	}
	return by, nil
}

// Forbidden is the error for a local user who may not do what he asks.
func Forbidden(by Caller) error { return forbidden(by) }

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	s.Log.Info("local API refused", "method", r.Method, "path", fmt.Sprintf("%.200s", r.URL.Path), "err", e.Message)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	json.NewEncoder(w).Encode(e)
}

// events streams events, one JSON object a line, until the caller goes away.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	stream(s, w, r, func(by Caller, fn func(Event) error) error { return s.API.Watch(r.Context(), by, fn) })
}

// stream sends what f tells, one JSON object a line. An error before the first
// one is answered as one; later the stream just ends.
func stream[T any](s *Server, w http.ResponseWriter, r *http.Request, f func(Caller, func(T) error) error) {
	by, err := s.admit(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rc := http.NewResponseController(w)
	enc := json.NewEncoder(w)
	var mu sync.Mutex
	begun := false
	begin := func() {
		mu.Lock()
		defer mu.Unlock()
		if !begun && r.Context().Err() == nil {
			begun = true
			w.Header().Set("Content-Type", "application/x-ndjson")
			w.WriteHeader(http.StatusOK)
			rc.Flush()
		}
	}
	// A stream with nothing to tell yet is open all the same.
	soon := time.AfterFunc(50*time.Millisecond, begin)
	err = f(by, func(v T) error {
		begin()
		mu.Lock()
		defer mu.Unlock()
		if err := enc.Encode(v); err != nil {
			return err
		}
		return rc.Flush()
	})
	soon.Stop()
	mu.Lock()
	defer mu.Unlock()
	switch {
	case err == nil && !begun:
		begun = true
		w.WriteHeader(http.StatusOK)
	case err != nil && r.Context().Err() == nil && !begun:
		begun = true
		s.fail(w, r, err)
	case err != nil && r.Context().Err() == nil:
		s.Log.Info("stream of the local API ended", "path", r.URL.Path, "err", err)
	}
	begun = true // a timer that fires late has nothing to do
}
