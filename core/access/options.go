package access

import (
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// The backends.
const (
	Builtin = "builtin" // shells are children of the agent
	OpenSSH = "openssh" // shells are children of the machine's own sshd
)

// Peer is who is at the other end, as the handshake established it.
type Peer struct {
	Engineer    string // the name in the certificate
	Case        string
	From        string // for display: the relay's word
	Connection  string // con-...
	Session     string // ses-...
	Certificate *ssh.Certificate
}

// Recorder takes what happens; *record.Recording is the one that counts.
// Channels are numbered from 0 in the order in which they were opened.
type Recorder interface {
	Resize(channel uint32, cols, rows int) error
	Output(channel uint32, p []byte) error // returns once p is on its way to disk
	Note(n record.Note) error
}

// Options are what [Serve] needs to know. HostKey, Peer, Policy, Record and
// Audit must be given.
type Options struct {
	HostKey ssh.Signer
	Peer    Peer
	Policy  policy.Decider
	Record  Recorder
	Audit   audit.Recorder

	RunAs   string   // the local user; empty means the one as whom the agent runs
	Backend string   // [Builtin], which is the default, or [OpenSSH]
	SSHD    SSHD     // for the backend openssh
	Env     []string // more variables for shells and commands, NAME=value
	Banner  string   // shown before the login
	Log     *slog.Logger
	Warn    <-chan string // lines for every terminal, such as that the session ends soon

	// View gets a copy of what the engineer sees, after it was recorded. It must
	// not block and must not keep p.
	View func(channel uint32, p []byte)
}

// SSHD is the machine's own SSH server, for the backend openssh.
type SSHD struct {
	Address        string          // empty: 127.0.0.1:22
	HostKeys       []ssh.PublicKey // empty: those in /etc/ssh
	AuthorizedKeys string          // empty: .ssh/authorized_keys of the user
}

func (o *Options) check() error {
	switch {
	case o.HostKey == nil:
		return errors.New("access: no host key")
	case o.Peer.Certificate == nil:
		return errors.New("access: no certificate of an engineer")
	case o.Peer.Engineer == "" || o.Peer.Session == "" || o.Peer.Connection == "":
		return errors.New("access: the peer has no name, session or connection")
	case o.Policy == nil || o.Record == nil || o.Audit == nil:
		return errors.New("access: no policy, recording or audit log")
	}
	switch o.Backend {
	case "":
		o.Backend = Builtin
	case Builtin, OpenSSH:
	default:
		return fmt.Errorf("access: unknown backend %q: it is %s or %s", o.Backend, Builtin, OpenSSH)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
