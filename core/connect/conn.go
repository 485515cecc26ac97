package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/connect/side"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/resume"
)

// User is the user name of SSH. Systems take no notice of it: the certificate
// says who it is, and the customer's policy as whom he works.
const User = "support"

// clientVersion is what SSH begins with here.
const clientVersion = "SSH-2.0-Latchstring"

// Conn is a stream into a system, over which SSH runs. It is a net.Conn.
type Conn struct {
	*resume.Stream

	HostKey    ssh.PublicKey // of the SSH server in the system, proved
	Session    string
	Expires    time.Time // when the session ends, unless it is extended
	Connection string    // id; the relay's word

	dialer *dialer
	stream string // id
	key    []byte
	was    atomic.Bool // connected before
	said   farewell
}

// redial makes the connection anew, to go on with the stream.
func (c *Conn) redial(ctx context.Context, received uint64) (net.Conn, uint64, error) {
	hs, err := c.dialer.prove(ctx, c.dialer.enrolment)
	if err != nil {
		return nil, 0, err
	}
	defer hs.Forget()
	reply, err := hs.Ask(ctx, handshake.Request{
		Stream: c.stream, Received: received, Proof: resume.Proof(c.key, hs.Binding(), c.stream, received),
	}, nil)
	if err != nil {
		hs.Close()
		return nil, 0, err
	}
	return hs.Raw(), reply.Received, nil
}

// state is called by the stream.
func (c *Conn) state(err error) {
	switch {
	case err == nil && c.was.Swap(true):
		c.dialer.Notify(Event{Kind: Resumed})
	case err != nil:
		keep := c.dialer.Stream.Keep
		if keep <= 0 {
			keep = resume.Keep
		}
		c.dialer.Notify(Event{Kind: Lost, Text: err.Error(), Until: time.Now().Add(keep)})
	}
}

// side is called with what the system says beside the stream.
func (c *Conn) side(kind byte, p []byte) {
	sign := c.dialer.witness.sign
	switch kind {
	case side.KindEnd:
		sign = c.dialer.witness.end
		defer c.over()
	case side.KindHead:
	default:
		return
	}
	counter, err := sign(p)
	if err != nil {
		c.dialer.Notify(Event{Kind: Unwitnessed, Text: err.Error()})
		return
	}
	// When there is no connection at the moment, the next head covers this one.
	_ = c.Stream.Send(side.KindWitness, counter)
}

// Witnessed is the last state of the recording that was counter-signed.
func (c *Conn) Witnessed() (record.Head, bool) {
	h, _, any := c.dialer.witness.head()
	return h, any
}

// WitnessedEnd reports whether the recording was counter-signed to its end.
func (c *Conn) WitnessedEnd() bool {
	_, end, _ := c.dialer.witness.head()
	return end
}

// Name is that of the system.
func (c *Conn) Name() string { return c.dialer.Name }

// SSH speaks SSH on the connection, with a signer of the certificate. banner,
// if not nil, is called with what the customer wants to be read first.
func (c *Conn) SSH(ctx context.Context, signer ssh.Signer, banner func(string)) (*ssh.Client, error) {
	cfg := &ssh.ClientConfig{
		ClientVersion: clientVersion,
		User:          User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(c.HostKey), HostKeyAlgorithms: []string{c.HostKey.Type()},
		BannerCallback: func(text string) error {
			if banner != nil {
				banner(text)
			}
			return nil
		},
	}
	cfg.Ciphers = ciphers()
	stop := context.AfterFunc(ctx, func() { c.Stream.SetDeadline(time.Unix(1, 0)) })
	sc, chans, reqs, err := ssh.NewClientConn(c, c.dialer.Name, cfg)
	if !stop() {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, c.sshError(err)
	}
	return ssh.NewClient(sc, chans, reqs), nil
}

// sshError prefers the reason for which the stream ended.
func (c *Conn) sshError(err error) error {
	if end := c.Ended(); end != nil {
		return end
	}
	return fmt.Errorf("SSH to %s: %w", c.dialer.Name, err)
}

// Ended says in words why the stream is over, or nil while it is not or when it
// was closed in order.
func (c *Conn) Ended() error {
	err := c.Stream.Err()
	var reset *resume.ResetError
	switch {
	case err == nil || errors.Is(err, net.ErrClosed):
		return nil
	case errors.As(err, &reset) && reset.Reason != "":
		return &RefusedError{By: c.dialer.Name, Why: reset.Reason, err: err}
	}
	return explain(c.dialer.Name, err)
}
