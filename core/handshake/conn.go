package handshake

import (
	"context"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/handshake/through"
)

// Conn is the stream after the handshake, on either side. It carries sealed
// messages, and then, by [Conn.Raw], whatever the two agree on.
type Conn struct {
	raw   net.Conn
	offer Offer
	peer  Peer
	keys  *keys

	replaced          bool            // the secret behind the enrolment was replaced
	suites            []through.Suite // in which the engineer's side would go on below TLS
	sendMu, receiveMu sync.Mutex
	send, receive     direction
}

// direction is one way of sealed messages.
type direction struct {
	aead cipher.AEAD
	n    uint64 // messages so far
}

// Raw is the stream below. Nothing of it was read ahead. After Ask and Grant it
// is what carries on: where both sides' ways to the relay allow that, records
// that are sealed from end to end in place of TLS; see package through.
func (c *Conn) Raw() net.Conn { return c.raw }

// StreamKey authenticates those who want to go on with a stream that was begun
// on this connection; see package resume.
func (c *Conn) StreamKey() []byte { return append([]byte(nil), c.keys.stream...) }

// Binding is a value that no other connection has and that both sides know.
func (c *Conn) Binding() []byte { return append([]byte(nil), c.keys.binding...) }

// Peer is the engineer; on the engineer's side, how the system knows him.
func (c *Conn) Peer() Peer { return c.peer }

// Offer is what the system said of itself, on the engineer's side proved true.
func (c *Conn) Offer() Offer { return c.offer }

// Enrolment is what further connections of this session need instead of the
// secret: a new one in mode secret, the one that was used in mode enrolled.
func (c *Conn) Enrolment() Enrolment {
	return Enrolment{ID: c.keys.enrolment.ID, Key: append([]byte(nil), c.keys.enrolment.Key...)}
}

// Replaced reports, on the system's side, that the secret which gave this
// connection its enrolment was replaced since. Its engineer may go on with a
// stream that he has; for a new one he needs the new secret.
func (c *Conn) Replaced() bool { return c.replaced }

// Close closes the stream and overwrites the keys.
func (c *Conn) Close() error {
	c.Forget()
	return c.raw.Close()
}

// Forget overwrites the keys that Conn still holds and leaves the stream open.
// Sealed messages work on.
func (c *Conn) Forget() {
	clear(c.keys.stream)
	clear(c.keys.enrolment.Key)
	clear(c.keys.throughUp)
	clear(c.keys.throughDown)
}

// Send seals v as JSON and sends it.
func (c *Conn) Send(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode sealed message: %w", err)
	}
	if len(b) > MaxMessage {
		return fmt.Errorf("sealed message of %d bytes; at most %d", len(b), MaxMessage)
	}
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	m := make([]byte, headSize, headSize+len(b)+sealOverhead)
	m[0] = byte(kindSealed)
	binary.BigEndian.PutUint16(m[1:], uint16(len(b)+sealOverhead))
	m = c.send.aead.Seal(m, c.send.nonce(), b, m[:headSize])
	if _, err := c.raw.Write(m); err != nil {
		return fmt.Errorf("send sealed message: %w", err)
	}
	return nil
}

// Receive opens the next sealed message into v. A message that was changed,
// left out, doubled, put in another order, or sent by ourselves is an [*Error].
func (c *Conn) Receive(v any) error {
	c.receiveMu.Lock()
	defer c.receiveMu.Unlock()
	p, err := readMessage(c.raw, kindSealed)
	if err != nil {
		return err
	}
	head := []byte{byte(kindSealed), 0, 0}
	binary.BigEndian.PutUint16(head[1:], uint16(len(p)))
	b, err := c.receive.aead.Open(p[:0], c.receive.nonce(), p, head)
	if err != nil {
		return malformed("a sealed message was changed, left out, doubled or put in another place")
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read sealed message: %w", err)
	}
	return nil
}

// nonce is the number of the message: a key is used in one direction of one
// connection only.
func (d *direction) nonce() []byte {
	var n [12]byte
	binary.BigEndian.PutUint64(n[4:], d.n)
	d.n++
	return n[:]
}

func newConn(raw net.Conn, o Offer, p Peer, k *keys, system bool) *Conn {
	c := &Conn{raw: raw, offer: o, peer: p, keys: k}
	c.send.aead, c.receive.aead = k.up, k.down
	if system {
		c.send.aead, c.receive.aead = k.down, k.up
	}
	return c
}

// bound makes ctx and limit end what blocks on raw. The function that it
// returns takes that back and says whether it was ctx.
func bound(ctx context.Context, raw net.Conn, limit time.Duration) func() {
	deadline := time.Now().Add(limit)
	if d, ok := ctx.Deadline(); ok && (limit <= 0 || d.Before(deadline)) {
		deadline = d
	} else if limit <= 0 {
		deadline = time.Time{}
	}
	raw.SetDeadline(deadline)
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		raw.SetDeadline(time.Unix(1, 0))
		close(fired)
	})
	return func() {
		if !stop() {
			<-fired
			return // the deadline stays: the caller gives up
		}
		raw.SetDeadline(time.Time{})
	}
}

// because prefers the reason of ctx to the deadline that it set off.
func because(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("handshake: %w", context.Cause(ctx))
	}
	// The stream's clock may go off a moment before that of ctx.
	if d, ok := ctx.Deadline(); ok && isNet(err) && !time.Now().Before(d) {
		return fmt.Errorf("handshake: %w", context.DeadlineExceeded)
	}
	return err
}
