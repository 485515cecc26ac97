package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/connect/transfer"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// A site is our product, installed: a relay, a system, an engineer.
type site struct {
	b            *bench
	slow         *delay // between system and relay, or nil
	rss, agent   *process
	vendor, root string // directories of relay and system
	listen       string
	engineer     *client.Client
	relayKey     ssh.PublicKey
	key, signer  ssh.Signer // signer: with the certificate
	cert         *ssh.Certificate
	system       string // id
	control      *control.Client
}

// atRest is how long nothing was done before a session is opened: as on a system
// where nobody did anything of late, a transport is ready.
const atRest = 2 * time.Second

// oneWay is the delay of the slow path in each direction.
const oneWay = 25 * time.Millisecond

func ours(*bench) candidate {
	return candidate{
		name: "Latchstring",
		start: func(ctx context.Context, b *bench, slow bool) (way, error) {
			s, err := b.site(ctx, slow)
			if err != nil {
				return nil, err
			}
			return s.open(ctx)
		},
		usable: func(ctx context.Context, b *bench, slow bool) (first, echo time.Duration, err error) {
			s, err := b.site(ctx, slow)
			if err != nil {
				return 0, 0, err
			}
			return s.usable(ctx)
		},
	}
}

// site sets the product up on a path, once.
func (b *bench) site(ctx context.Context, slow bool) (*site, error) {
	if s := b.sites[slow]; s != nil {
		return s, nil
	}
	s := &site{b: b, listen: freePort(), vendor: filepath.Join(b.dir, fmt.Sprintf("vendor-%t", slow)), root: filepath.Join(b.dir, fmt.Sprintf("sa-%t", slow))}
	address := s.listen
	if slow {
		var err error
		if s.slow, err = newDelay(s.listen, oneWay); err != nil {
			return nil, err
		}
		address = s.slow.address
	}
	b.sites[slow] = s
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return s.relay(ctx, address) }, s.known, s.enrol,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *site) relay(ctx context.Context, address string) error {
	if _, err := s.b.command(ctx, "rss", "init", "--root", s.vendor, "--name", "Bench", "--address", address, "--listen", s.listen); err != nil {
		return err
	}
	if err := unlimited(s.vendor); err != nil {
		return err
	}
	var err error
	if s.rss, err = s.b.spawn("rss", "serve", "--root", s.vendor); err != nil {
		return err
	}
	return s.rss.answers(ctx, "unix", filepath.Join(s.vendor, "run", "rss.sock"))
}

// unlimited takes away what keeps one engineer from doing what a bench does.
func unlimited(vendor string) error {
	root, err := paths.New(vendor)
	if err != nil {
		return err
	}
	file := setup.At(root).Config
	c, err := setup.ReadConfig(file)
	if err != nil {
		return err
	}
	c.Limits.KeepFree = 0
	c.Remote.EngineerRate, c.Remote.SystemRate = 10_000, 100_000
	c.Remote.SourceRate, c.Remote.PerSource = 100_000, 50_000
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// known makes an engineer with a key and a certificate.
func (s *site) known(ctx context.Context) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	if s.key, err = ssh.NewSignerFromKey(private); err != nil {
		return err
	}
	pub, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	file := s.vendor + "-ada.pub"
	if err := os.WriteFile(file, ssh.MarshalAuthorizedKey(pub), 0o600); err != nil {
		return err
	}
	if _, err := s.b.command(ctx, "rss", "engineers", "add", "--root", s.vendor, "ada", "--key-file", file, "--role", "access"); err != nil {
		return err
	}
	ca, err := identity.LoadKey(filepath.Join(s.vendor, "var", "rss", "move-to-engineers", setup.SupportCAName))
	if err != nil {
		return err
	}
	if s.cert, err = connect.Certify(ca, connect.CertificateRequest{Name: "ada", Valid: 6 * time.Hour, Key: pub}); err != nil {
		return err
	}
	s.signer, err = ssh.NewCertSigner(s.cert, s.key)
	return err
}

// enrol makes the system known and starts its agent, and logs the engineer in.
func (s *site) enrol(ctx context.Context) error {
	token, err := s.b.command(ctx, "rss", "token", "new", "--root", s.vendor, "--system", "array-7")
	if err != nil {
		return err
	}
	file := s.root + ".token"
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		return err
	}
	if _, err := s.b.command(ctx, "remote-support", "enroll", "--root", s.root, "--token-file", file); err != nil {
		return err
	}
	if s.agent, err = s.b.spawn("remote-support", "serve", "--root", s.root); err != nil {
		return err
	}
	socket := filepath.Join(s.root, "run", "control.sock")
	if err := s.agent.answers(ctx, "unix", socket); err != nil {
		return err
	}
	if s.control, err = control.Dial(ctx, socket); err != nil {
		return err
	}
	return s.login(ctx, token)
}

func (s *site) login(ctx context.Context, token string) error {
	pin := api.Pin{}
	for word := range strings.FieldsSeq(token) {
		if p, err := api.ParsePin(word); err == nil {
			pin = p
		}
	}
	var err error
	if s.engineer, err = client.ForEngineer(s.listen, pin, s.key.PublicKey(), client.KeySigner(s.key), nil); err != nil {
		return err
	}
	vendor, err := s.engineer.Vendor(ctx)
	if err != nil {
		return err
	}
	if s.relayKey, err = vendor.ReceiptPublicKey(); err != nil {
		return err
	}
	found, err := connect.Find(ctx, s.engineer, "array-7")
	s.system = found.ID
	return err
}

