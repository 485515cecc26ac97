package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/collect"
)

// maxOutput bounds what Output returns.
const maxOutput = 1 << 20

// Command runs a command and hands its output over. The host starts it: it
// knows what the collector has declared and what policy allows, and may run
// what this process may not.
func (s *sink) Command(item collect.Item, argv ...string) error {
	if item.Source == "" {
		item.Source = strings.Join(argv, " ")
	}
	p, err := s.start(argv, item.Timeout)
	switch {
	case err == nil:
		defer p.leave()
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case errors.Is(err, handoff.ErrClosed):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return s.Absent(item, "no such command")
	default:
		return s.Failed(item, err)
	}
	if err := s.claim(item); err != nil {
		p.kill()
		return err
	}
	id, err := s.begin(item, p.stdout)
	p.stdout.Close()
	if err != nil {
		p.kill()
		return err
	}
	exit, err := p.wait(s.ctx)
	if err != nil {
		p.kill()
	}
	e := event(pluginv1.CollectEvent_KIND_END, id, item)
	e.ExitCode = int32(exit.Code)
	e.Failure = s.c.s.failure(err)
	e.Truncated = err != nil || exit.TimedOut
	switch {
	case exit.TimedOut:
		e.Reason = "stopped, its time was over"
	case exit.Code != 0:
		e.Reason = s.c.s.clean(exit.Stderr)
	}
	if serr := s.send(e); serr != nil {
		return serr
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return nil
}

// Output runs a command for the collector itself.
func (s *sink) Output(argv ...string) ([]byte, error) {
	p, err := s.start(argv, 0)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", strings.Join(argv, " "), err)
	}
	defer p.leave()
	defer p.stdout.Close()
	stop := context.AfterFunc(s.ctx, func() { p.stdout.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	out, err := io.ReadAll(io.LimitReader(p.stdout, maxOutput+1))
	if err == nil && len(out) > maxOutput {
		err = fmt.Errorf("more than %d bytes of output; hand it over with Command", maxOutput)
	}
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("run %s: %w", strings.Join(argv, " "), err)
	}
	exit, err := p.wait(s.ctx)
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("run %s: %w", strings.Join(argv, " "), err)
	}
	if exit.Code != 0 || exit.TimedOut {
		return out, &collect.ExitError{Argv: argv, Exit: exit}
	}
	return out, nil
}

// running is a command, wherever it was started.
type running struct {
	stdout *os.File
	wait   func(context.Context) (collect.Exit, error)
	kill   func()
	leave  func()
}

// start asks the host to run a command, and the collector itself if the host
// runs none.
func (s *sink) start(argv []string, limit time.Duration) (*running, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("empty command line")
	}
	select {
	case s.commands <- struct{}{}:
	case <-s.ctx.Done():
		return nil, context.Cause(s.ctx)
	}
	leave := func() { <-s.commands }
	f, rep, err := s.ch.Run(s.ctx, handoff.RunRequest{Argv: argv, Timeout: limit})
	if err == nil {
		return &running{
			stdout: f, leave: leave,
			wait: func(ctx context.Context) (collect.Exit, error) {
				end, err := s.ch.Wait(ctx, handoff.WaitRequest{Run: rep.Run})
				return collect.Exit{Code: end.ExitCode, TimedOut: end.TimedOut, Stderr: end.Stderr}, err
			},
			kill: func() {
				// The collection's own context may be over: that is why.
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				s.ch.Stop(ctx, handoff.StopRequest{Run: rep.Run})
			},
		}, nil
	}
	runner, ok := s.c.s.current().(collect.Runner)
	if !ok || !errors.Is(err, errors.ErrUnsupported) {
		leave()
		return nil, err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	p, err := runner.Run(ctx, argv, limit)
	if err != nil {
		cancel()
		leave()
		return nil, err
	}
	return &running{
		stdout: p.Stdout(), wait: p.Wait, kill: cancel,
		leave: func() { cancel(); leave() },
	}, nil
}
