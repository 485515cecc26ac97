package connecttest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/connect/side"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/tunnel"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// System is a system with an open session, and the relay and the engineer that
// go with it.
type System struct {
	*relaytest.Pair
	Secret     string
	Session    msg.Hello
	Policy     *Policy
	Gate       *handshake.Gate
	HostKey    ssh.Signer
	Recordings string // directory
	home       string // of shells
	AuditDir   string
	Customer   *age.X25519Identity // opens recordings

	// KeyFile is the key of the engineer grace, with her certificate beside it
	// as OpenSSH has it; Key and Cert are the same. Options are hers.
	KeyFile string
	Key     ssh.Signer
	Cert    *ssh.Certificate

	Near *Line // engineer to relay
	Far  *Line // system to relay

	// Approve, if set before a connection comes, is asked about it. Until it
	// returns the engineer waits.
	Approve func(ctx context.Context, p handshake.Peer) error

	// Before, if set before a connection comes, is called when the system was
	// reached and has not said anything yet.
	Before func()

	t      testing.TB
	table  resume.Table
	log    *audit.Log
	stop   context.CancelFunc
	ended  chan struct{}
	mu     sync.Mutex
	open   map[string]*resume.Stream // by connection
	byID   map[string]*resume.Stream
	closed []record.Summary
}

// Keep is how long a stream without a connection is kept: less than on a real
// system, so that tests do not wait.
const Keep = 20 * time.Second

// New starts everything. It ends with the test.
func New(t testing.TB, change ...func(*relaytest.Relay)) *System {
	t.Helper()
	s := &System{home: t.TempDir(), Pair: relaytest.NewPair(t, change...), Secret: "7KQ2-9XWD-M4TR-H8PV", Policy: &Policy{}, t: t, open: map[string]*resume.Stream{}, byID: map[string]*resume.Stream{}}
	s.Near, s.Far = NewLine(t, s.Address), NewLine(t, s.Address)
	dir := t.TempDir()
	s.Recordings, s.AuditDir = filepath.Join(dir, "recordings"), filepath.Join(dir, "audit")
	var err error
	if s.log, err = audit.Open(s.AuditDir); err != nil {
		t.Fatal(err)
	}
	if s.Customer, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	s.HostKey = NewKey(t)
	s.addEngineer(filepath.Join(dir, "grace"))
	s.Open()
	t.Cleanup(func() { s.Close(); s.log.Close() })
	return s
}

func (s *System) addEngineer(path string) {
	s.t.Helper()
	key, err := identity.MakeKey(path, "grace")
	if err != nil {
		s.t.Fatal(err)
	}
	req := relay.AddEngineerRequest{Name: "grace", Key: identity.FormatKey(key.PublicKey()), Roles: []string{"access"}}
	if err := relay.Local(s.Server).Call(s.t.Context(), "POST", "/admin/engineers", req, nil); err != nil {
		s.t.Fatal(err)
	}
	s.KeyFile, s.Key = path, key
	s.Certify(connect.CertificateRequest{Name: "grace", Valid: time.Hour})
}

