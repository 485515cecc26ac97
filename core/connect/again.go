package connect

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/relay/api"
)

// A connection that breaks before it is one, because the relay is restarted or a
// line fails, is made once more, within againFor: the system has to come back to
// the relay first. Not when the secret was at stake: an attempt may have been
// counted, and a second one is the engineer's to decide.
const (
	againFor   = 20 * time.Second
	againEvery = 500 * time.Millisecond
)

// handshake reaches the system and proves both sides to each other.
func (d *dialer) handshake(ctx context.Context, o handshake.ClientOptions) (*handshake.Conn, error) {
	hs, err := d.attempt(ctx, o)
	if !again(err) || d.second || d.Once {
		return hs, err
	}
	d.second = true
	d.Notify(Event{Kind: Broke, Text: err.Error()})
	for until := time.Now().Add(againFor); ; {
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(againEvery):
		}
		raw, rerr := d.reach(ctx)
		if rerr == nil {
			return handshake.Connect(ctx, raw, o)
		}
		if errors.Is(rerr, errBroke) || !coming(rerr) || time.Now().After(until) {
			return nil, rerr
		}
	}
}

func (d *dialer) attempt(ctx context.Context, o handshake.ClientOptions) (*handshake.Conn, error) {
	raw, err := d.reach(ctx)
	if err != nil {
		return nil, err
	}
	return handshake.Connect(ctx, raw, o)
}

// again reports whether a connection broke that was under way, and whether
// nothing is risked by another.
func again(err error) bool {
	var lost *handshake.LostError
	if errors.As(err, &lost) {
		return !lost.Guess
	}
	return errors.Is(err, errBroke)
}

// errBroke is what ends the wait for a system that the relay was dialling.
var errBroke = errors.New("the connection to the relay broke")

// coming reports whether a relay that was just there may be back in a moment, or
// the system at it.
func coming(err error) bool {
	var a *api.Error
	if errors.As(err, &a) {
		return a.Code == api.CodeNotOpen || a.Code == api.CodeUnavailable
	}
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
