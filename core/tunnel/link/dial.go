package link

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	// Pass asks the relay to pass on what follows the end of TLS; see
	// [Conn.Passes].
	Pass bool
	// StayFramed keeps the frames although nobody inspects, for tests and
	// measurements.
	StayFramed bool
	// Secured, if not nil, is called when the connection and its TLS stand, and
	// the request is about to be sent; twice where it has to be made again. It may
	// change Early. An error of its own ends the dialling.
	Secured func() error
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
	conn, err := d.dial(ctx, path, q, d.Client.HeadersPass())
	if errors.Is(err, errHeader) { // once: the greeting goes in frames from now on
		d.Client.HeadersLost()
		conn, err = d.dial(ctx, path, q, false)
	}
	return conn, err
}

// errHeader says that something on the way took our header away.
var errHeader = errors.New("the answer has no header of the relay's")

// dial is Dial with the greeting in the header of the request, or in a frame.
func (d *Dialer) dial(ctx context.Context, path string, q url.Values, inHeader bool) (*Conn, error) {
	var g greeting
	header := func(s tls.ConnectionState) (http.Header, error) {
		if d.Secured != nil {
			if err := d.Secured(); err != nil {
				return nil, err
			}
		}
		if inHeader {
			g = newGreeting(exporter(&s), !d.StayFramed)
			g.Pass = d.Pass && g.Raw && s.Version >= tls.VersionTLS13
			if len(d.Early) <= maxEarly {
				g.Early = d.Early
			}
			value, err := encodeHeader(g)
			if err != nil {
				return nil, nil // then the greeting goes in a frame
			}
			return http.Header{greetingHeader: {value}}, nil
		}
		return nil, nil
	}
	up, err := d.Client.UpgradeWith(ctx, path, q, header)
	if err != nil {
		return nil, err
	}
	up.SetDeadline(time.Now().Add(answerTimeout))
	stop := context.AfterFunc(ctx, func() { up.SetDeadline(time.Unix(1, 0)) })
	var conn *Conn
	if inHeader {
		conn, err = d.compareHeader(up, g)
	} else {
		conn, err = d.compareFrame(up)
	}
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

// compareHeader goes by the answer that came with the upgrade.
func (d *Dialer) compareHeader(up *client.Upgraded, g greeting) (*Conn, error) {
	value := up.Header.Get(answerHeader)
	if value == "" {
		return nil, errHeader
	}
	b, err := decodeHeader(value)
	if err != nil {
		return nil, &ForgedError{fmt.Errorf("read its answer: %w", err)}
	}
	a, same, err := g.check(b, d.RelayKey)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: up.Conn, Framed: !a.Raw, Compared: g.Exporter != nil && a.Exporter != nil}
	if a.Pass {
		c.below = up.Below
	} else {
		up.Below.Unbound()
	}
	c.inspected(up, same)
	if c.Framed {
		c.Conn = ws.Client(up.Conn)
	}
	if len(d.Early) > len(g.Early) {
		if _, err := c.Write(d.Early); err != nil {
			return nil, fmt.Errorf("greet: %w", err)
		}
	}
	return c, nil
}

// inspected remembers who ends TLS between the two ends.
func (c *Conn) inspected(up *client.Upgraded, same bool) {
	if c.Compared && !same || !c.Compared && up.Customer {
		c.InspectedBy = shown(up)
	}
}

// compareFrame greets in a frame, and leaves the frames by another.
func (d *Dialer) compareFrame(up *client.Upgraded) (*Conn, error) {
	up.Below.Unbound()
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
	c.inspected(up, same)
	if c.InspectedBy == "" && a.Raw {
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
