package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// startTimeout is how long the relay may take to have the system dial back.
const startTimeout = 45 * time.Second

// Options say where to and who.
type Options struct {
	Relay       *client.Client // logged in as the engineer
	RelayKey    ssh.PublicKey  // the receipt key of the vendor's record
	System      string         // id
	Name        string         // of the system, for people; empty: the id
	Certificate *ssh.Certificate
	Case        string

	// Cache keeps the enrolment for the next connections; nil: nothing is kept.
	Cache *Cache
	// Secret asks for the secret when there is no enrolment. What it returns
	// is cleared. Nil: there must be an enrolment.
	Secret func() ([]byte, error)

	// NewKey is asked when a system shows another host key than the one that it
	// had in this session. Nil: that is an error, a [*NewKeyError]. What it returns
	// but nil is the error.
	NewKey func(KeyChange) error

	// Notify hears what happens to the connection. It may be called by several
	// goroutines and must not block.
	Notify func(Event)
	// SSH says that the stream is for [Conn.SSH], which saves a round trip.
	SSH bool
	// Once says that a connection which breaks while it is being made is not made
	// once more.
	Once bool
	// Stream alters the resumable stream, for tests.
	Stream resume.Options
}

// Dial goes to the system and returns when it has let the engineer in. A
// refusal is a [*RefusedError], the absence of a session a [*NotOpenError], an
// enrolment that would be needed a [*NoEnrolmentError].
func Dial(ctx context.Context, o Options) (*Conn, error) {
	if o.Name == "" {
		o.Name = o.System
	}
	if o.Notify == nil {
		o.Notify = func(Event) {}
	}
	d, err := newDialer(o)
	if err != nil {
		return nil, err
	}
	hs, err := d.prove(ctx, nil)
	if err != nil {
		return nil, explain(o.Name, err)
	}
	conn, err := d.open(ctx, hs)
	if d.replaced(err) {
		hs.Close()
		if hs, err = d.proveSecret(ctx); err != nil {
			return nil, explain(o.Name, err)
		}
		conn, err = d.open(ctx, hs)
	}
	defer hs.Forget()
	if err != nil {
		hs.Close()
		return nil, explain(o.Name, err)
	}
	return conn, nil
}

// Enrol gives the secret of a session, unless that was done, and opens nothing.
// The enrolment is in the cache afterwards.
func Enrol(ctx context.Context, o Options) (*Enrolment, error) {
	if o.Cache == nil {
		return nil, errors.New("enrol: no cache to keep it in")
	}
	if o.Name == "" {
		o.Name = o.System
	}
	if o.Notify == nil {
		o.Notify = func(Event) {}
	}
	d, err := newDialer(o)
	if err != nil {
		return nil, err
	}
	hs, err := d.prove(ctx, nil)
	if err != nil {
		return nil, explain(o.Name, err)
	}
	// Its answer says that the system keeps the enrolment, too.
	_, err = hs.Ask(ctx, handshake.Request{Enrol: true}, nil)
	if d.replaced(err) {
		hs.Close()
		if hs, err = d.proveSecret(ctx); err != nil {
			return nil, explain(o.Name, err)
		}
		_, err = hs.Ask(ctx, handshake.Request{Enrol: true}, nil)
	}
	defer hs.Close()
	if err != nil {
		return nil, explain(o.Name, err)
	}
	return d.enrolment, nil
}

// replaced reports that the system wants the new secret of its session, and
// forgets what the old one gave. Where nobody can be asked it stays an error.
func (d *dialer) replaced(err error) bool {
	var h *handshake.Error
	if !errors.As(err, &h) || !h.Sealed || h.Code != handshake.CodeEnrolment || d.Cache == nil || d.enrolment == nil {
		return false
	}
	return d.Cache.removeIf(d.System, d.enrolment.ID) == nil && d.Secret != nil
}

// dialer makes the connections of one stream.
type dialer struct {
	Options
	witness   *witnessing
	enrolment *Enrolment // once there is one
	start     msg.Start  // of the last connection; the relay's word
	inspected string
	second    bool          // a connection that broke was made once more
	expected  ssh.PublicKey // the host key that the engineer has agreed to
}

func newDialer(o Options) (*dialer, error) {
	if o.Relay == nil || o.RelayKey == nil || o.System == "" || o.Certificate == nil {
		return nil, errors.New("connect: relay, its key, system and certificate are needed")
	}
	key, err := newWitness()
	if err != nil {
		return nil, err
	}
	return &dialer{Options: o, witness: &witnessing{key: key}}, nil
}

