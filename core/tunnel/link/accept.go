package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/cork"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// greetTimeout is how long a client may take from the upgrade to its greeting.
const greetTimeout = 10 * time.Second

// Accepter is the relay's end of links.
type Accepter struct {
	// Sign signs with the receipt key in [Namespace].
	Sign func(message []byte) (armored []byte, err error)
	// AllowRaw lets links without inspection leave the frames.
	AllowRaw bool
	// Pass lets links that ask for it be left below TLS; see [Conn.Passes].
	Pass bool
	// Patience is how long a client may take to its greeting; 0: ten seconds.
	Patience time.Duration
}

// Accept upgrades a request whose sender may have the link. An *api.Error means
// that nothing was answered yet; after any other error the connection is
// closed. The connection has no deadline, and the request's context does not
// end with it: the handler may return.
func (a *Accepter) Accept(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	if err := ws.CheckRequest(r); err != nil {
		return nil, api.Errorf(http.StatusUpgradeRequired, api.CodeBadRequest, "%v", err)
	}
	mine := exporter(r.TLS)
	g, err := headerGreeting(r.Header)
	if err != nil {
		return nil, err
	}
	raw, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, api.Errorf(http.StatusInternalServerError, api.CodeInternal, "the connection cannot be taken over: %v", err)
	}
	key := r.Header.Get("Sec-WebSocket-Key")
	patience := a.Patience
	if patience == 0 {
		patience = greetTimeout
	}
	if err = raw.SetDeadline(time.Now().Add(patience)); err != nil {
		raw.Close()
		return nil, fmt.Errorf("link: %w", err)
	}
	var conn *Conn
	below := unread(raw, buf.Reader.Buffered(), buf.Reader)
	if g != nil {
		var leave cork.Leavable
		if a.Pass && g.Pass {
			leave = passable(raw, r.TLS)
		}
		conn, err = a.answer(below, key, g, mine, leave)
	} else {
		conn, err = a.greet(below, key, mine)
	}
	if err == nil {
		err = raw.SetDeadline(time.Time{})
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// reply is the answer to a greeting, and whether the frames are left.
func (a *Accepter) reply(g *greeting, mine []byte) (answer, bool, error) {
	sig, err := a.Sign(statement(g.Nonce, mine))
	if err != nil {
		return answer{}, false, fmt.Errorf("link: sign the answer: %w", err)
	}
	leave := a.AllowRaw && g.Raw && equal(g.Exporter, mine)
	return answer{V: version, Exporter: mine, Raw: leave, Signature: string(sig)}, leave, nil
}

// answer upgrades a connection whose greeting came with the request: its answer
// goes with the upgrade, so that nothing is left to wait for, and no frame is
// needed to leave them.
func (a *Accepter) answer(raw net.Conn, key string, g *greeting, mine []byte, below cork.Leavable) (*Conn, error) {
	reply, leave, err := a.reply(g, mine)
	if err != nil {
		return nil, err
	}
	if !leave {
		below = nil
	}
	if reply.Pass = below != nil; reply.Pass {
		below.Bound() // the client is silent until it has the answer
	}
	value, err := encodeHeader(reply)
	if err != nil {
		return nil, fmt.Errorf("link: encode answer: %w", err)
	}
	if _, err := raw.Write(ws.Response(key, answerHeader+": "+value)); err != nil {
		return nil, fmt.Errorf("link: upgrade: %w", err)
	}
	c := &Conn{Conn: raw, Framed: !leave, below: below, Compared: len(g.Exporter) > 0 && mine != nil}
	if c.Framed {
		c.Conn = ws.Server(raw)
	}
	if len(g.Early) > 0 {
		c.Conn = &prefixed{Conn: c.Conn, rest: g.Early}
	}
	return c, nil
}

// greet upgrades a connection and waits for the greeting in a frame.
func (a *Accepter) greet(raw net.Conn, key string, mine []byte) (*Conn, error) {
	if _, err := raw.Write(ws.Response(key)); err != nil {
		return nil, fmt.Errorf("link: upgrade: %w", err)
	}
	frames := ws.Server(raw)
	b, err := frames.ReadMessage(maxGreeting)
	if err != nil {
		return nil, fmt.Errorf("link: wait for the client's first message: %w", err)
	}
	g, err := parseGreeting(b)
	if err != nil {
		return nil, err
	}
	if len(g.Early) > 0 {
		return nil, errors.New("link: early bytes within a message, where they follow it")
	}
	reply, leave, err := a.reply(&g, mine)
	if err != nil {
		return nil, err
	}
	b, err = json.Marshal(reply)
	if err != nil {
		return nil, fmt.Errorf("link: encode answer: %w", err)
	}
	if _, err := frames.Write(b); err != nil {
		return nil, fmt.Errorf("link: answer: %w", err)
	}
	c := &Conn{Conn: frames, Framed: !leave, Compared: len(g.Exporter) > 0 && mine != nil}
	if leave {
		l := &leaving{Conn: raw}
		l.frames.Store(frames)
		c.Conn = l
	}
	return c, nil
}
