package handshake

import (
	"context"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/pake"
	"github.com/latchstring/latchstring/core/secret"
)

// Timeout is how long a handshake may take on either side, unless the context
// ends earlier.
const Timeout = 30 * time.Second

// ClientOptions are what the engineer's side knows. Either Secret or Enrolment
// is set.
type ClientOptions struct {
	System      string        // id of the system that is meant
	Session     string        // its session, if that is known; another one is refused
	HostKey     ssh.PublicKey // its host key, if it was seen in this session; another one is refused
	Certificate *ssh.Certificate
	Case        string
	Witness     ssh.PublicKey
	// Secret returns the secret as it was typed. It is called before anything
	// is read or sent, and what it returns is cleared. The other side does not
	// wait long: ask people before there is a connection.
	Secret    func() ([]byte, error)
	Enrolment *Enrolment
}

// Connect proves this side over raw, which a relay has spliced to the system,
// and makes sure that it is the system at the other end. On an error raw is
// closed. Errors that tell something are [*Error].
func Connect(ctx context.Context, raw net.Conn, o ClientOptions) (_ *Conn, err error) {
	defer func() {
		if err != nil {
			err = because(ctx, err)
			raw.Close()
		}
	}()
	switch {
	case (o.Secret == nil) == (o.Enrolment == nil):
		return nil, errors.New("handshake: either a secret or an enrolment is needed")
	case o.Certificate == nil || o.Witness == nil || o.System == "":
		return nil, errors.New("handshake: system, certificate and witness are needed")
	case !printable(o.Case, 200):
		return nil, refuse(CodeClaim, "the case number is longer than 200 bytes or not plain text")
	}
	c := client{options: o, raw: raw}
	if o.Secret != nil {
		if c.secret, err = normalised(o.Secret); err != nil {
			return nil, err
		}
		defer secret.Clear(c.secret)
	}
	defer bound(ctx, raw, Timeout)()
	if err := c.offered(); err != nil {
		return nil, c.lost(ctx, c.tell(err))
	}
	run := c.withSecret
	if o.Enrolment != nil {
		run = c.enrolled
	}
	k, err := run()
	if err != nil {
		return nil, c.lost(ctx, c.tell(err))
	}
	peer := Peer{Engineer: o.Certificate.KeyId, Certificate: o.Certificate, Case: o.Case, Witness: o.Witness, Mode: c.mode()}
	return newConn(raw, c.offer, peer, k, false), nil
}

func normalised(ask func() ([]byte, error)) ([]byte, error) {
	typed, err := ask()
	if err != nil {
		return nil, fmt.Errorf("get the secret: %w", err)
	}
	defer secret.Clear(typed)
	return secret.Normalise(typed)
}

// client is the engineer's side of one handshake.
type client struct {
	options ClientOptions
	raw     net.Conn
	secret  []byte

	offer               Offer
	offerBytes, claimed []byte
	guessed             bool // what the system counts as an attempt was sent
}

func (c *client) mode() string {
	if c.options.Enrolment != nil {
		return ModeEnrolled
	}
	return ModeSecret
}

// lost names an error of the connection for what it is.
func (c *client) lost(ctx context.Context, err error) error {
	if ctx.Err() == nil && (isNet(err) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)) {
		return &LostError{Guess: c.guessed, err: err}
	}
	return err
}

// tell says to the other side that it was refused, when that is news to it.
func (c *client) tell(err error) error {
	var e *Error
	if errors.As(err, &e) && !e.Remote {
		c.raw.Write(appendMessage(nil, kindRefuse, (&Error{Code: e.Code}).wire()))
	}
	return err
}

// offered reads the offer and checks it against what is known.
func (c *client) offered() (err error) {
	if c.offerBytes, err = readMessage(c.raw, kindOffer); err != nil {
		return err
	}
	if c.offer, err = parseOffer(c.offerBytes); err != nil {
		return err
	}
	o := c.options
	switch {
	case c.offer.System != o.System:
		return refuse(CodeSystem, "%s answered, not %s: somebody led the connection astray", c.offer.System, o.System)
	case o.Session != "" && c.offer.Session != o.Session:
		return refuse(CodeSystem, "the session is %s, not %s: the one that was meant is over, or somebody led the connection astray", c.offer.Session, o.Session)
	}
	if o.HostKey != nil {
		if key, err := c.offer.SSHHostKey(); err != nil || !sameKey(key, o.HostKey) {
			e := &Error{Code: CodeHostKey, Text: "the host key of the system is not the one that was seen before: somebody sits between, or the session is a new one"}
			if err == nil {
				e.Seen = key
			}
			return e
		}
	}
	return nil
}

