package handoff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Op names an operation of a call. Numbers are never reused.
type Op uint16

// Handler answers the calls of the other side.
type Handler interface {
	// Handle does op. ctx ends when the asker no longer waits or the
	// channel closes. The file, if any, is sent and then closed; an error
	// is sent in its place. Calls run concurrently, at most MaxCalls.
	Handle(ctx context.Context, op Op, payload []byte) (*os.File, []byte, error)
}

// HandlerFunc is a function that is a Handler.
type HandlerFunc func(ctx context.Context, op Op, payload []byte) (*os.File, []byte, error)

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, op Op, payload []byte) (*os.File, []byte, error) {
	return f(ctx, op, payload)
}

// Serve lets h answer the calls of the other side from now on, and returns at
// once. Calls that came before are refused as unsupported, so a host calls
// it before it starts the plugin.
func (c *Channel) Serve(h Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = h
}

// reply is the answer to a call of ours.
type reply struct {
	file    *os.File
	payload []byte
	err     error
}

// Call asks the other side to do op and waits for its answer: a file, a
// payload, both or neither. A refusal is a *RemoteError. It waits while
// MaxCalls calls are under way.
func (c *Channel) Call(ctx context.Context, op Op, payload []byte) (*os.File, []byte, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("ask the host: %w", context.Cause(ctx))
	case <-c.done:
		return nil, nil, c.Err()
	}
	id := c.NewID()
	ch := make(chan reply, 1)
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		<-c.slots
		return nil, nil, c.err
	}
	c.calls[id] = ch
	c.mu.Unlock()

	if err := c.send(header{kind: kindCall, op: op, id: id}, payload, nil); err != nil {
		c.mu.Lock()
		delete(c.calls, id)
		c.mu.Unlock()
		<-c.slots
		return nil, nil, err
	}
	select {
	case r := <-ch:
		return r.file, r.payload, r.err
	case <-ctx.Done():
		// The slot stays taken until the answer has come: the other
		// side still works on it, and counts.
		go c.giveUp(id, ch)
		return nil, nil, fmt.Errorf("ask the host: %w", context.Cause(ctx))
	case <-c.done:
		select {
		case r := <-ch:
			return r.file, r.payload, r.err
		default:
			return nil, nil, c.Err()
		}
	}
}

// giveUp cancels a call and closes what it still brings.
func (c *Channel) giveUp(id uint64, ch chan reply) {
	c.send(header{kind: kindCancel, id: id}, nil, nil)
	select {
	case r := <-ch:
		r.file.Close()
	case <-c.done:
		select {
		case r := <-ch:
			r.file.Close()
		default:
		}
	}
}

// replied gives an answer to the call that waits for it.
func (c *Channel) replied(h header, payload []byte, f *os.File) error {
	c.mu.Lock()
	ch, ok := c.calls[h.id]
	delete(c.calls, h.id)
	c.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: answer to a call %d that nobody made", ErrProtocol, h.id)
	}
	<-c.slots
	r := reply{file: f, payload: payload}
	if h.op == statusRefused {
		remote := new(RemoteError)
		if err := json.Unmarshal(payload, remote); err != nil {
			return fmt.Errorf("%w: refusal that cannot be read: %w", ErrProtocol, err)
		}
		r = reply{err: remote}
	}
	ch <- r
	return nil
}

// called starts the answer to a call of the other side.
func (c *Channel) called(h header, payload []byte) error {
	ctx, cancel := context.WithCancel(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	_, twice := c.serving[h.id]
	switch {
	case c.err != nil:
		cancel()
		return c.err
	case twice:
		cancel()
		return fmt.Errorf("%w: call %d made twice", ErrProtocol, h.id)
	case len(c.serving) >= MaxCalls:
		cancel()
		return fmt.Errorf("%w: more than %d calls at once", ErrProtocol, MaxCalls)
	}
	c.serving[h.id] = cancel
	go c.answer(ctx, c.handler, h, payload)
	return nil
}

func (c *Channel) answer(ctx context.Context, handler Handler, h header, payload []byte) {
	f, out, err := handle(ctx, handler, h.op, payload)
	c.mu.Lock()
	cancel := c.serving[h.id]
	delete(c.serving, h.id)
	c.mu.Unlock()
	cancel()

	if err == nil {
		// A nil *os.File must not become a non-nil interface.
		var sc syscall.Conn
		if f != nil {
			sc = f
		}
		err = c.send(header{kind: kindReply, op: statusDone, id: h.id}, out, sc)
	}
	if f != nil {
		f.Close()
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		c.send(header{kind: kindReply, op: statusRefused, id: h.id}, encodeError(err), nil)
	}
}

// handle runs the handler; a panic in it refuses the one call.
func handle(ctx context.Context, handler Handler, op Op, payload []byte) (f *os.File, out []byte, err error) {
	if handler == nil {
		return nil, nil, &RemoteError{Code: CodeUnsupported, Message: "this side answers no calls"}
	}
	defer func() {
		if r := recover(); r != nil {
			f, out, err = nil, nil, &RemoteError{Code: CodeFailed, Message: fmt.Sprintf("handler of operation %d panicked", op)}
		}
	}()
	return handler.Handle(ctx, op, payload)
}

// cancelled ends the context of a call; one that is answered already is no
// mistake, the two messages met on the way.
func (c *Channel) cancelled(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.serving[id]; ok {
		cancel()
	}
}
