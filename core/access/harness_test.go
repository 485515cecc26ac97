package access

import (
	"bytes"
	"context"
	"crypto/ed25519"
	cryptorand "crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// memory is a recorder and an audit log that keep all they get.
type memory struct {
	mu     sync.Mutex
	output map[uint32][]byte
	sizes  []string
	notes  []record.Note
	events []audit.Event
	fail   error // of Output
}

func (m *memory) Resize(channel uint32, cols, rows int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sizes = append(m.sizes, fmt.Sprintf("%dx%d", cols, rows))
	return nil
}

func (m *memory) Output(channel uint32, p []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if m.output == nil {
		m.output = map[uint32][]byte{}
	}
	if len(m.output[channel]) < 4<<20 {
		m.output[channel] = append(m.output[channel], p...)
	}
	return nil
}

func (m *memory) Note(n record.Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes = append(m.notes, n)
	return nil
}

func (m *memory) Append(e audit.Event) (audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, e)
	return audit.Record{Event: e}, nil
}

func (m *memory) all() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for i := range uint32(64) {
		b.Write(m.output[i])
	}
	return b.String()
}

func (m *memory) kinds(k record.Kind) (found []record.Note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.notes {
		if n.Kind == k {
			found = append(found, n)
		}
	}
	return found
}

func (m *memory) typed(t audit.Type) (found []audit.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.events {
		if e.Type == t {
			found = append(found, e)
		}
	}
	return found
}

// keys are what one engineer and one system have.
type keys struct {
	host     ssh.Signer
	ca       ssh.Signer
	engineer ed25519.PrivateKey
	cert     *ssh.Certificate
}

func newKeys(t testing.TB) *keys {
	k := &keys{}
	signer := func() (ed25519.PrivateKey, ssh.Signer) {
		_, p, err := ed25519.GenerateKey(cryptorand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewSignerFromKey(p)
		if err != nil {
			t.Fatal(err)
		}
		return p, s
	}
	_, k.host = signer()
	_, k.ca = signer()
	k.engineer, _ = signer()
	k.cert = k.certify(t, k.engineer, time.Now().Add(time.Hour))
	return k
}

func (k *keys) certify(t testing.TB, key ed25519.PrivateKey, until time.Time) *ssh.Certificate {
	pub, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	c := &ssh.Certificate{Key: pub, CertType: ssh.UserCert, KeyId: "ada", ValidPrincipals: []string{"latchstring"},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(until.Unix())}
	if err := c.SignCert(cryptorand.Reader, k.ca); err != nil {
		t.Fatal(err)
	}
	return c
}

// site is a server under test, with a listener that only the test has.
type site struct {
	t      testing.TB
	keys   *keys
	log    *memory
	dir    string
	addr   string
	cancel context.CancelFunc
	ended  chan error   // of each connection
	shell  atomic.Value // a string, instead of that of the user
}

type tune func(*Options)

func withPolicy(t testing.TB, text string) tune {
	return func(o *Options) { o.Policy = loadPolicy(t, text) }
}

func newSite(t testing.TB, tunes ...tune) *site {
	t.Helper()
	s := &site{t: t, keys: newKeys(t), log: &memory{}, dir: t.TempDir(), ended: make(chan error, 64)}
	o := Options{Env: []string{"HOME=" + t.TempDir()}, // whose shells read nobody's profile
		HostKey: s.keys.host, Policy: loadPolicy(t, ""), Record: s.log, Audit: s.log,
		Peer: Peer{Engineer: "ada", Session: "ses-" + cryptorand.Text()[:8], Case: "4711", Certificate: s.keys.cert}}
	for _, f := range tunes {
		f(&o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.addr, s.cancel = l.Addr().String(), cancel
	var served sync.WaitGroup
	served.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			o := o
			o.Peer.Connection = fmt.Sprintf("con-%08d", n)
			served.Go(func() {
				if s.shell.Load() == nil {
					s.ended <- Serve(ctx, c, o)
					return
				}
				if err := o.check(); err != nil {
					t.Error(err)
				}
				a, err := runAsAccount(o.RunAs)
				if err != nil {
					t.Error(err)
				}
				a.Shell = s.shell.Load().(string)
				s.ended <- serve(ctx, c, o, a)
			})
		}
	})
	t.Cleanup(func() { cancel(); l.Close(); served.Wait() })
	s.write()
	return s
}

// write makes the files that stock OpenSSH needs.
func (s *site) write() {
	block, err := ssh.MarshalPrivateKey(s.keys.engineer, "ada")
	if err != nil {
		s.t.Fatal(err)
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(s.dir, name), b, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	put("id", pem.EncodeToMemory(block))
	put("id-cert.pub", ssh.MarshalAuthorizedKey(s.keys.cert))
	put("known_hosts", fmt.Appendf(nil, "sa %s", ssh.MarshalAuthorizedKey(s.keys.host.PublicKey())))
	host, port, _ := net.SplitHostPort(s.addr)
	put("config", fmt.Appendf(nil, `Host sa
  HostName %s
  Port %s
  User support
  HostKeyAlias sa
  UserKnownHostsFile %[3]s/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  IdentityFile %[3]s/id
  CertificateFile %[3]s/id-cert.pub
  IdentitiesOnly yes
  PreferredAuthentications publickey
  LogLevel ERROR
`, host, port, s.dir))
}

// tool runs a stock OpenSSH program with the site's settings.
func (s *site) tool(name string, args ...string) *exec.Cmd {
	path, err := exec.LookPath(name)
	if err != nil {
		s.t.Skipf("%s is not installed (Debian: openssh-client, rsync)", name)
	}
	cmd := exec.CommandContext(s.t.Context(), path, append([]string{"-F", filepath.Join(s.dir, "config")}, args...)...)
	cmd.WaitDelay = time.Second
	return cmd
}

// ssh runs a command and returns what it wrote, and its exit code.
func (s *site) ssh(args ...string) (out, errs string, code int) {
	s.t.Helper()
	return finish(s.t, s.tool("ssh", args...))
}

func finish(t testing.TB, cmd *exec.Cmd) (out, errs string, code int) {
	t.Helper()
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// dial connects with the library.
func (s *site) dial(auth ...ssh.AuthMethod) (*ssh.Client, error) {
	if auth == nil {
		key, err := ssh.NewSignerFromKey(s.keys.engineer)
		if err != nil {
			s.t.Fatal(err)
		}
		signer, err := ssh.NewCertSigner(s.keys.cert, key)
		if err != nil {
			s.t.Fatal(err)
		}
		auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	}
	return ssh.Dial("tcp", s.addr, &ssh.ClientConfig{User: "support", Auth: auth, HostKeyCallback: ssh.FixedHostKey(s.keys.host.PublicKey()), Timeout: 10 * time.Second})
}

func (s *site) client() *ssh.Client {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// over waits for the end of one connection.
func (s *site) over() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(10 * time.Second):
		s.t.Fatal("the connection does not end")
		return nil
	}
}

func loadPolicy(t testing.TB, text string) policy.Decider {
	t.Helper()
	p, err := policy.Parse(map[string][]byte{"test.hcl": []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// syncBuffer may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *syncBuffer) has(s string) bool { return strings.Contains(b.String(), s) }

type addr = netip.Addr

func mustAddr(s string) addr { return netip.MustParseAddr(s) }
