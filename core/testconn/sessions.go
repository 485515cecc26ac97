package testconn

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/link"
)

// upgradeError says that requests pass and sessions do not.
type upgradeError struct{ err error }

func (e *upgradeError) Error() string {
	return fmt.Sprintf("bundles pass, but sessions do not: %v", e.err)
}
func (e *upgradeError) Unwrap() error { return e.err }
func (e *upgradeError) Hint() string {
	return "a proxy that inspects TLS does not pass WebSockets on: allow them for the relay (in squid: http_upgrade_request_protocols websocket allow all), or except the relay from inspection"
}

// sessions goes the way of a session, there and back, and opens none.
func (t *test) sessions(ctx context.Context) error {
	return t.try("WebSocket", func() (string, error) {
		ctx, cancel := context.WithTimeout(ctx, t.Patience)
		defer cancel()
		conn, err := link.Dial(ctx, t.Client, t.RelayKey, api.PathTry, nil)
		if err != nil {
			return "", &upgradeError{err}
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(t.Patience))
		sent := make([]byte, 32)
		rand.Read(sent) // never fails
		back := make([]byte, len(sent))
		if _, err = conn.Write(sent); err == nil {
			_, err = io.ReadFull(conn, back)
		}
		if err == nil && !bytes.Equal(sent, back) {
			err = errors.New("what came back is not what was sent")
		}
		switch {
		case err != nil:
			return "", &upgradeError{err}
		case conn.InspectedBy != "":
			return "sessions pass, in frames, since " + conn.InspectedBy + " inspects TLS", nil
		case conn.Framed:
			return "sessions pass, in frames", nil
		}
		return "sessions pass; nothing on the way inspects TLS", nil
	})
}