// Certify gives the engineer another certificate.
func (s *System) Certify(r connect.CertificateRequest) {
	s.t.Helper()
	r.Key = s.Key.PublicKey()
	cert, err := connect.Certify(s.SupportCA, r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Cert = cert
	if err := os.WriteFile(s.KeyFile+"-cert.pub", ssh.MarshalAuthorizedKey(cert), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// Rekey gives the system another host key in the middle of its session, as
// somebody in between would.
func (s *System) Rekey() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.HostKey = NewKey(s.t)
}

func (s *System) hostKey() ssh.Signer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.HostKey
}

// NewKey makes an ed25519 key.
func NewKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Open opens a session, with a new id, and returns when the relay knows of it.
func (s *System) Open() {
	s.t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	s.Session = msg.Hello{V: msg.Version, Session: api.NewSessionID(), Since: now, Expires: now.Add(time.Hour), Name: "array-7"}
	gate, err := handshake.New([]byte(s.Secret), handshake.GateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Gate = gate
	cl, err := client.ForSystem(s.System, s.Vendor, through(s.Far))
	if err != nil {
		s.t.Fatal(err)
	}
	relayKey, err := s.Vendor.ReceiptPublicKey()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan struct{})
	up := make(chan struct{})
	var once sync.Once
	o := tunnel.Options{Relay: cl, RelayKey: relayKey, Session: s.Session, Serve: s.serve, State: func(st tunnel.State) {
		if st.Kind == tunnel.Up {
			once.Do(func() { close(up) })
		}
	}}
	go func() {
		defer close(s.ended)
		if err := tunnel.Run(ctx, o); err != nil && ctx.Err() == nil {
			s.t.Errorf("tunnel: %v", err)
		}
		cl.Close()
	}()
	select {
	case <-up:
	case <-time.After(20 * time.Second):
		s.t.Fatal("the session does not open")
	}
}

// Close ends the session: everybody is cut.
func (s *System) Close() {
	if s.stop == nil {
		return
	}
	s.Gate.Close()
	for _, st := range s.streams() {
		st.Abort("the session is over")
	}
	s.stop()
	<-s.ended
	s.stop = nil
}

func through(l *Line) client.DialFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, l.Address)
	}
}

func (s *System) streams() []*resume.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*resume.Stream
	for _, st := range s.open {
		out = append(out, st)
	}
	return out
}

// Cut ends every connection for a reason, as a customer does.
func (s *System) Cut(reason string) {
	for _, st := range s.streams() {
		st.Abort(reason)
	}
}

// Closed are the recordings of connections that are over.
func (s *System) Closed() []record.Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]record.Summary(nil), s.closed...)
}

// serve is one engineer's connection.
func (s *System) serve(ctx context.Context, conn net.Conn, start tunnel.Start) {
	ca, err := identity.ParseKey(s.Vendor.SupportCA)
	if err != nil {
		s.t.Error(err)
		conn.Close()
		return
	}
	if s.Before != nil {
		s.Before()
	}
	hs, err := s.Gate.Accept(ctx, conn, handshake.ServerOptions{
		Offer:     handshake.Offer{System: s.System.ID(), Session: s.Session.Session, HostKey: identity.FormatKey(s.hostKey().PublicKey()), Expires: s.Session.Expires},
		SupportCA: ca, SystemNames: []string{s.Vendor.System},
	})
	if err != nil {
		return
	}
	defer hs.Forget()
	req, err := hs.Requested(ctx)
	if err != nil {
		hs.Close()
		return
	}
	if req.Enrol {
		hs.Grant(ctx, "", 0)
		hs.Close()
		return
	}
	if !req.Open {
		s.attach(ctx, hs, req)
		return
	}
	if err := s.approve(ctx, hs); err != nil {
		hs.Deny(ctx, handshake.CodeDenied, err.Error())
		return
	}
	s.work(ctx, hs, start)
}

func (s *System) attach(ctx context.Context, hs *handshake.Conn, req handshake.Request) {
	a := resume.Attachment{Stream: req.Stream, Received: req.Received, Proof: req.Proof, Binding: hs.Binding()}
	err := s.table.Attach(a, func(received uint64) (net.Conn, error) {
		if err := hs.Grant(ctx, req.Stream, received); err != nil {
			return nil, errors.Join(err, hs.Close())
		}
		return hs.Raw(), nil
	})
	if errors.Is(err, resume.ErrNoStream) {
		hs.Deny(ctx, handshake.CodeStream, "the connection is over")
	}
	if err != nil {
		return
	}
	s.mu.Lock()
	st := s.byID[req.Stream]
	s.mu.Unlock()
	if st == nil {
		return
	}
	select { // the connection is closed when this returns
	case <-st.Lost():
	case <-ctx.Done():
	}
}

