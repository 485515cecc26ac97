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
)

// ServerOptions are what the system knows about itself.
type ServerOptions struct {
	Offer       Offer         // without version and nonce
	SupportCA   ssh.PublicKey // of the vendor, from enrolment
	SystemNames []string      // names of this system that certificates may be for, beside its id
	Now         func() time.Time
	// Revoked, unless nil, says why a certificate counts no more that is good
	// otherwise; nil lets it be.
	Revoked func(*ssh.Certificate) error
	Timeout time.Duration // 0 means [Timeout]
}

// Accept lets the engineer's side prove itself over raw. On an error raw is
// closed; an [*Error] says what was wrong, and Attempt whether it cost a try.
func (g *Gate) Accept(ctx context.Context, raw net.Conn, o ServerOptions) (_ *Conn, err error) {
	defer func() {
		if err != nil {
			err = because(ctx, err)
			raw.Close()
		}
	}()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = Timeout
	}
	defer bound(ctx, raw, o.Timeout)()
	s := server{gate: g, raw: raw, options: o}
	c, err := s.run()
	if err != nil {
		return nil, s.tell(err)
	}
	return c, nil
}

// server is the system's side of one handshake.
type server struct {
	gate    *Gate
	raw     net.Conn
	options ServerOptions

	offer                      Offer
	replaced                   bool
	offerBytes, claimed, share []byte
}

// tell says to the other side why it was refused.
func (s *server) tell(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: CodeInternal, Text: "the system could not go on"}
		if isNet(err) {
			return err
		}
	}
	if e.Remote {
		return err
	}
	// The engineer's side may still be sending. What it sends is read away, or
	// closing would reset the connection before the refusal is read.
	s.raw.SetDeadline(time.Now().Add(farewell))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		io.CopyN(io.Discard, s.raw, 64<<10)
	}()
	s.raw.Write(appendMessage(nil, kindRefuse, e.wire()))
	<-gone
	return err
}

// farewell bounds how long a refused side is listened to.
const farewell = 2 * time.Second

func isNet(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}

func (s *server) run() (*Conn, error) {
	if err := s.sendOffer(); err != nil {
		return nil, err
	}
	var err error
	if s.claimed, err = readMessage(s.raw, kindClaim); err != nil {
		return nil, err
	}
	claim, err := parseClaim(s.claimed)
	if err != nil {
		return nil, err
	}
	peer, err := s.check(claim)
	if err != nil {
		return nil, err
	}
	if s.share, err = readMessage(s.raw, kindShare); err != nil {
		return nil, err
	}
	var k *keys
	if claim.Mode == ModeSecret {
		k, err = s.withSecret(claim, peer)
	} else {
		k, err = s.enrolled(claim, peer)
	}
	if err != nil {
		return nil, err
	}
	c := newConn(s.raw, s.offer, peer, k, true)
	c.replaced = s.replaced
	return c, nil
}

func (s *server) sendOffer() (err error) {
	s.offer = s.options.Offer
	s.offer.V = Version
	s.offer.Expires = s.offer.Expires.UTC().Truncate(time.Second)
	s.offer.Nonce = make([]byte, nonceSize)
	rand.Read(s.offer.Nonce)
	if err := s.offer.check(); err != nil {
		return fmt.Errorf("the offer of this system: %s", err)
	}
	if s.offerBytes, err = json.Marshal(s.offer); err != nil {
		return fmt.Errorf("encode offer: %w", err)
	}
	if len(s.offerBytes) > bounds[kindOffer][1] {
		return errors.New("the offer of this system is too long")
	}
	if _, err := s.raw.Write(appendMessage(nil, kindOffer, s.offerBytes)); err != nil {
		return fmt.Errorf("send offer: %w", err)
	}
	return nil
}

// check looks at everything in the claim that needs no secret.
func (s *server) check(c Claim) (Peer, error) {
	names := append([]string{s.offer.System}, s.options.SystemNames...)
	cert, err := checkCertificate(c.Certificate, s.options.SupportCA, names, s.options.Now())
	if err != nil {
		return Peer{}, err
	}
	if s.options.Revoked != nil {
		if err := s.options.Revoked(cert); err != nil {
			return Peer{}, refuse(CodeCertificate, "%s", err)
		}
	}
	witness, err := parseKey(c.Witness)
	if err != nil || witness.Type() != ssh.KeyAlgoED25519 {
		return Peer{}, refuse(CodeClaim, "the witness key is not an ed25519 key")
	}
	return Peer{Engineer: cert.KeyId, Certificate: cert, Case: c.Case, Witness: witness, Mode: c.Mode}, nil
}

func (s *server) withSecret(c Claim, p Peer) (_ *keys, err error) {
	a, err := s.gate.begin(s.offer.System, runOf(s.offer.Session, s.offer.Nonce, c.Nonce))
	if err != nil {
		return nil, err
	}
	defer a.unanswered() // unless it is decided by then
	mine := a.exchange.Share()
	pk, err := a.exchange.Finish(s.offerBytes, s.share, s.claimed)
	if errors.Is(err, pake.ErrShare) {
		return nil, malformed("%v", err) // a guess cannot be made with it
	}
	if err != nil {
		return nil, err
	}
	defer pk.Clear()
	if err := a.count(); err != nil {
		return nil, err
	}
	// From here on the other side may know whether it guessed right.
	wrong := func() error {
		a.failed()
		return &Error{Code: CodeSecret, Attempt: true, Text: "the secret is wrong, or somebody sits between and changed something"}
	}
	if _, err := s.raw.Write(appendMessage(nil, kindAnswer, append(mine, pk.Tag()...))); err != nil {
		return nil, fmt.Errorf("%w (%s)", wrong(), err)
	}
	proof, err := readMessage(s.raw, kindProof)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", wrong(), err)
	}
	if pk.Verify(proof) != nil {
		return nil, wrong()
	}
	a.right()
	isk := pk.Key()
	defer clear(isk)
	k, err := derive(isk, []byte(ModeSecret), s.offerBytes, s.claimed, s.share, mine)
	if err != nil {
		return nil, err
	}
	return k, s.gate.enrol(k, p.Certificate, s.options.Now(), a.generation)
}

func (s *server) enrolled(c Claim, p Peer) (*keys, error) {
	proof, err := readMessage(s.raw, kindProof)
	if err != nil {
		return nil, err
	}
	en, replaced, err := s.gate.lookup(c.Enrolment, p.Certificate, s.options.Now())
	if err != nil {
		return nil, err
	}
	defer en.Clear()
	s.replaced = replaced
	if !hmac.Equal(proof, prove(en.Key, "engineer", s.offerBytes, s.claimed, s.share)) {
		return nil, refuse(CodeSecret, "the proof does not fit the enrolment, or somebody sits between and changed something")
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	mine := private.PublicKey().Bytes()
	k, err := agree(en, private, s.share, s.offerBytes, s.claimed, s.share, mine)
	if err != nil {
		return nil, err
	}
	answer := append(append([]byte(nil), mine...), prove(en.Key, "system", s.offerBytes, s.claimed, s.share, proof, mine)...)
	if _, err := s.raw.Write(appendMessage(nil, kindAnswer, answer)); err != nil {
		return nil, fmt.Errorf("send answer: %w", err)
	}
	return k, nil
}
