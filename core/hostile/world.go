package hostile

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/secret"
)

// world is what one case has: the relay, a system with an agent that runs, and
// an engineer. Everything is real but the relay's heart, and on loopback.
type world struct {
	*relay
	*system
	ctx context.Context
	dir string
	eng *engineer

	mu     sync.Mutex
	secret []string // that the relay must never have seen
	others []*system
	detour string // where connections to the relay go instead; "": to it
}

// dial is how everybody reaches the relay.
func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	if w.detour != "" {
		address = w.detour
	}
	w.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// lead makes connections to the relay end elsewhere.
func (w *world) lead(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.detour = address
}

// system is a machine of a customer.
type system struct {
	w      *world
	root   paths.Root
	id     string
	vendor identity.Vendor // as pinned
	agent  *agent.Agent
	clock  *hand
	stop   func() error
	told   string // the secret of the session
	let    int    // connections that were let in rightly
	may    int    // and that may have been let in rightly: nobody could know
}

// engineer is one of the vendor's, with a key and a certificate.
type engineer struct {
	w      *world
	name   string
	key    ssh.Signer
	cert   *ssh.Certificate
	client *client.Client
	cache  *connect.Cache
	events chan connect.Event
}

// administrator turns things on and off. The system is one in a scratch
// directory, so whoever runs the suite may be its root.
var administrator = control.Caller{UID: 0, User: "root"}

// hand is a clock that a case moves.
type hand struct {
	mu         sync.Mutex
	wall, boot time.Duration // ahead of the machine's
	began      time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Round(0).Add(h.wall)
}

func (h *hand) Boot() (time.Duration, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Hour + time.Since(h.began) + h.boot, "boot", nil
}

// move moves either clock: a suspend moves both, whoever sets the time of day
// only that.
func (h *hand) move(wall, boot time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wall += wall
	h.boot += boot
}

// newWorld starts everything below dir, with remote access on.
func newWorld(ctx context.Context, dir string) (_ *world, err error) {
	w := &world{ctx: ctx, dir: dir}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.relay, err = newRelay(ctx); err != nil {
		return nil, err
	}
	if w.system, err = w.newSystem("array-7"); err != nil {
		return nil, err
	}
	if w.eng, err = w.newEngineer("ada"); err != nil {
		return nil, err
	}
	return w, w.on(w.request())
}

func (w *world) close() {
	for _, s := range append(w.others, w.system) {
		if s != nil && s.stop != nil {
			s.stop()
		}
	}
	if w.relay != nil {
		w.relay.close()
	}
}

// newSystem enrols a system and starts its agent.
func (w *world) newSystem(name string) (*system, error) {
	root, err := paths.New(filepath.Join(w.dir, name))
	if err != nil {
		return nil, err
	}
	if err := root.Make(); err != nil {
		return nil, err
	}
	id, err := identity.Open(root.Identity())
	if err != nil {
		return nil, err
	}
	// Hundreds of secrets are made, and to hash them is most of the work.
	if err := secret.Trial(root.Secrets()); err != nil {
		return nil, err
	}
	s := &system{w: w, root: root, id: id.ID(), vendor: w.relay.vendor.record, clock: &hand{began: time.Now()}}
	s.vendor.System = name
	if err := id.Pin(s.vendor, false); err != nil {
		return nil, err
	}
	return s, s.start()
}

// start runs the agent until stop.
func (s *system) start() error {
	o := agent.Options{Version: "hostile", Clock: s.clock}
	a, err := agent.Open(s.root, o.Direct(s.w.dial))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.w.ctx))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	s.agent = a
	s.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, a.Close())
	})
	return s.w.until("the agent answers", func() bool {
		c, err := control.Dial(s.w.ctx, s.root.ControlSocket())
		if err != nil {
			return false
		}
		_, err = c.Status(s.w.ctx, control.Caller{})
		return err == nil
	})
}

// on opens the session.
func (s *system) on(req control.OnRequest) error {
	o, err := s.agent.On(s.w.ctx, administrator, req)
	if err != nil {
		return fmt.Errorf("turn remote access on: %w", err)
	}
	s.told = o.Secret
	if len(req.Secret) > 0 {
		s.told = string(req.Secret)
	}
	s.w.hide(s.told)
	return nil
}

// off ends the session and says how long that took.
func (s *system) off() (control.Ended, time.Duration, error) {
	begin := time.Now()
	e, err := s.agent.Off(s.w.ctx, administrator)
	return e, time.Since(begin), err
}

// renew makes a new secret, with all tries.
func (s *system) renew() error {
	got, err := s.agent.Secret(s.w.ctx, administrator, control.SecretRequest{New: true})
	if err != nil {
		return err
	}
	s.told = got.Secret
	s.w.hide(s.told)
	return nil
}

// fresh sees to it that there is a secret with two tries at least. Making one
// costs a tenth of a second, for the memory of old ones.
func (s *system) fresh() error {
	if now := s.state(); now.SecretGood && now.TriesLeft >= 2 {
		return nil
	}
	return s.renew()
}

// state is that of the session.
func (s *system) state() control.Session {
	now, err := s.agent.Session(s.w.ctx, administrator)
	if err != nil {
		return control.Session{State: err.Error()}
	}
	return now
}

// events are the records of some types, oldest first.
func (s *system) events(types ...audit.Type) []audit.Record {
	var all []audit.Record
	for r, err := range audit.Read(s.root.Audit()) {
		if err != nil {
			break
		}
		if slices.Contains(types, r.Type) {
			all = append(all, r)
		}
	}
	return all
}

