package transfer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// system is a plain SSH server in a directory: what of access control there is
// is tested elsewhere.
type system struct {
	dir      string
	commands bool
	delay    time.Duration // each way
	cut      chan struct{} // closed: the connection ends

	mu       sync.Mutex
	channels int // opened for SFTP
}

func signer(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dial connects to the system over a line with its delay.
func (s *system) dial(t testing.TB) *ssh.Client {
	t.Helper()
	near, far := line(t, s.delay)
	go s.serve(far, signer(t))
	c, chans, reqs, err := ssh.NewClientConn(near, "system", &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey(), Config: ssh.Config{Ciphers: []string{"aes128-gcm@openssh.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	client := ssh.NewClient(c, chans, reqs)
	t.Cleanup(func() { client.Close() })
	return client
}

func (s *system) serve(conn net.Conn, key ssh.Signer) {
	cfg := &ssh.ServerConfig{NoClientAuth: true}
	cfg.AddHostKey(key)
	sc, chans, reqs, err := ssh.NewServerConn(conn, cfg)
	if err != nil {
		return
	}
	if s.cut != nil {
		go func() { <-s.cut; sc.Close() }()
	}
	go ssh.DiscardRequests(reqs)
	for nc := range chans {
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		go s.session(ch, reqs)
	}
}

func (s *system) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer ch.Close()
	for req := range reqs {
		var arg struct{ Text string }
		ssh.Unmarshal(req.Payload, &arg)
		switch {
		case req.Type == "subsystem" && arg.Text == "sftp":
			req.Reply(true, nil)
			s.mu.Lock()
			s.channels++
			s.mu.Unlock()
			srv, err := sftp.NewServer(ch, sftp.WithServerWorkingDirectory(s.dir))
			if err == nil {
				srv.Serve()
			}
			return
		case req.Type == "exec" && s.commands:
			req.Reply(true, nil)
			cmd := exec.Command("sh", "-c", arg.Text)
			cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, ch, ch.Stderr()
			status := struct{ N uint32 }{}
			if cmd.Run() != nil {
				status.N = 1
			}
			ch.SendRequest("exit-status", false, ssh.Marshal(status))
			return
		default:
			req.Reply(false, nil)
		}
	}
}

// line is a TCP connection whose bytes take their time.
func line(t testing.TB, delay time.Duration) (near, far net.Conn) {
	t.Helper()
	a1, a2 := tcpPair(t)
	if delay == 0 {
		return a1, a2
	}
	b1, b2 := tcpPair(t)
	go later(b1, a2, delay)
	go later(a2, b1, delay)
	return a1, b2
}

func later(dst, src net.Conn, delay time.Duration) {
	type chunk struct {
		at time.Time
		b  []byte
	}
	q := make(chan chunk, 1<<14)
	go func() {
		defer close(q)
		buf := make([]byte, 64<<10)
		for {
			n, err := src.Read(buf)
			if n > 0 {
				q <- chunk{time.Now().Add(delay), bytes.Clone(buf[:n])}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range q {
		time.Sleep(time.Until(c.at))
		if _, err := dst.Write(c.b); err != nil {
			break
		}
	}
	dst.Close()
	for range q {
	}
}

func tcpPair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}
