package relay

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/link"
)

// upgrade takes the connection of a request over. Where that fails, what there
// is to be answered was answered.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	return s.take(s.links, w, r)
}

// upgradePassing is upgrade for a connection that will be joined with another
// one of this node: both ends may leave TLS.
func (s *Server) upgradePassing(w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	passing := *s.links
	passing.Pass = true
	return s.take(&passing, w, r)
}

func (s *Server) take(links *link.Accepter, w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	conn, err := links.Accept(w, r)
	if err != nil {
		var e *api.Error
		if errors.As(err, &e) {
			s.hub.refuse(w, err)
		}
		return nil, err
	}
	if rec := recorderOf(w); rec != nil {
		rec.status = http.StatusSwitchingProtocols
	}
	return &upgraded{Conn: conn, gate: gateOf(r.Context())}, nil
}

// accepter is the relay's end of the links.
func accepter(o Options) *link.Accepter {
	return &link.Accepter{AllowRaw: !o.AlwaysFramed, Patience: o.Patience, Sign: func(message []byte) ([]byte, error) {
		return identity.Sign(o.Relay.ReceiptKey, link.Namespace, bytes.NewReader(message))
	}}
}

func framed(c net.Conn) bool {
	u, ok := c.(*upgraded)
	return ok && u.Framed
}

// upgraded is a connection that has left HTTP. It moves streams of bytes in
// large pieces between TLS, whose records have 16 KiB, and the socket.
type upgraded struct {
	*link.Conn
	gate *gatedConn // below TLS, or nil
}

// wide is from how many bytes on a read or a write is of a stream.
const wide = 32 << 10

// Read fills a large p with what has come in, and not only with one record.
func (u *upgraded) Read(p []byte) (int, error) {
	if u.gate == nil || len(p) < wide {
		return u.Conn.Read(p)
	}
	u.gate.readAhead()
	n, err := u.Conn.Read(p)
	if err != nil {
		u.gate.drop()
		return n, err
	}
	for u.gate.only.Store(true); n < len(p); {
		var m int
		if m, err = u.Conn.Read(p[n:]); err != nil {
			break // if it was more than that there is nothing ahead, it comes again
		}
		n += m
	}
	u.gate.only.Store(false)
	return n, nil
}

// Write sends the records of a large p together.
func (u *upgraded) Write(p []byte) (int, error) {
	if u.gate == nil || len(p) < wide {
		return u.Conn.Write(p)
	}
	u.gate.cork()
	n, err := u.Conn.Write(p)
	if e := u.gate.uncork(); err == nil {
		err = e
	}
	return n, err
}

// muxStream is a stream of yamux with the half-close that it has under another
// name, and a Close that also ends reads.
type muxStream struct {
	*yamux.Stream
	mu     sync.Mutex
	closed bool
}

// CloseWrite ends this direction.
func (m *muxStream) CloseWrite() error { return m.Stream.Close() }

// Close ends both.
func (m *muxStream) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return errors.Join(m.Stream.Close(), m.Stream.SetDeadline(time.Unix(1, 0)))
}

// SetReadDeadline must not bring a read back that Close ended.
func (m *muxStream) SetReadDeadline(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return os.ErrClosed
	}
	return m.Stream.SetReadDeadline(t)
}
