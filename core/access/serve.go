package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access/account"
	"github.com/latchstring/latchstring/core/access/family"
)

// Bounds of one connection.
const (
	loginTime   = 60 * time.Second // a key may need a touch
	grace       = time.Second      // between SIGHUP and SIGKILL
	maxChannels = 256
)

// ErrCut is wrapped by the error of [Serve] when this side ended the connection
// by itself, for a reason that the error names.
var ErrCut = errors.New("the connection was cut")

// A server serves one connection.
type server struct {
	Options
	account account.Account
	family  *family.Family
	conn    *ssh.ServerConn
	ctx     context.Context
	cut     context.CancelCauseFunc
	ledger  ledger
	hashes  hashes
	screens screens
	files   lazyTree
	sshd    backend

	next     atomic.Uint32 // number of the next channel
	channels atomic.Int32  // open
	work     sync.WaitGroup
}

// Serve serves one connection and owns conn. It returns when everything that it
// started is dead: nil after the engineer left, the reason otherwise.
func Serve(ctx context.Context, conn net.Conn, o Options) error {
	defer conn.Close()
	if err := o.check(); err != nil {
		return err
	}
	a, err := runAsAccount(o.RunAs)
	if err != nil {
		return fmt.Errorf("access: %w", err)
	}
	return serve(ctx, conn, o, a)
}

func serve(ctx context.Context, conn net.Conn, o Options, a account.Account) error {
	defer busy()()
	hear()
	s := &server{Options: o, account: a}
	s.ctx, s.cut = context.WithCancelCause(ctx)
	defer s.cut(nil)
	stop := context.AfterFunc(s.ctx, func() { conn.Close() })
	defer stop()

	_ = conn.SetDeadline(time.Now().Add(loginTime))
	sshConn, newChannels, requests, err := ssh.NewServerConn(conn, s.config())
	if err != nil {
		if cause := context.Cause(s.ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("access: the engineer's login: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	s.conn = sshConn

	if s.family, err = family.New(o.Peer.Session, o.Peer.Connection); err != nil {
		return fmt.Errorf("access: %w", err)
	}
	s.ledger.server, s.screens.server, s.files.server, s.sshd.server = s, s, s, s
	return s.run(newChannels, requests)
}

func (s *server) run(newChannels <-chan ssh.NewChannel, requests <-chan *ssh.Request) error {
	s.work.Go(func() { s.globalRequests(requests) })
	s.work.Go(func() { s.screens.warnings(s.Warn) })
	for n := range newChannels {
		s.accept(n)
	}
	// The connection is gone, by whose will ever.
	err := context.Cause(s.ctx)
	s.cut(nil)
	s.conn.Close()
	s.sshd.close()
	left := s.family.End(grace)
	s.work.Wait()
	s.files.close()
	if len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("processes that do not end: %v", left))
	}
	if err != nil {
		return fmt.Errorf("access: %w", err)
	}
	return nil
}

// fail cuts the connection for a reason of our own.
func (s *server) fail(err error) {
	s.Log.Error("connection cut", "connection", s.Peer.Connection, "error", err)
	s.cut(fmt.Errorf("%w: %w", ErrCut, err))
	s.conn.Close() // now: what is said after this must not arrive
}

func (s *server) accept(n ssh.NewChannel) {
	if s.channels.Add(1) > maxChannels {
		s.channels.Add(-1)
		_ = n.Reject(ssh.ResourceShortage, fmt.Sprintf("there are %d open channels already", maxChannels))
		return
	}
	number := s.next.Add(1) - 1
	s.work.Go(func() {
		defer s.channels.Add(-1)
		switch n.ChannelType() {
		case "session":
			s.session(number, n)
		case "direct-tcpip":
			s.forward(number, n)
		case "direct-streamlocal@openssh.com":
			s.rejected(number, n, "forwarding to a Unix socket")
		default:
			s.rejected(number, n, "a channel of type "+strings.ToValidUTF8(n.ChannelType(), "?"))
		}
	})
}

// globalRequests answers what is not about a channel.
func (s *server) globalRequests(requests <-chan *ssh.Request) {
	for r := range requests {
		switch r.Type {
		case "keepalive@openssh.com":
			_ = r.Reply(true, nil)
		case "tcpip-forward", "streamlocal-forward@openssh.com":
			s.notice("remote forwarding", "listening on this machine for the engineer does not exist here; use a local forward (-L)")
			_ = r.Reply(false, nil)
		default:
			_ = r.Reply(false, nil)
		}
	}
}

// runAsAccount finds the user as whom engineers act.
func runAsAccount(name string) (account.Account, error) {
	if name == "" {
		return account.Current()
	}
	a, err := account.Lookup(name)
	if err != nil {
		return a, fmt.Errorf("the user for engineers: %w: create it, or name another one in the configuration", err)
	}
	return a, a.Reachable()
}
