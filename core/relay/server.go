package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/blob"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	headerTimeout   = 10 * time.Second // to send the whole header of a request
	requestTimeout  = 30 * time.Second // for everything that is not an upload or download
	idleTimeout     = 2 * time.Minute
	stallTimeout    = 60 * time.Second // of an upload without a byte
	shutdownTimeout = 15 * time.Second
	maxHeader       = 32 << 10
	maxBody         = 64 << 10 // of a JSON request
	maxConns        = 4096
)

// Options are what a server is made of.
type Options struct {
	Relay  *setup.Relay
	Engine store.Engine
	Blobs  blob.Store
	Log    *slog.Logger

	// For tests. Free asks for the space of the intake directory.
	Free         func() (int64, error)
	Now          func() time.Time
	StallTimeout time.Duration
}

// Server is the relay.
type Server struct {
	relay  *setup.Relay
	reg    *store.Registry
	events store.EventLog
	blobs  blob.Store
	log    *slog.Logger
	now    func() time.Time

	auth    *authority
	intake  *intake
	metrics metrics
	handler http.Handler
	admin   http.Handler
}

// New opens the tables and finishes what the last run left unfinished.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Free == nil {
		o.Free = func() (int64, error) { return blob.Free(o.Relay.Places.Intake) }
	}
	if o.StallTimeout == 0 {
		o.StallTimeout = stallTimeout
	}
	s := &Server{relay: o.Relay, blobs: o.Blobs, log: o.Log, now: o.Now}
	var err error
	if s.reg, err = store.NewRegistry(ctx, o.Engine); err != nil {
		return nil, err
	}
	if s.events, err = o.Engine.EventLog(ctx); err != nil {
		return nil, err
	}
	key, err := s.reg.Secret(ctx, "bearer")
	if err != nil {
		return nil, err
	}
	s.auth = &authority{key: key, now: s.now}
	if s.intake, err = newIntake(s, o); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	s.admin = s.adminRoutes()
	return s, s.intake.recover(ctx)
}

// Handler is the public API, without TLS.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve serves the public API with TLS on ln until ctx ends, then lets running
// requests finish for some seconds. Uploads that are cut then resume later.
func (s *Server) Serve(ctx context.Context, ln net.Listener) (err error) {
	where := map[string]string{"listen": ln.Addr().String()}
	if err := s.record(ctx, audit.RelayStarted, "relay", s.relay.Config.Address, where); err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() {
		err = errors.Join(err, s.record(context.WithoutCancel(ctx), audit.RelayStopped, "relay", s.relay.Config.Address, nil))
	}()
	tlsConfig := s.relay.Certs.TLS()
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // broken handshakes of scanners
	}
	return serve(ctx, srv, tls.NewListener(limitConns(ln, maxConns), tlsConfig), s.housekeeping)
}

// serve runs srv and a background task until ctx ends.
func serve(ctx context.Context, srv *http.Server, ln net.Listener, background func(context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	if background != nil {
		wg.Go(func() { background(ctx) })
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		cancel()
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	grace, stop := context.WithTimeout(context.Background(), shutdownTimeout)
	defer stop()
	if err := srv.Shutdown(grace); err != nil {
		srv.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}

// housekeeping removes what nobody finished.
func (s *Server) housekeeping(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.intake.expire(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("remove unfinished uploads", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// record writes an event; without it, what it says must not happen.
func (s *Server) record(ctx context.Context, t audit.Type, actor, subject string, detail map[string]string) error {
	if _, err := s.events.Append(ctx, audit.Event{Type: t, Actor: actor, Subject: subject, Detail: detail}); err != nil {
		return unavailable(err)
	}
	return nil
}

// unavailable turns a failure of the store into an answer.
func unavailable(err error) error {
	if errors.Is(err, store.ErrFull) {
		return api.Errorf(http.StatusInsufficientStorage, api.CodeNoSpace, "the relay's disk is full; try later: %v", err)
	}
	return api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the relay's store does not answer; try later: %v", err)
}

// limitConns bounds the number of open connections; more wait in the kernel's
// queue.
func limitConns(ln net.Listener, n int) net.Listener {
	return &limited{Listener: ln, slots: make(chan struct{}, n), done: make(chan struct{})}
}

type limited struct {
	net.Listener
	slots chan struct{}
	done  chan struct{}
	once  sync.Once
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