// prove makes a connection to the system and proves who is who, by the
// enrolment where there is one that is still good and else by the secret. With
// only set, nothing but that enrolment will do.
func (d *dialer) prove(ctx context.Context, only *Enrolment) (*handshake.Conn, error) {
	if only != nil {
		return d.proveEnrolled(ctx, *only)
	}
	var why string
	if d.Cache != nil {
		e, err := d.Cache.Get(d.System, time.Now())
		if err != nil {
			return nil, err
		}
		if e != nil {
			hs, err := d.proveEnrolled(ctx, *e)
			if err == nil {
				d.enrolment = e
				return hs, nil
			}
			if !stale(err) {
				return nil, err
			}
			h := new(handshake.Error)
			if errors.As(err, &h) && h.Code == handshake.CodeHostKey && h.Seen != nil {
				if err := d.accept(e, h); err != nil { // what is kept stays: the next one may lead to the system
					return nil, err
				}
			}
			if err := d.Cache.removeIf(d.System, e.ID); err != nil {
				return nil, err
			}
			why = "that of before is over"
			if h.Code == handshake.CodeSystem {
				d.Notify(Event{Kind: NewSession, Text: e.Session})
			}
		}
	}
	if d.Secret == nil {
		return nil, &NoEnrolmentError{Name: d.Name, Why: why}
	}
	return d.proveSecret(ctx)
}

func (d *dialer) proveSecret(ctx context.Context) (*handshake.Conn, error) {
	// Before there is a connection: the system does not wait for people.
	typed, err := d.Secret()
	if err != nil {
		return nil, err
	}
	defer clear(typed)
	o := d.claim()
	o.HostKey = d.expected
	o.Secret = func() ([]byte, error) { return append([]byte(nil), typed...), nil }
	hs, err := d.handshake(ctx, o)
	if err != nil {
		return nil, err
	}
	offer, en := hs.Offer(), hs.Enrolment()
	d.enrolment = &Enrolment{
		Version: 1, System: d.System, Name: d.Name, Session: offer.Session, ID: en.ID, Key: en.Key, HostKey: offer.HostKey, Case: d.Case,
		Expires: earlier(offer.Expires, Ends(d.Certificate)), Made: time.Now().UTC().Truncate(time.Second),
	}
	if d.Cache != nil {
		if err := d.Cache.Put(*d.enrolment); err != nil {
			hs.Close()
			return nil, err
		}
	}
	return hs, nil
}

func (d *dialer) proveEnrolled(ctx context.Context, e Enrolment) (*handshake.Conn, error) {
	hostKey, _, _, _, err := ssh.ParseAuthorizedKey([]byte(e.HostKey))
	if err != nil {
		return nil, fmt.Errorf("enrolment of %s: its host key: %w", d.Name, err)
	}
	o := d.claim()
	if o.Case == "" {
		o.Case = e.Case
	}
	o.Session, o.HostKey, o.Enrolment = e.Session, hostKey, &handshake.Enrolment{ID: e.ID, Key: e.Key}
	return d.handshake(ctx, o)
}

func (d *dialer) claim() handshake.ClientOptions {
	return handshake.ClientOptions{System: d.System, Certificate: d.Certificate, Case: d.Case, Witness: d.witness.key.PublicKey()}
}

// reach has the relay splice a connection to the system.
func (d *dialer) reach(ctx context.Context) (*link.Conn, error) {
	to := link.Dialer{Client: d.Relay, RelayKey: d.RelayKey, Pass: true}
	conn, err := to.Dial(ctx, msg.PathConnect, url.Values{msg.QuerySystem: {d.System}})
	if err != nil {
		return nil, err
	}
	if conn.InspectedBy != "" && conn.InspectedBy != d.inspected {
		d.inspected = conn.InspectedBy
		d.Notify(Event{Kind: Inspected, Text: conn.InspectedBy})
	}
	if err := d.await(ctx, conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// await reads the line that comes before the bytes of the system.
func (d *dialer) await(ctx context.Context, conn *link.Conn) error {
	conn.SetDeadline(time.Now().Add(startTimeout))
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	m, err := msg.NewReader(conn).Next()
	if !stop() {
		return ctx.Err()
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
			err = fmt.Errorf("%w (%w)", errBroke, err)
		}
		return fmt.Errorf("relay %s: %s did not answer: %w", d.Relay.Address(), d.Name, err)
	}
	switch m := m.(type) {
	case *msg.Start:
		d.start = *m
		return conn.SetDeadline(time.Time{})
	case *msg.Refuse:
		return &api.Error{Code: api.Code(m.Code), Message: m.Message}
	}
	return fmt.Errorf("relay %s: what it says before the connection to %s is nothing that is said there", d.Relay.Address(), d.Name)
}

// open asks for a new stream.
func (d *dialer) open(ctx context.Context, hs *handshake.Conn) (*Conn, error) {
	offer := hs.Offer()
	hostKey, err := offer.SSHHostKey()
	if err != nil {
		return nil, err
	}
	request := handshake.Request{Open: true}
	if d.SSH {
		request.SSH = clientVersion
	}
	reply, err := hs.Ask(ctx, request, func(r handshake.Reply) {
		d.Notify(Event{Kind: Waiting, Text: r.Why, Until: r.Until})
	})
	if err != nil {
		return nil, err
	}
	d.second = true // from here on the stream makes its connections anew
	c := &Conn{
		dialer: d, HostKey: hostKey, Session: offer.Session, Expires: offer.Expires, Connection: d.start.Connection, stream: reply.Stream, key: hs.StreamKey(),
	}
	o := d.Stream
	o.Adaptive, o.Redial, o.Side, o.State = true, c.redial, c.side, c.state
	c.Stream = resume.NewStream(c.key, o)
	if err := c.Stream.Attach(hs.Raw(), reply.Received); err != nil {
		return nil, err
	}
	return c, nil
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}
