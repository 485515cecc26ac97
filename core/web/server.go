package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// Options are what a [Server] is made of.
type Options struct {
	API     control.Service
	Log     *slog.Logger
	Name    string // of the machine, for titles
	Product string // of the array, for labels: "InfiniBox or InfiniGuard"

	// Certificate is that of the server, asked for at each connection.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Peer finds the process at the other end of a connection from this machine;
	// nil: [control.LocalPeer].
	Peer func(net.Conn) (uid uint32, pid int32, local bool)
	Now  func() time.Time // for tests
}

// Server serves the pages.
type Server struct {
	opts     Options
	api      control.Service
	sessions *sessions
	pace     *pace
	reading  chan struct{} // recordings that are read at once
	streams  chan struct{}
	handler  http.Handler
}

// maxStreams bounds the pages that are live at once.
const maxStreams = 64

// New makes the server.
func New(o Options) (*Server, error) {
	if o.API == nil || o.Certificate == nil {
		return nil, errors.New("web: the API and a certificate are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Peer == nil {
		o.Peer = control.LocalPeer
	}
	if o.Product == "" {
		o.Product = "InfiniBox or InfiniGuard"
	}
	s := &Server{opts: o, api: control.Guarded(o.API), pace: newPace(o.Now), streams: make(chan struct{}, maxStreams), reading: make(chan struct{}, maxReading)}
	s.sessions = newSessions(o.Now, s.forget)
	s.handler = s.protect(s.routes())
	return s, nil
}

// Handler is the pages, for whoever serves them himself.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{file}", static)
	mux.HandleFunc("GET /favicon.ico", static)

	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.logIn)
	mux.HandleFunc("POST /login/start", s.startLogin)
	mux.HandleFunc("POST /login/answer", s.answerLogin)
	mux.HandleFunc("POST /login/cancel", s.cancelLogin)
	mux.HandleFunc("GET "+callbackPath, s.callback)
	mux.HandleFunc("POST "+callbackPath, s.foreignCallback)
	mux.HandleFunc("POST /login/sso/return", s.returned)
	mux.HandleFunc("POST /logout", s.logOut)

	mux.HandleFunc("GET /{$}", s.user(s.home))
	mux.HandleFunc("GET /state", s.user(s.state))
	mux.HandleFunc("GET /events", s.user(s.events))
	mux.HandleFunc("POST /session/on", s.user(s.on))
	mux.HandleFunc("POST /session/test", s.user(s.test))
	mux.HandleFunc("POST /session/off", s.user(s.off))
	mux.HandleFunc("POST /session/extend", s.user(s.extend))
	mux.HandleFunc("POST /session/secret", s.user(s.secret))
	mux.HandleFunc("POST /connections/{id}/{verb}", s.user(s.connection))

	mux.HandleFunc("GET /certificates", s.user(s.certificates))
	mux.HandleFunc("GET /certificates/{tab}", s.user(s.certificates))
	mux.HandleFunc("GET /certificates/anew", s.user(s.anew))
	mux.HandleFunc("POST /certificates/"+tabUpload, s.user(s.uploadCertificate))
	mux.HandleFunc("POST /certificates/"+tabRequest, s.user(s.requestCertificate))
	mux.HandleFunc("POST /certificates/"+tabSelf, s.user(s.selfSign))
	mux.HandleFunc("GET /certificates/"+requestFile, s.user(s.downloadRequest))
	mux.HandleFunc("POST /certificates/"+keyFile, s.user(s.downloadKey))
	mux.HandleFunc("GET /recordings", s.user(s.recordings))
	mux.HandleFunc("POST /recordings/key", s.user(s.giveKey))
	mux.HandleFunc("GET /recordings/{id}", s.user(s.recording))
	mux.HandleFunc("GET /recordings/{id}/{what}", s.user(s.readRecording))
	mux.HandleFunc("GET /reload", s.user(s.askReload))
	mux.HandleFunc("POST /reload", s.user(s.reload))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, "There is no such page.")
	})
	return mux
}

// policy is what a page may load and do (Content Security Policy Level 3).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect wraps all pages.
func (s *Server) protect(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	// The provider of a single sign-on posts from its own pages. What it posts
	// changes nothing: our page carries it on.
	cross.AddInsecureBypassPattern("POST " + callbackPath)
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.opts.Log.Warn("request from another site refused", "path", short(r.URL.Path), "origin", short(r.Header.Get("Origin")), "from", address(r))
		s.fail(w, r, http.StatusForbidden, "This request came from another site, and was refused.")
	}))
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Strict-Transport-Security", s.secureOnly())
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slowest)) //nolint:errcheck // a recorder in tests has none
		most := int64(maxBody)
		if r.URL.Path == "/certificates/"+tabUpload || r.URL.Path == "/recordings/key" {
			most = maxWrongFile
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		inner.ServeHTTP(w, r)
	})
}

// secureOnly is for how long browsers are to accept no certificate here that they
// do not trust (HSTS, RFC 6797): not at all where it is self-signed, so that one
// who trusted the old certificate can see the new one; and for a day otherwise,
// so that one which has expired locks nobody out for long.
func (s *Server) secureOnly() string {
	c, err := s.opts.Certificate(&tls.ClientHelloInfo{})
	if err == nil && c.Leaf != nil && bytes.Equal(c.Leaf.RawIssuer, c.Leaf.RawSubject) {
		return "max-age=0"
	}
	return "max-age=86400"
}

const (
	maxBody = 1 << 20         // the answer of an identity provider; all else is short
	slowest = 5 * time.Minute // an array with several addresses that do not answer
)

type peerKey struct{}

type peer struct {
	uid uint32
	pid int32
}

// Serve answers on l until ctx ends. l is not yet TLS.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.handler,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			uid, pid, _ := s.opts.Peer(c)
			return context.WithValue(ctx, peerKey{}, peer{uid, pid})
		},
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       slowest, // a handler that takes its time would be cut with its request
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.opts.Certificate, NextProtos: []string{"h2", "http/1.1"}},
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
	sweeping, stop := context.WithCancel(ctx)
	defer stop()
	go s.sessions.sweepEvery(sweeping, time.Minute)
	defer s.sessions.endAll()
	return serve(ctx, srv, func() error { return srv.ServeTLS(newDoor(l), "", "") })
}

// Redirect sends every request, whatever its method and path, to the pages at
// port (REQ A13). It answers nothing else.
func Redirect(ctx context.Context, l net.Listener, port string, log *slog.Logger) error {
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, _, err := net.SplitHostPort(r.Host)
			if err != nil {
				host = strings.Trim(r.Host, "[]")
			}
			if !plainHost(host) {
				http.Error(w, "the request names no host", http.StatusBadRequest)
				return
			}
			to := "https://" + net.JoinHostPort(host, port)
			if r.URL.Path != "" && strings.HasPrefix(r.URL.Path, "/") {
				to += r.URL.EscapedPath()
			}
			if r.URL.RawQuery != "" {
				to += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", to)
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusPermanentRedirect)
		}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return serve(ctx, srv, func() error { return srv.Serve(newDoor(l)) })
}

// plainHost reports whether a host can stand in an address: no tricks that
// would lead elsewhere.
func plainHost(h string) bool {
	return h != "" && len(h) <= 253 && !strings.ContainsFunc(h, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._:", c))
	})
}

func serve(ctx context.Context, srv *http.Server, run func() error) error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the web pages: %w", err)
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if srv.Shutdown(shutdown) != nil {
		srv.Close()
	}
	<-done
	return nil
}
