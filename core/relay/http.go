package relay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
)

// routes are the public API.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	json := func(pattern string, h func(*http.Request) (any, error)) {
		mux.Handle(pattern, s.bounded(jsonHandler(h)))
	}
	json("GET "+api.PathHealth, s.health)
	json("POST "+api.PathEnroll, s.enroll)
	json("POST "+api.PathChallenge, s.challenge)
	json("POST "+api.PathToken, s.login)
	json("GET "+api.PathSystems, s.listSystems)
	json("GET "+api.PathVendor, s.vendor)
	json("GET "+api.PathBundles, s.listBundles)
	json("GET "+api.PathUpload+"{id}/receipt", s.receipt)
	mux.HandleFunc("GET "+api.PathLink, s.hub.serveLink)
	mux.HandleFunc("GET "+api.PathCarry, s.hub.serveCarry)
	mux.HandleFunc("GET "+api.PathConnect, s.hub.serveConnect)
	mux.HandleFunc("GET "+api.PathTry, s.hub.serveTry)
	json("POST "+api.PathSeal, s.seal)
	json("GET "+api.PathRevoked, s.revocations)
	json("POST "+api.PathRevoked, s.publishRevocations)
	json("GET "+api.PathRecordings, s.listRecordings)
	json("GET "+api.PathRecording+"{connection}", s.showRecording)
	mux.HandleFunc("POST "+api.PathRecording+"{connection}/{n}", s.takeSegment)
	mux.HandleFunc("GET "+api.PathRecording+"{connection}/{n}", s.sendSegment)
	mux.HandleFunc("GET "+api.PathUpload+"{id}/content", s.content)
	s.intake.routes(mux)
	mux.Handle("/", s.bounded(jsonHandler(func(r *http.Request) (any, error) {
		return nil, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is nothing at %s %.100s", r.Method, r.URL.Path)
	})))
	return s.observe(mux)
}

// jsonHandler writes what h returns.
func jsonHandler(h func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := h(r)
		if err != nil {
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, v)
	})
}

// bounded gives a request a limit in time and in the size of its body.
func (s *Server) bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctl := http.NewResponseController(w)
		ctl.SetReadDeadline(time.Now().Add(requestTimeout))
		ctl.SetWriteDeadline(time.Now().Add(2 * requestTimeout))
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

func writeError(w http.ResponseWriter, err error) {
	e := asError(err)
	if rec := recorderOf(w); rec != nil && e.Code == api.CodeInternal {
		rec.text = []byte(err.Error()) // for the log; the client is told less
	}
	if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
		wait := 10 * time.Second
		if e.RetryAfter > 0 {
			wait = e.RetryAfter
		}
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	writeJSON(w, e.Status, e)
}

// asError makes an answer of any error. What is not meant for clients says no
// more than that.
func asError(err error) *api.Error {
	if err == nil {
		return &api.Error{}
	}
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	return &api.Error{Status: http.StatusInternalServerError, Code: api.CodeInternal, Message: "the relay failed; its log says why"}
}

// readJSON reads the body of a request strictly.
func readJSON(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return api.Errorf(http.StatusRequestEntityTooLarge, api.CodeBadRequest, "the request has more than %d bytes", big.Limit)
		}
		return api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "read request: %v", err)
	}
	return nil
}

func (s *Server) health(*http.Request) (any, error) {
	return api.Health{Status: "ok", Name: s.relay.Config.Name, Version: api.Version, Time: s.now().UTC()}, nil
}

// observe logs and counts each request.
func (s *Server) observe(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		start := time.Now()
		who := new(string)
		if err := s.crowd(r); err != nil {
			w.Header().Set("Connection", "close")
			s.hub.refuse(rec, err)
		} else {
			h.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), whoKey{}, who)))
		}
		s.metrics.request(rec.status)
		level := slog.LevelInfo
		switch {
		case rec.status == http.StatusServiceUnavailable && s.hub.going() != nil: // as it should be
		case rec.status >= 500:
			level = slog.LevelError
		}
		s.log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status", rec.status,
			"who", *who, "remote", r.RemoteAddr, "ms", time.Since(start).Milliseconds(), "error", rec.reason())
	})
}

// crowd refuses an address that asks for too much.
func (s *Server) crowd(r *http.Request) error {
	if s.gate.full(r) {
		return busy(30*time.Second, "too many connections are open from %s; the limit is %d", hostOf(r.RemoteAddr), s.gate.perSource)
	}
	if wait := s.sourceRate.take(sourceOf(r.RemoteAddr).String()); wait > 0 {
		return busy(max(wait, time.Second), "too many requests from %s", hostOf(r.RemoteAddr))
	}
	return nil
}

// whoKey is where the log line learns who it was.
type whoKey struct{}

// recorder remembers the status, and the beginning of an error's text.
type recorder struct {
	http.ResponseWriter
	status int
	text   []byte
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status >= 400 && len(r.text) == 0 {
		r.text = append(r.text, b[:min(len(b), 300)]...)
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) reason() string {
	var e api.Error
	if json.Unmarshal(r.text, &e) == nil && e.Message != "" {
		return e.Message
	}
	return string(r.text)
}

// recorderOf finds the recorder below other wrappers.
func recorderOf(w http.ResponseWriter) *recorder {
	for {
		switch v := w.(type) {
		case *recorder:
			return v
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return nil
		}
	}
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
