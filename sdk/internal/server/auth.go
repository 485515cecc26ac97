package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
)

type authServer struct {
	pluginv1.UnimplementedAuthServer
	s *Server
}

// Authenticate runs one conversation and ends it with a result.
func (a authServer) Authenticate(stream pluginv1.Auth_AuthenticateServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	begin := first.GetBegin()
	if begin == nil {
		return errors.New("the conversation does not begin with a beginning")
	}
	talk := &conversation{s: a.s, stream: stream, answers: make(chan *pluginv1.AuthAnswer)}
	var id auth.Identity
	err = a.s.call(stream.Context(), "Authenticate", authLimit, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go talk.receive(ctx)
		req := auth.Request{Client: begin.GetClient(), Host: begin.GetHost(), Facts: begin.GetFacts()}
		if id, err = a.s.current().(auth.Method).Authenticate(ctx, req, talk); err != nil {
			return err
		}
		return a.check(&id)
	})
	result := &pluginv1.AuthResult{Failure: a.s.failure(err)}
	if err == nil {
		result = &pluginv1.AuthResult{User: id.User, Roles: id.Roles, Method: id.Method, Evidence: id.Evidence}
		if !id.Expires.IsZero() {
			result.ExpiresUnix = id.Expires.Unix()
		}
	}
	talk.forget()
	return talk.send(&pluginv1.AuthFromPlugin{Message: &pluginv1.AuthFromPlugin_Result{Result: result}})
}

// check holds an identity to what package auth promises of one.
func (a authServer) check(id *auth.Identity) error {
	if id.User == "" {
		return errors.New("Authenticate returned neither a user nor an error")
	}
	if id.Method == "" {
		id.Method = a.s.Name
	}
	said := append([]string{id.User, id.Method}, id.Roles...)
	for k, v := range id.Evidence {
		said = append(said, k, v)
	}
	for _, text := range said {
		if a.s.scrub.holds(text) {
			return errors.New("the identity would hold a secret that the user typed or that is configured; this is a bug in the plugin")
		}
	}
	return nil
}

// Probe runs the method's own steps.
func (a authServer) Probe(_ *pluginv1.AuthProbeRequest, stream pluginv1.Auth_ProbeServer) error {
	prober, ok := a.s.current().(auth.Prober)
	if !ok {
		return stream.Send(&pluginv1.ProbeStep{Name: "probe", Failure: a.s.failure(
			failure.New(failure.Unsupported, "", "this method does not show its steps"))})
	}
	var failed bool
	var sendErr error
	err := a.s.call(stream.Context(), "Probe", dialLimit, func(ctx context.Context) error {
		return prober.Probe(ctx, func(step auth.Step) {
			failed = failed || step.Err != nil
			if err := stream.Send(a.step(step)); err != nil {
				sendErr = err
			}
		})
	})
	if sendErr != nil {
		return sendErr
	}
	if err != nil && !failed { // it failed outside any step
		return stream.Send(a.step(auth.Step{Name: "probe", Err: err}))
	}
	return nil
}

func (a authServer) step(step auth.Step) *pluginv1.ProbeStep {
	return &pluginv1.ProbeStep{
		Name: a.s.clean(step.Name), Detail: a.s.clean(step.Detail),
		DurationUs: int64(step.Took / time.Microsecond), Failure: a.s.failure(step.Err),
	}
}

// conversation implements auth.Conversation over the stream.
type conversation struct {
	s      *Server
	stream pluginv1.Auth_AuthenticateServer

	asking  sync.Mutex // one question at a time
	sending sync.Mutex
	answers chan *pluginv1.AuthAnswer

	mu      sync.Mutex
	unlearn []func()
}

// receive reads the host's answers until the stream ends.
func (c *conversation) receive(ctx context.Context) {
	defer close(c.answers)
	for {
		msg, err := c.stream.Recv()
		if err != nil {
			return
		}
		select {
		case c.answers <- msg.GetAnswer():
		case <-ctx.Done():
			return
		}
	}
}

func (c *conversation) send(msg *pluginv1.AuthFromPlugin) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.stream.Send(msg)
}

// Ask asks and waits for the answers.
func (c *conversation) Ask(ctx context.Context, fields ...auth.Field) (auth.Answers, error) {
	c.asking.Lock()
	defer c.asking.Unlock()
	ask := new(pluginv1.AuthAsk)
	for _, f := range fields {
		ask.Fields = append(ask.Fields, &pluginv1.AuthField{Name: f.Name, Label: f.Label, Secret: f.Secret, Help: f.Help})
	}
	if err := c.send(&pluginv1.AuthFromPlugin{Message: &pluginv1.AuthFromPlugin_Ask{Ask: ask}}); err != nil {
		return nil, fmt.Errorf("ask the user: %w", err)
	}
	select {
	case a, ok := <-c.answers:
		if !ok || a.GetCancelled() {
			return nil, failure.New(failure.Cancelled, "", "the user gave up")
		}
		if a == nil {
			return nil, errors.New("ask the user: the host sent no answer")
		}
		out := make(auth.Answers, len(fields))
		for _, f := range fields { // others were not asked for
			s := config.SecretBytes(a.GetValues()[f.Name])
			out[f.Name] = s
			if f.Secret && !s.IsZero() {
				c.learn(s)
			}
		}
		return out, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("ask the user: %w", context.Cause(ctx))
	}
}

// Show shows a notice.
func (c *conversation) Show(ctx context.Context, n auth.Notice) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	show := &pluginv1.AuthShow{Label: n.Label, Value: n.Value, Url: n.URL}
	if !n.Expires.IsZero() {
		show.ExpiresUnix = n.Expires.Unix()
	}
	return c.send(&pluginv1.AuthFromPlugin{Message: &pluginv1.AuthFromPlugin_Show{Show: show}})
}

// learn keeps a copy of a secret answer to remove it from errors: the method
// may wipe its own.
func (c *conversation) learn(s config.Secret) {
	mine := config.NewSecret(s.Reveal())
	forget := c.s.scrub.learn(mine)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unlearn = append(c.unlearn, func() { forget(); mine.Zero() })
}

// forget wipes what was learnt.
func (c *conversation) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.unlearn {
		f()
	}
	c.unlearn = nil
}