func (s *System) approve(ctx context.Context, hs *handshake.Conn) error {
	if s.Approve == nil {
		return nil
	}
	hold, done := context.WithCancel(ctx)
	held := make(chan struct{})
	go func() {
		defer close(held)
		hs.Hold(hold, "the customer's approval", time.Now().Add(5*time.Minute))
	}()
	err := s.Approve(ctx, hs.Peer())
	done()
	<-held
	return err
}

// work serves the stream of a connection until it is over.
func (s *System) work(ctx context.Context, hs *handshake.Conn, start tunnel.Start) {
	rec, heads, err := s.record(hs.Peer(), start)
	if err != nil {
		s.t.Error(err)
		hs.Close()
		return
	}
	id, st, err := s.table.Open(hs.StreamKey(), resume.Options{Keep: Keep, Side: heads.Side})
	if err != nil {
		s.t.Error(err)
		hs.Close()
		return
	}
	s.mu.Lock()
	s.open[start.Connection], s.byID[id] = st, st
	s.mu.Unlock()
	if err = hs.Grant(ctx, id, 0); err == nil {
		err = st.Attach(hs.Raw(), 0)
	}
	if err == nil {
		p := hs.Peer()
		tell, told := context.WithCancel(ctx)
		go heads.Tell(tell, st)
		access.Serve(ctx, side.Hold(st), access.Options{
			HostKey: s.hostKey(), Policy: s.Policy, Record: rec, Audit: s.log, Log: slog.New(slog.DiscardHandler),
			Env:  []string{"HOME=" + s.home}, // whose shells read nobody's profile
			Peer: access.Peer{Engineer: p.Engineer, Case: p.Case, From: start.From, Connection: start.Connection, Session: s.Session.Session, Certificate: p.Certificate},
		})
		told()
		side.Drain(st)
	}
	sum, err := heads.Close(st, "the connection is over")
	st.Close()
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, start.Connection)
	delete(s.byID, id)
	s.closed = append(s.closed, sum)
}

// record starts the recording, whose heads go to the engineer to be witnessed.
func (s *System) record(p handshake.Peer, start tunnel.Start) (*record.Recording, *side.Heads, error) {
	rec, err := record.Start(record.Options{
		Dir: s.Recordings, ID: start.Connection, Session: s.Session.Session, Engineer: p.Engineer, Case: p.Case, From: start.From, System: s.System.ID(),
		Signer: s.System.Signer(), Recipients: []age.Recipient{s.Customer.Recipient()}, Witness: p.Witness,
	})
	if err != nil {
		return nil, nil, err
	}
	return rec, side.NewHeads(rec, slog.New(wrong{slog.DiscardHandler, s.t})), nil
}

// wrong fails the test when a counter-signature does not hold.
type wrong struct {
	slog.Handler
	t testing.TB
}

func (wrong) Enabled(context.Context, slog.Level) bool { return true }

func (w wrong) Handle(_ context.Context, r slog.Record) error {
	w.t.Error(r.Message)
	return nil
}

// Options are those of the engineer, through the near line; with an empty secret
// there must be an enrolment.
func (s *System) Options(secret string) connect.Options {
	pin := s.Loaded.Pin()
	cl, err := client.ForEngineer(s.Address, pin, s.Key.PublicKey(), client.KeySigner(s.Key), through(s.Near))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(cl.Close)
	o := connect.Options{Relay: cl, RelayKey: s.Loaded.ReceiptKey.PublicKey(), System: s.System.ID(), Name: "array-7", Certificate: s.Cert}
	if secret != "" {
		o.Secret = func() ([]byte, error) { return []byte(secret), nil }
	}
	return o
}

// CertSigner is the engineer's key with his certificate.
func (s *System) CertSigner() ssh.Signer {
	signer, err := ssh.NewCertSigner(s.Cert, s.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	return signer
}
