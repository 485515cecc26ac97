package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/transport"
)

const (
	// maxCalls bounds the calls of an implementation that run at once.
	maxCalls = 64

	// Time that a call gets when its host sets no limit.
	dialLimit    = time.Minute
	planLimit    = time.Minute
	deliverLimit = time.Minute
	healthLimit  = 10 * time.Second
	authLimit    = 15 * time.Minute
)

// Options say what is served.
type Options struct {
	Plugin wire.Description // the whole description, for Describe
	Role   string
	Name   string
	Make   func() any // makes an implementation of the role's interface

	// Channel returns the handoff channel. It is a function because a
	// debugged plugin gets a new one with each host that attaches.
	Channel func() *handoff.Channel

	// Stderr takes the stacks of panics.
	Stderr io.Writer

	// Debug serves a developer. It prints what a panic said, where in
	// service only its place is printed, for the value may hold a secret.
	// And a configuration that comes again, from the next host that
	// attaches, makes a new implementation.
	Debug bool
}

// Server serves one role.
type Server struct {
	Options
	slots chan struct{}

	mu         sync.Mutex
	impl       any
	configured bool
	configErr  error
	scrub      scrubber
}

// New makes the server of an implementation. It fails when that is not of the
// role.
func New(o Options) (*Server, error) {
	impl := o.Make()
	if !implements(o.Role, impl) {
		return nil, fmt.Errorf("%s/%s: %T does not implement this role", o.Role, o.Name, impl)
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	return &Server{Options: o, impl: impl, slots: make(chan struct{}, maxCalls)}, nil
}

func implements(role string, impl any) (ok bool) {
	switch role {
	case wire.RoleTransport:
		_, ok = impl.(transport.Transport)
	case wire.RoleCollect:
		_, ok = impl.(collect.Collector)
	case wire.RoleAuth:
		_, ok = impl.(auth.Method)
	case wire.RoleEventSink:
		_, ok = impl.(eventsink.Sink)
	}
	return ok
}

// current returns the implementation.
func (s *Server) current() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.impl
}

// Services returns what to register.
func (s *Server) Services() wire.Services {
	out := wire.Services{Role: roleServer{s: s}}
	switch s.Role {
	case wire.RoleTransport:
		out.Transport = transportServer{s: s}
	case wire.RoleCollect:
		out.Collect = collectServer{s: s}
	case wire.RoleAuth:
		out.Auth = authServer{s: s}
	case wire.RoleEventSink:
		out.EventSink = eventSinkServer{s: s}
	}
	return out
}

// call runs one call of the implementation: with a limit on time and on
// concurrency, configured, and with panics turned into failures.
func (s *Server) call(ctx context.Context, method string, limit time.Duration, f func(ctx context.Context) error) error {
	if err := s.ready(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return failure.New(failure.Busy, "try again", "%s/%s works on %d calls already", s.Role, s.Name, maxCalls)
	}
	if _, ok := ctx.Deadline(); !ok && limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return s.guard(method, func() error { return f(ctx) })
}

// guard turns a panic in f into a failure and prints its stack.
func (s *Server) guard(method string, f func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		said := fmt.Sprintf("%T", r)
		if _, ok := r.(runtime.Error); ok || s.Debug {
			said = fmt.Sprint(r)
		}
		fmt.Fprintf(s.Stderr, "panic in %s of %s/%s: %s\n%s\n", method, s.Role, s.Name, s.clean(said), debug.Stack())
		err = failure.New(failure.Panicked, "this is a bug in the plugin; its log has the stack", "%s of %s/%s panicked: %s", method, s.Role, s.Name, said)
	}()
	return f()
}

// ready configures an implementation that has settings with the defaults, when
// the host sent none.
func (s *Server) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.configured {
		s.configure(nil)
	}
	if s.configErr != nil {
		return failure.New(failure.Config, "correct the plugin's settings", "%s/%s: %w", s.Role, s.Name, s.configErr)
	}
	return nil
}

// configure decodes the settings; s.mu is held.
func (s *Server) configure(data []byte) {
	s.configured = true
	c, ok := s.impl.(config.Configurer)
	if !ok {
		if given := strings.TrimSpace(string(data)); given != "" && given != "{}" && given != "null" {
			s.configErr = config.Problems{{Message: "this plugin has no settings"}}
		}
		return
	}
	s.configErr = s.guard("Config", func() error {
		v := c.Config()
		err := config.Decode(v, data)
		s.scrub.learn(config.SecretsOf(v)...)
		return err
	})
}

// failure makes the message of an error, without the secrets that are known.
func (s *Server) failure(err error) *pluginv1.Failure {
	f := wire.FailureOf(err)
	if f != nil {
		f.Message, f.Hint = s.clean(f.Message), s.clean(f.Hint)
	}
	return f
}

func (s *Server) clean(text string) string { return s.scrub.clean(text) }

// Log returns a writer to w that removes the secrets that are known from each
// write, which must be a whole record.
func (s *Server) Log(w io.Writer) io.Writer { return logWriter{s, w} }

type logWriter struct {
	s *Server
	w io.Writer
}

func (l logWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(l.w, l.s.clean(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// channel returns the handoff channel, or why there is none.
func (s *Server) channel() (*handoff.Channel, error) {
	if s.Channel != nil {
		if ch := s.Channel(); ch != nil {
			return ch, nil
		}
	}
	return nil, errors.New("no handoff channel: the host has not attached one")
}

// roleServer is the service that every role has.
type roleServer struct {
	pluginv1.UnimplementedRoleServer
	s *Server
}

// Describe returns what `describe` prints.
func (r roleServer) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	out, err := json.Marshal(r.s.Plugin)
	return &pluginv1.DescribeResponse{Json: out}, err
}

// Configure decodes the settings, once.
func (r roleServer) Configure(_ context.Context, req *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	defer clear(req.GetJson()) // it holds secrets
	s := r.s
	s.mu.Lock()
	if s.configured && s.Debug {
		s.impl, s.configured, s.configErr = s.Make(), false, nil
	}
	if s.configured {
		s.mu.Unlock()
		return &pluginv1.ConfigureResponse{Problems: []*pluginv1.Problem{{Message: "configured already; start the plugin anew"}}}, nil
	}
	s.configure(req.GetJson())
	err := s.configErr
	s.mu.Unlock()

	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		problems = config.Problems{{Message: err.Error()}}
	}
	resp := new(pluginv1.ConfigureResponse)
	for _, p := range problems {
		resp.Problems = append(resp.Problems, &pluginv1.Problem{Field: p.Field, Message: s.clean(p.Message)})
	}
	return resp, nil
}

// Healther is an implementation of any role that can say whether it is able to
// work. The note is for people.
type Healther interface {
	Health(ctx context.Context) (note string, err error)
}

// Health asks the implementation, if it can say.
func (r roleServer) Health(ctx context.Context, _ *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	h, ok := r.s.current().(Healther)
	if !ok {
		return &pluginv1.HealthResponse{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	var note string
	err := r.s.guard("Health", func() (err error) {
		note, err = h.Health(ctx)
		return err
	})
	if err != nil {
		return &pluginv1.HealthResponse{Failure: r.s.failure(err)}, nil
	}
	return &pluginv1.HealthResponse{Note: r.s.clean(note)}, nil
}
