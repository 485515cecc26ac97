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
	"github.com/latchstring/latchstring/core/tunnel/link"
)

const (
	patience        = 10 * time.Second // for the whole header of a request, and for the first words after an upgrade
	requestTimeout  = 30 * time.Second // for everything that is not an upload or download
	idleTimeout     = 2 * time.Minute
	stallTimeout    = 60 * time.Second // of an upload without a byte
	shutdownTimeout = 15 * time.Second
	maxHeader       = 32 << 10
	maxBody         = 64 << 10 // of a JSON request
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
	Drain        time.Duration // 0: as configured
	Patience     time.Duration // for a header, a greeting and a hello; 0: ten seconds
	NodeBeat     time.Duration // between words of this node to the others; 0: a quarter of store.NodeTTL
	AlwaysFramed bool          // no connection leaves its WebSocket frames
}

// Server is the relay.
type Server struct {
	relay  *setup.Relay
	reg    *store.Registry
	events store.EventLog
	blobs  blob.Store
	log    *slog.Logger
	now    func() time.Time

	patience time.Duration

	auth       *authority
	sourceRate *buckets
	links      *link.Accepter
	archive    *archive
	intake     *intake
	hub        *hub
	cluster    *cluster // nil: the only node
	gate       *gate
	metrics    *metrics
	handler    http.Handler
	admin      http.Handler
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
	if o.Patience == 0 {
		o.Patience = patience
	}
	s := &Server{relay: o.Relay, blobs: o.Blobs, log: o.Log, now: o.Now, patience: o.Patience}
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
	node, err := nodeName(o.Relay.Places.State)
	if err != nil {
		return nil, err
	}
	s.hub = newHub(s, o, node)
	s.hub.readRevoked(ctx)
	limits := s.hub.limits
	s.gate = newGate(limits.Sockets, limits.PerSource, func() { s.metrics.refused.WithLabelValues("source").Inc() })
	s.sourceRate = newBuckets(float64(limits.SourceRate), float64(5*limits.SourceRate), s.now)
	s.metrics = newMetrics(s.hub, s.gate)
	s.links = accepter(o)
	s.archive = newArchive(s)
	if e, ok := o.Engine.(store.Shared); ok {
		if local, shared := e.Shared(); shared {
			if s.cluster, err = newCluster(s.hub, local, o.NodeBeat); err != nil {
				return nil, err
			}
		}
	}
	s.handler = s.routes()
	s.admin = s.adminRoutes()
	return s, s.intake.recover(ctx)
}

// Handler is the public API, without TLS.
func (s *Server) Handler() http.Handler { return s.handler }

// Join makes this node known to the others of its relay, if it has any; listen is
// what it listens on. Serve does it, too: who calls it before learns before he
// says that he is ready whether there is another node of this name.
func (s *Server) Join(ctx context.Context, listen string) error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.join(ctx, listen)
}

// Serve serves the public API with TLS on ln until ctx ends, then lets running
// requests finish for some seconds. Uploads that are cut then resume later.
func (s *Server) Serve(ctx context.Context, ln net.Listener) (err error) {
	where := map[string]string{"listen": ln.Addr().String()}
	begin := context.WithoutCancel(ctx) // told to stop this early is no failure
	if err := s.Join(begin, ln.Addr().String()); err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := s.record(begin, audit.RelayStarted, "relay", s.relay.Config.Address, where); err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() {
		err = errors.Join(err, s.record(begin, audit.RelayStopped, "relay", s.relay.Config.Address, nil))
	}()
	tlsConfig := s.relay.Certs.TLS()
	// What a process of this node that was killed has left is not so any more.
	if err := s.reg.ForgetPresent(begin, s.hub.node); err != nil {
		return errors.Join(unavailable(err), ln.Close())
	}
	srv := &http.Server{
		Handler: s.handler, ConnContext: withConn, ReadHeaderTimeout: s.patience, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // broken handshakes of scanners
	}
	background := []func(context.Context){s.housekeeping, s.hub.announce, s.hub.watch, s.keepBooks}
	if s.cluster != nil {
		s.cluster.serve(srv, tlsConfig)
		background = append(background, s.cluster.keep)
	}
	return serve(ctx, srv, tls.NewListener(s.gate.listen(ln), tlsConfig), s.hub.stop, background...)
}

// serve runs srv and background tasks until ctx ends. While stop runs new
// requests are still answered.
func serve(ctx context.Context, srv *http.Server, ln net.Listener, stop func(), background ...func(context.Context)) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, b := range background {
		wg.Go(func() { b(run) })
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	stop()
	cancel()
	grace, expire := context.WithTimeout(context.Background(), shutdownTimeout)
	defer expire()
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
	if errors.Is(err, store.ErrClosed) {
		e := api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the relay is stopping; come back in some seconds")
		e.RetryAfter = 5 * time.Second
		return e
	}
	if errors.Is(err, store.ErrFull) {
		return api.Errorf(http.StatusInsufficientStorage, api.CodeNoSpace, "the relay's disk is full; try later: %v", err)
	}
	return api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the relay's store does not answer; try later: %v", err)
}