func (s *site) on(ctx context.Context) (secret string, err error) {
	o, err := s.control.On(ctx, control.Self(), control.OnRequest{For: "1h", Case: "bench"})
	return o.Secret, err
}

func (s *site) off(ctx context.Context) error {
	_, err := s.control.Off(ctx, control.Self())
	return err
}

func (s *site) close() {
	for _, p := range []*process{s.agent, s.rss} {
		if p != nil {
			p.end()
		}
	}
}

// enter is the engineer's way in.
func (s *site) enter(ctx context.Context, secret string) (*ssh.Client, error) {
	conn, err := connect.Dial(ctx, connect.Options{Relay: s.engineer, RelayKey: s.relayKey, System: s.system, Certificate: s.cert, SSH: true,
		Secret: func() ([]byte, error) { return []byte(secret), nil }})
	if err != nil {
		return nil, err
	}
	c, err := conn.SSH(ctx, s.signer, nil)
	if err != nil {
		conn.Close()
	}
	return c, err
}

// inside is one connection of the engineer.
type inside struct {
	s      *site
	c      *ssh.Client
	secret string
}

// open opens a session and goes in.
func (s *site) open(ctx context.Context) (*inside, error) {
	secret, err := s.on(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.enter(ctx, secret)
	if err != nil {
		return nil, errors.Join(err, s.off(ctx))
	}
	return &inside{s, c, secret}, nil
}

func (i *inside) Name() string { return "Latchstring" }

func (i *inside) Relay() int { return i.s.rss.pid() }

func (i *inside) Dial(ctx context.Context) (net.Conn, error) {
	return i.c.DialContext(ctx, "tcp", i.s.b.target)
}

// another is a second connection of the same engineer.
func (i *inside) another(ctx context.Context) (*inside, error) {
	c, err := i.s.enter(ctx, i.secret)
	return &inside{i.s, c, i.secret}, err
}

func (i *inside) Close() {
	i.c.Close()
	i.s.off(context.Background())
}

// output reads what a command prints, which is recorded.
func (i *inside) output(n int64) error {
	x, err := i.c.NewSession()
	if err != nil {
		return err
	}
	defer x.Close()
	got := new(counter)
	x.Stdout = got
	if err := x.Run(fmt.Sprintf("head -c %d /dev/zero", n)); err != nil {
		return err
	}
	if int64(*got) != n {
		return fmt.Errorf("a command printed %d of %d bytes", *got, n)
	}
	return nil
}

// copied fetches a file as support cp does.
func (i *inside) copied(ctx context.Context, n int64) error {
	file := filepath.Join(i.s.b.dir, "copied")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(n), f.Close()); err != nil {
		return err
	}
	to := file + "-here"
	defer os.Remove(to)
	t, err := transfer.New(i.c, transfer.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	p, err := t.Download(ctx, []string{file}, to)
	if err != nil {
		return err
	}
	r, err := t.Run(ctx, p)
	if err == nil && (r.Bytes != n || r.Compared != 1) {
		err = fmt.Errorf("support cp moved %d of %d bytes and compared %d files", r.Bytes, n, r.Compared)
	}
	return err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

var _ io.Writer = (*counter)(nil)

// usable opens two sessions: for the first byte, and for an echo.
func (s *site) usable(ctx context.Context) (first, echo time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	time.Sleep(atRest)
	began := time.Now()
	if _, err := s.on(ctx); err != nil {
		return 0, 0, err
	}
	opened := time.Since(began)
	err = s.firstByte(ctx)
	first = time.Since(began)
	if err := errors.Join(err, s.off(ctx)); err != nil {
		return 0, 0, err
	}
	path := map[bool]string{false: "loopback", true: "50 ms"}[s.slow != nil]
	s.b.results.add(path+": of that until the relay knows of the session, ms", us, opened.Seconds()*1000)

	time.Sleep(atRest)
	began = time.Now()
	in, err := s.open(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer in.Close()
	echo, err = firstEcho(ctx, in, began)
	return first, echo, err
}

// firstByte connects and waits until the system speaks: the offer of the
// handshake.
func (s *site) firstByte(ctx context.Context) error {
	conn, err := link.Dial(ctx, s.engineer, s.relayKey, msg.PathConnect, url.Values{msg.QuerySystem: {s.system}})
	if err != nil {
		return err
	}
	defer conn.Close()
	m, err := msg.NewReader(conn).Next()
	if err != nil {
		return err
	}
	if _, ok := m.(*msg.Start); !ok {
		return fmt.Errorf("the relay says %T", m)
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

func firstEcho(ctx context.Context, w way, began time.Time) (time.Duration, error) {
	c, err := w.Dial(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := request(c, wantEcho, 0); err != nil {
		return 0, err
	}
	if _, err := roundTrip(c, make([]byte, 64)); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// privateKey writes a key as OpenSSH has it.
func privateKey(file string) (public string, err error) {
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(private, "bench")
	if err != nil {
		return "", err
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", err
	}
	return string(ssh.MarshalAuthorizedKey(key)), os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}
