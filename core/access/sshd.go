package access

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access/authorized"
	"github.com/latchstring/latchstring/core/access/family"
)

// keyLife is how long sshd would take the key at the most; it is taken out as
// soon as the login is over.
const keyLife = 2 * time.Minute

// A backend is the one connection to the machine's own sshd, made when the first
// shell is wanted.
type backend struct {
	server *server

	mu     sync.Mutex
	client ssh.Conn
	closed bool
}

// get connects to sshd as the user, if that was not done.
func (b *backend) get() (ssh.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, context.Canceled
	}
	if b.client != nil {
		return b.client, nil
	}
	c, err := b.connect()
	if err != nil {
		return nil, fmt.Errorf("this machine's own SSH server: %w", err)
	}
	b.client = c
	return c, nil
}

func (b *backend) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.client != nil {
		b.client.Close()
	}
}

func (b *backend) connect() (ssh.Conn, error) {
	s := b.server
	address := s.SSHD.Address
	if address == "" {
		address = "127.0.0.1:22"
	}
	if a, err := netip.ParseAddrPort(address); err != nil || !a.Addr().IsLoopback() {
		return nil, fmt.Errorf("%q is not on loopback: the key must not leave this machine", address)
	}
	hostKeys, err := s.SSHD.hostKeys()
	if err != nil {
		return nil, err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	t, path, err := keyFile(s.account, s.SSHD.AuthorizedKeys)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	var d net.Dialer
	ctx, cancel := context.WithTimeout(s.ctx, dialTime)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: is it running, and is sshd.address right?", err)
	}
	stop := context.AfterFunc(s.ctx, func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(dialTime))

	entry, err := authorized.Add(t, path, signer.PublicKey(), time.Now().Add(keyLife), s.Peer.Session+" "+s.Peer.Connection)
	if err != nil {
		conn.Close()
		return nil, err
	}
	client, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: s.account.Name, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, ClientVersion: "SSH-2.0-Latchstring",
		HostKeyCallback:   oneOf(hostKeys),
		HostKeyAlgorithms: algorithms(hostKeys),
		Config:            ssh.Config{Ciphers: []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305, ssh.CipherAES256CTR}},
	})
	if rerr := entry.Remove(); rerr != nil {
		// A key that stays trusted is worse than no shell.
		conn.Close()
		return nil, errors.Join(err, rerr)
	}
	if err != nil {
		conn.Close()
		if strings.Contains(err.Error(), "unable to authenticate") {
			err = fmt.Errorf("%w: does sshd read %s, and may user %s log in with a key?", err, path, s.account.Name)
		}
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	go ssh.DiscardRequests(requests)
	go func() {
		for c := range channels { // sshd has nothing to open here
			_ = c.Reject(ssh.Prohibited, "")
		}
		stop()
	}()
	for _, pid := range family.Owners(conn) {
		s.family.Adopt(pid)
	}
	return client, nil
}

// hostKeys are those by which sshd is known: another program on its port, put
// there by whoever, gets no engineer's session.
func (d SSHD) hostKeys() ([]ssh.PublicKey, error) {
	if len(d.HostKeys) > 0 {
		return d.HostKeys, nil
	}
	names, _ := filepath.Glob("/etc/ssh/ssh_host_*_key.pub")
	var keys []ssh.PublicKey
	for _, n := range names {
		if b, err := os.ReadFile(n); err == nil {
			if k, _, _, _, err := ssh.ParseAuthorizedKey(b); err == nil {
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no host keys in /etc/ssh: is openssh-server installed?")
	}
	return keys, nil
}

func oneOf(keys []ssh.PublicKey) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, k ssh.PublicKey) error {
		for _, known := range keys {
			if string(known.Marshal()) == string(k.Marshal()) {
				return nil
			}
		}
		return errors.New("the host key is not this machine's")
	}
}

func algorithms(keys []ssh.PublicKey) (all []string) {
	for _, k := range keys {
		if k.Type() == ssh.KeyAlgoRSA {
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			continue
		}
		all = append(all, k.Type())
	}
	return all
}

// viaSSHD runs a command line, or a shell, as a session of sshd.
func (x *session) viaSSHD(line string) ending {
	conn, err := x.sshd.get()
	if err != nil {
		return x.failed(err)
	}
	ch, requests, err := conn.OpenChannel("session", nil)
	if err != nil {
		return x.failed(fmt.Errorf("this machine's own SSH server: %w", err))
	}
	defer ch.Close()
	send := func(name string, payload any) error {
		ok, err := ch.SendRequest(name, true, ssh.Marshal(payload))
		if err == nil && !ok {
			err = fmt.Errorf("this machine's own SSH server refused %s", name)
		}
		return err
	}
	type variable struct{ Name, Value string }
	_ = send("env", variable{family.LocaleVar, x.Peer.Session + "/" + x.Peer.Connection})
	for _, v := range append(x.env, x.Env...) {
		name, value, _ := strings.Cut(v, "=")
		_ = send("env", variable{name, value}) // sshd has its own list
	}
	if tty := x.tty.Load(); tty != nil {
		if err := send("pty-req", *tty); err != nil {
			return x.failed(err)
		}
	}
	e := make(chan ending, 1)
	go func() { e <- ended(requests) }()
	if line == "" {
		_, err = ch.SendRequest("shell", true, nil)
	} else {
		err = send("exec", struct{ Command string }{line})
	}
	if err != nil {
		return x.failed(err)
	}
	r := &remote{x: x, ch: ch}
	x.under(r)
	input := &measure{hash: sha256.New()}
	go func() {
		_, _ = copyBytes(io.MultiWriter(ch, input), x.channel)
		_ = ch.CloseWrite()
	}()
	var shown sync.WaitGroup
	shown.Go(func() { r.pump(recorder{x.server, x.number, x.channel}, ch) })
	shown.Go(func() { r.pump(recorder{x.server, x.number, x.channel.Stderr()}, ch.Stderr()) })
	shown.Wait()
	how := <-e
	x.under(nil)
	if x.tty.Load() == nil && how.text == "" {
		how.text = input.String()
	}
	return how
}

// ended waits for how a program of sshd's ended.
func ended(requests <-chan *ssh.Request) ending {
	e := ending{status: statusFailed, text: "the SSH server closed the session without a word"}
	for r := range requests {
		switch r.Type {
		case "exit-status":
			var m struct{ Status uint32 }
			if ssh.Unmarshal(r.Payload, &m) == nil {
				e = ending{status: int(m.Status)}
			}
		case "exit-signal":
			var m struct {
				Name    string
				Core    bool
				Message string
				Lang    string
			}
			if ssh.Unmarshal(r.Payload, &m) == nil {
				e = ending{signal: m.Name, core: m.Core}
			}
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
	return e
}

// remote is a program of sshd's.
type remote struct {
	x  *session
	ch ssh.Channel
}

func (r *remote) pump(to io.Writer, from io.Reader) {
	if _, err := copyBytes(to, from); err != nil {
		r.hangup()
	}
}

func (r *remote) resize(w windowChange) {
	cols, rows := sane(w.Cols, w.Rows)
	if r.x.ledger.resize(r.x.number, cols, rows) == nil {
		_, _ = r.ch.SendRequest("window-change", false, ssh.Marshal(w))
	}
}

func (r *remote) signal(name string) bool {
	_, ok := signals[name]
	if !ok {
		return false
	}
	_, err := r.ch.SendRequest("signal", false, ssh.Marshal(struct{ Name string }{name}))
	return err == nil
}

func (r *remote) hangup() { _ = r.ch.Close() }
