package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/transport"
)

// maxResidual bounds the bytes that travel in a response. More than that goes
// through a pump.
const maxResidual = 1 << 20

type transportServer struct {
	pluginv1.UnimplementedTransportServer
	s *Server
}

func targetOf(req *pluginv1.DialRequest) transport.Target {
	t := transport.Target{Network: req.GetNetwork(), Address: req.GetAddress(), Bind: req.GetBind()}
	if t.Network == "" {
		t.Network = "tcp"
	}
	return t
}

// Dial dials and hands the connection over.
func (t transportServer) Dial(ctx context.Context, req *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
	var resp *pluginv1.DialResponse
	err := t.s.call(ctx, "Dial", dialLimit, func(ctx context.Context) error {
		target := targetOf(req)
		conn, err := t.s.current().(transport.Transport).Dial(ctx, target)
		if err != nil {
			return transport.Explain(err)
		}
		if isNil(conn) {
			return errors.New("Dial returned neither a connection nor an error")
		}
		if ctx.Err() != nil {
			conn.Close() // too late: nobody waits for it
			return context.Cause(ctx)
		}
		resp, err = t.hand(ctx, req.GetHandoff(), conn)
		return err
	})
	if err != nil {
		return &pluginv1.DialResponse{Failure: t.s.failure(err)}, nil
	}
	resp.Note = t.s.clean(resp.Note)
	return resp, nil
}

// isNil finds the typed nil pointers that authors return by accident.
func isNil(conn net.Conn) bool {
	switch c := conn.(type) {
	case nil:
		return true
	case *net.TCPConn:
		return c == nil
	}
	return false
}

// hand passes the descriptor of conn, or of a pump in front of it, under id.
// It takes over conn.
func (t transportServer) hand(ctx context.Context, id uint64, conn net.Conn) (*pluginv1.DialResponse, error) {
	ch, err := t.s.channel()
	if err != nil {
		conn.Close()
		return nil, err
	}
	resp := new(pluginv1.DialResponse)
	if n, ok := conn.(transport.Noter); ok {
		resp.Note = n.Note()
	}
	socket, residual := detach(conn)
	if raw, ok := plain(socket); ok && len(residual) <= maxResidual {
		defer socket.Close() // ours; the host has a duplicate
		resp.Residual = residual
		if err := ch.PassContext(ctx, id, raw); err != nil {
			return nil, fmt.Errorf("hand the connection over: %w", err)
		}
		return resp, nil
	}
	far, err := startPump(socket, residual)
	if err != nil {
		socket.Close()
		return nil, err
	}
	defer far.Close()
	resp.Pumped = true
	if err := ch.PassContext(ctx, id, far); err != nil {
		return nil, fmt.Errorf("hand the connection over: %w", err)
	}
	return resp, nil
}

// detach takes a connection apart as far as it goes.
func detach(conn net.Conn) (net.Conn, []byte) {
	var residual []byte
	for range 16 { // nobody wraps deeper, but a loop would
		d, ok := conn.(transport.Detacher)
		if !ok {
			break
		}
		inner, bytes := d.Detach()
		residual = append(residual, bytes...)
		conn = inner
	}
	return conn, residual
}

// plain reports whether conn is a socket and nothing else. Only the types of
// the net package themselves count: what embeds one may change its bytes.
func plain(conn net.Conn) (syscall.Conn, bool) {
	switch c := conn.(type) {
	case *net.TCPConn:
		return c, true
	case *net.UnixConn:
		return c, true
	}
	return nil, false
}

// Probe runs the transport's own steps.
func (t transportServer) Probe(req *pluginv1.DialRequest, stream pluginv1.Transport_ProbeServer) error {
	prober, ok := t.s.current().(transport.Prober)
	if !ok {
		return stream.Send(&pluginv1.ProbeStep{Name: "probe", Failure: t.s.failure(
			failure.New(failure.Unsupported, "", "this transport does not show its steps"))})
	}
	var failed bool
	var sendErr error
	err := t.s.call(stream.Context(), "Probe", dialLimit, func(ctx context.Context) error {
		return prober.Probe(ctx, targetOf(req), func(step transport.Step) {
			failed = failed || step.Err != nil
			if err := stream.Send(t.step(step)); err != nil {
				sendErr = err
			}
		})
	})
	if sendErr != nil {
		return sendErr
	}
	if err != nil && !failed { // it failed outside any step
		return stream.Send(t.step(transport.Step{Name: "probe", Err: err}))
	}
	return nil
}

func (t transportServer) step(step transport.Step) *pluginv1.ProbeStep {
	return &pluginv1.ProbeStep{
		Name: t.s.clean(step.Name), Detail: t.s.clean(step.Detail),
		DurationUs: int64(step.Took / time.Microsecond),
		Failure:    t.s.failure(transport.Explain(step.Err)),
	}
}
