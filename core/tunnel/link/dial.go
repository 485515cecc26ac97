package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// answerTimeout is how long the relay's answer to the greeting may take.
const answerTimeout = 15 * time.Second

// Dialer opens links to a relay.
type Dialer struct {
	Client   *client.Client
	RelayKey ssh.PublicKey // the receipt key of the vendor's record
	// Early is sent without waiting for the relay's answer. What inspects TLS
	// can read it, as it can all that is not encrypted end to end.
	Early []byte
	// StayFramed keeps the frames although nobody inspects, for tests and
	// measurements.
	StayFramed bool
}

// Dial opens a link; see [Dialer].
func Dial(ctx context.Context, c *client.Client, relayKey ssh.PublicKey, path string, q url.Values) (*Conn, error) {
	return (&Dialer{Client: c, RelayKey: relayKey}).Dial(ctx, path, q)
}

// Dial connects, logs in where needed, upgrades and compares. Refusals of the
// relay are *api.Error, failures on the way *client.ConnectError, and
// an answer that the relay did not make *[ForgedError].
func (d *Dialer) Dial(ctx context.Context, path string, q url.Values) (*Conn, error) {
	if d.RelayKey == nil {
		return nil, errors.New("link: no key to know the relay by")
	}
	up, err := d.Client.Upgrade(ctx, path, q)
	if err != nil {
		return nil, err
	}
	up.SetDeadline(time.Now().Add(answerTimeout))
	stop := context.AfterFunc(ctx, func() { up.SetDeadline(time.Unix(1, 0)) })
	conn, err := d.compare(up)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = up.SetDeadline(time.Time{})
	}
	if err != nil {
		up.Close()
		return nil, fmt.Errorf("relay %s: %w", d.Client.Address(), err)
	}
	return conn, nil
}

func (d *Dialer) compare(up *client.Upgraded) (*Conn, error) {
	frames := ws.Client(up.Conn)
	g := newGreeting(exporter(&up.TLS), !d.StayFramed)
	b, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("encode greeting: %w", err)
	}
	if _, err := frames.Write(b); err != nil {
		return nil, fmt.Errorf("greet: %w", err)
	}
	if len(d.Early) > 0 {
		if _, err := frames.Write(d.Early); err != nil {
			return nil, fmt.Errorf("greet: %w", err)
		}
	}
	if b, err = frames.ReadMessage(maxGreeting); err != nil {
		return nil, fmt.Errorf("wait for its answer to the greeting: %w", err)
	}
	a, same, err := g.check(b, d.RelayKey)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: frames, Framed: true, Compared: g.Exporter != nil && a.Exporter != nil}
	switch {
	case c.Compared && !same, !c.Compared && up.Customer:
		c.InspectedBy = shown(up)
	case a.Raw:
		if err := frames.Unframe(); err != nil {
			return nil, fmt.Errorf("leave the frames: %w", err)
		}
		c.Conn, c.Framed = up.Conn, false
	}
	return c, nil
}

// shown says whose certificate was shown in place of the relay's.
func shown(up *client.Upgraded) string {
	if len(up.TLS.PeerCertificates) == 0 {
		return "somebody without a certificate"
	}
	c := up.TLS.PeerCertificates[0]
	return fmt.Sprintf("%s (with a certificate for %s)", c.Issuer, c.Subject)
}