// hide names what the relay must never see.
func (w *world) hide(texts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range texts {
		w.secret = append(w.secret, t)
		if bare := strings.ReplaceAll(t, "-", ""); bare != t {
			w.secret = append(w.secret, bare)
		}
	}
}

func (w *world) hidden() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.secret)
}

// canary is a text that stands nowhere else, and that the relay must not see.
func (w *world) canary(what string) string {
	b := make([]byte, 12)
	rand.Read(b)
	text := what + hex.EncodeToString(b)
	w.hide(text)
	return text
}

// until waits for what happens at once, or in some seconds.
func (w *world) until(what string, f func() bool) error {
	for deadline := time.Now().Add(slow); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || w.ctx.Err() != nil {
			return fmt.Errorf("it does not happen: %s", what)
		}
	}
	return nil
}

// newEngineer makes an engineer whom the vendor vouches for.
func (w *world) newEngineer(name string) (*engineer, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	e := &engineer{w: w, name: name, key: key, events: make(chan connect.Event, 64)}
	if e.cert, err = connect.Certify(w.relay.vendor.supportCA, connect.CertificateRequest{Key: key.PublicKey(), Name: name, Valid: time.Hour}); err != nil {
		return nil, err
	}
	if e.cache, err = connect.OpenCache(filepath.Join(w.dir, "engineer-"+name)); err != nil {
		return nil, err
	}
	e.client, err = client.ForEngineer(w.address, w.relay.vendor.pin(), key.PublicKey(), client.KeySigner(key), w.dial)
	return e, err
}

// options are those of the engineer's program for a system.
func (e *engineer) options(s *system, secret string) connect.Options {
	o := connect.Options{
		Relay: e.client, RelayKey: e.w.relay.vendor.receipt.PublicKey(), System: s.id, Name: s.vendor.System, Certificate: e.cert, Case: "INF-7", Cache: e.cache,
		Once: true, // what an attack did must not be made good by another connection, which it left alone
		Notify: func(ev connect.Event) {
			select {
			case e.events <- ev:
			default:
			}
		},
	}
	if secret != "" {
		o.Secret = func() ([]byte, error) { return []byte(secret), nil }
	}
	return o
}

// dial goes in with the secret, or with the enrolment where there is one.
func (e *engineer) dial(s *system) (*connect.Conn, error) { return e.dialFor(s, slow) }

// dialFor gives up after some time.
func (e *engineer) dialFor(s *system, limit time.Duration) (*connect.Conn, error) {
	ctx, cancel := context.WithTimeout(e.w.ctx, limit)
	defer cancel()
	return connect.Dial(ctx, e.options(s, s.told))
}

// visit is an engineer who is in.
type visit struct {
	e    *engineer
	conn *connect.Conn
	ssh  *ssh.Client
}

// enter goes in, which must succeed.
func (e *engineer) enter(s *system) (*visit, error) {
	conn, err := e.dial(s)
	if err != nil {
		return nil, fmt.Errorf("%s cannot enter: %w", e.name, err)
	}
	v, err := e.speak(conn)
	if err != nil {
		return nil, err
	}
	s.let++
	if kept, err := e.cache.Get(s.id, time.Now()); err == nil && kept != nil {
		e.w.hide(string(kept.Key))
	}
	return v, nil
}

// speak speaks SSH on a connection.
func (e *engineer) speak(conn *connect.Conn) (*visit, error) {
	signer, err := ssh.NewCertSigner(e.cert, e.key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(e.w.ctx, slow)
	defer cancel()
	c, err := conn.SSH(ctx, signer, nil)
	if err != nil {
		conn.Abort("")
		return nil, fmt.Errorf("%s cannot speak SSH: %w", e.name, err)
	}
	return &visit{e, conn, c}, nil
}

func (v *visit) leave() {
	v.ssh.Close()
	v.conn.Close()
}

// run runs a command and returns what it said.
func (v *visit) run(command string) (string, error) {
	s, err := v.ssh.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	var out bytes.Buffer
	s.Stdout = &out
	err = s.Run(command)
	return out.String(), err
}

// works checks that a command says what it should.
func (v *visit) works() error {
	text := v.e.w.canary("works")
	// Not in one piece in the command, so that only the answer has it.
	got, err := v.run(fmt.Sprintf("printf %%s%%s %s %s", text[:9], text[9:]))
	if err != nil || got != text {
		return fmt.Errorf("a command says %.40q (%v)", got, err)
	}
	return nil
}

// copyTo writes a file on the system, and copyFrom reads one.
func (v *visit) copyTo(path string, b []byte) error {
	c, err := sftp.NewClient(v.ssh)
	if err != nil {
		return err
	}
	defer c.Close()
	f, err := c.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.ReadFrom(bytes.NewReader(b)); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func (v *visit) copyFrom(path string) ([]byte, error) {
	c, err := sftp.NewClient(v.ssh)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	f, err := c.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// honest checks that the system still lets its engineer in and serves him, once
// the relay behaves: what was done to it has broken nothing.
func (w *world) honest() error {
	w.set(plan{})
	v, err := w.eng.enter(w.system)
	if err != nil {
		return err
	}
	defer v.leave()
	return v.works()
}

// scratch is a file below the system's directory that the engineer may use.
func (w *world) scratch(name string) (string, error) {
	dir := filepath.Join(w.dir, "files")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// request is what every session is opened with.
func (w *world) request() control.OnRequest { return control.OnRequest{For: "1h", Case: "INF-7"} }