// claim makes the claim.
func (c *client) claim() (nonce []byte, err error) {
	nonce = make([]byte, nonceSize)
	rand.Read(nonce)
	claim := Claim{
		V: Version, Mode: c.mode(), Certificate: formatKey(c.options.Certificate), Case: c.options.Case,
		Witness: formatKey(c.options.Witness), Nonce: nonce,
	}
	if c.options.Enrolment != nil {
		claim.Enrolment = c.options.Enrolment.ID
	}
	if c.claimed, err = json.Marshal(claim); err != nil {
		return nil, fmt.Errorf("encode claim: %w", err)
	}
	if len(c.claimed) > bounds[kindClaim][1] {
		return nil, refuse(CodeCertificate, "the certificate is too long")
	}
	return nonce, nil
}

func (c *client) withSecret() (*keys, error) {
	nonce, err := c.claim()
	if err != nil {
		return nil, err
	}
	ex, err := pake.New(pake.Initiator, pake.Input{
		Password: c.secret, Channel: channelOf(c.options.System), Session: runOf(c.offer.Session, c.offer.Nonce, nonce),
	})
	if err != nil {
		return nil, err
	}
	defer ex.Clear()
	share := ex.Share()
	c.guessed = true
	if _, err := c.raw.Write(appendMessage(appendMessage(nil, kindClaim, c.claimed), kindShare, share)); err != nil {
		return nil, fmt.Errorf("send claim: %w", err)
	}
	answer, err := readMessage(c.raw, kindAnswer)
	if err != nil {
		return nil, err
	}
	theirs, proof := answer[:shareSize], answer[shareSize:]
	pk, err := ex.Finish(c.claimed, theirs, c.offerBytes)
	if err != nil {
		return nil, malformed("%v", err)
	}
	defer pk.Clear()
	if pk.Verify(proof) != nil {
		return nil, refuse(CodeSecret, "the secret is wrong, or somebody sits between and changed something")
	}
	if _, err := c.raw.Write(appendMessage(nil, kindProof, pk.Tag())); err != nil {
		return nil, fmt.Errorf("send proof: %w", err)
	}
	isk := pk.Key()
	defer clear(isk)
	return derive(isk, []byte(ModeSecret), c.offerBytes, c.claimed, share, theirs)
}

func (c *client) enrolled() (*keys, error) {
	if _, err := c.claim(); err != nil {
		return nil, err
	}
	en := c.options.Enrolment
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	share := private.PublicKey().Bytes()
	mine := prove(en.Key, "engineer", c.offerBytes, c.claimed, share)
	m := appendMessage(nil, kindClaim, c.claimed)
	m = appendMessage(m, kindShare, share)
	if _, err := c.raw.Write(appendMessage(m, kindProof, mine)); err != nil {
		return nil, fmt.Errorf("send claim: %w", err)
	}
	answer, err := readMessage(c.raw, kindAnswer)
	if err != nil {
		return nil, err
	}
	theirs, proof := answer[:shareSize], answer[shareSize:]
	if !hmac.Equal(proof, prove(en.Key, "system", c.offerBytes, c.claimed, share, mine, theirs)) {
		return nil, refuse(CodeSecret, "the other end does not know the enrolment, or somebody sits between and changed something")
	}
	return agree(en, private, theirs, c.offerBytes, c.claimed, share, theirs)
}

// agree derives the keys of a connection in mode enrolled.
func agree(en *Enrolment, private *ecdh.PrivateKey, theirs []byte, said ...[]byte) (*keys, error) {
	public, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return nil, malformed("the share of the other side")
	}
	dh, err := private.ECDH(public)
	if err != nil {
		return nil, malformed("the share of the other side")
	}
	shared := join(en.Key, dh)
	clear(dh)
	defer clear(shared)
	k, err := derive(shared, append([][]byte{[]byte(ModeEnrolled)}, said...)...)
	if err != nil {
		return nil, err
	}
	k.enrolment = Enrolment{ID: en.ID, Key: append([]byte(nil), en.Key...)}
	return k, nil
}
