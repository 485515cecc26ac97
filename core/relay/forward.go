package relay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/splice"
	"github.com/latchstring/latchstring/core/relay/store"
)

// An engineer comes to one node and the system hangs on another: the first asks
// the second with one line and gets one back, and from then on it copies. The
// second does everything that it does for engineers of its own: it looks the
// records up, counts, dials, records. Both ends' bytes are ciphertext here, too.

// onwardRequest is what the first node asks for.
type onwardRequest struct {
	V        int    `json:"v"`
	System   string `json:"system"`
	Engineer string `json:"engineer"`
	Key      string `json:"key"`  // that he logged in with
	From     string `json:"from"` // his address
	Node     string `json:"node"`
}

// onwardAnswer is what the second says: the connection, or why not.
type onwardAnswer struct {
	V          int    `json:"v"`
	Connection string `json:"connection,omitempty"`

	Status     int           `json:"status,omitempty"`
	Code       api.Code      `json:"code,omitempty"`
	Message    string        `json:"message,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
}

const (
	onwardVersion = 1
	maxOnward     = 8 << 10
)

// forward finds the node on which a system hangs and registers a connection by
// it. If there is none it returns what is known here.
func (c *cluster) forward(ctx context.Context, x *carried, here error) error {
	s, err := c.where(ctx, x.systemID)
	if err != nil {
		return err
	}
	if s.Node == "" {
		return here
	}
	n, ok := c.node(ctx, func(n store.Node) bool { return n.Name == s.Node })
	if !ok {
		return c.moved(x, s.Node, errors.New("it is down"))
	}
	conn, err := c.dial(ctx, n)
	if err != nil {
		return c.moved(x, n.Name, err)
	}
	id, err := c.ask(conn, x)
	if err == nil {
		err = c.hub.admitOnward(x, id, conn)
	}
	if err != nil {
		conn.Close()
		var no *api.Error
		if !errors.As(err, &no) {
			return c.moved(x, n.Name, err)
		}
		return err
	}
	c.hub.srv.metrics.forwarded.Inc()
	return nil
}

// where finds what another node says about a system. What opened a moment ago
// it has not said yet.
func (c *cluster) where(ctx context.Context, system string) (api.Session, error) {
	for try := 0; ; try++ {
		open, err := c.hub.srv.reg.Present(ctx)
		if err != nil {
			return api.Session{}, unavailable(err)
		}
		if s, ok := open[system]; ok && s.Node != c.self.Name {
			return s, nil
		}
		if try > 0 {
			return api.Session{}, nil
		}
		select {
		case <-ctx.Done():
			return api.Session{}, unavailable(ctx.Err())
		case <-time.After(2 * settle):
		}
	}
}

// moved is the answer while a system hangs on a node that is not reached: it
// comes back at another one, or that one does.
func (c *cluster) moved(x *carried, node string, why error) error {
	c.hub.srv.log.Warn("reach another node", "node", node, "system", x.systemID, "error", why)
	e := api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "system %s hung on node %s of this relay, which does not answer; it is expected back in some seconds", x.name, node)
	e.RetryAfter = 2 * time.Second
	return e
}

func (c *cluster) ask(conn net.Conn, x *carried) (connection string, err error) {
	b, err := json.Marshal(onwardRequest{V: onwardVersion, System: x.systemID, Engineer: x.who, Key: x.key, From: x.from, Node: c.self.Name})
	if err != nil {
		return "", err
	}
	conn.SetDeadline(time.Now().Add(nodeTimeout))
	defer conn.SetDeadline(time.Time{})
	if _, err := conn.Write(append(b, '\n')); err != nil {
		return "", err
	}
	var a onwardAnswer
	if err := readLine(conn, &a); err != nil {
		return "", err
	}
	if a.Code != "" {
		e := api.Errorf(a.Status, a.Code, "%s", a.Message)
		e.RetryAfter = a.RetryAfter
		return "", e
	}
	if a.V != onwardVersion || !api.ValidConnectionID(a.Connection) {
		return "", errors.New("it answers what this version does not know")
	}
	return a.Connection, nil
}

// admitOnward takes a place for a connection that another node has admitted.
func (h *hub) admitOnward(x *carried, id string, conn net.Conn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the relay is stopping; come back in some seconds")
	case len(h.conns) >= h.limits.Connections:
		return busy(10*time.Second, "the relay has %d engineers' connections, which is its limit; try later", len(h.conns))
	case h.conns[id] != nil:
		return busy(time.Second, "connection %s is there already", id)
	}
	x.id, x.onward = id, conn
	h.conns[id] = x
	h.splices.Add(1)
	return nil
}

// pass copies between the engineer and the other node.
func (c *carried) pass(engineer net.Conn) {
	m := c.hub.srv.metrics
	splice.Join(c.ctx, c.onward, engineer, splice.Options{Idle: c.hub.limits.Idle(), Stall: stallLimit, Moved: func(n int) { m.carried.Add(float64(n)) }})
	c.end()
}

// answer serves a connection of another node until it ends.
func (c *cluster) answer(conn *tls.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(nodeTimeout))
	var q onwardRequest
	if err := readLine(conn, &q); err != nil {
		c.hub.srv.log.Warn("request of another node", "remote", conn.RemoteAddr().String(), "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), nodeTimeout)
	x, err := c.admit(ctx, q)
	cancel()
	a := onwardAnswer{V: onwardVersion}
	if err != nil {
		e := asError(err)
		a.Status, a.Code, a.Message, a.RetryAfter = e.Status, e.Code, e.Message, e.RetryAfter
		c.hub.srv.metrics.refused.WithLabelValues(string(e.Code)).Inc()
	} else {
		a.Connection = x.id
	}
	b, _ := json.Marshal(a) // of strings and numbers
	_, writing := conn.Write(append(b, '\n'))
	if err != nil {
		return
	}
	if writing != nil {
		x.end()
		return
	}
	conn.SetDeadline(time.Time{})
	x.run(conn)
}

// admit does for an engineer at another node what is done for one here.
func (c *cluster) admit(ctx context.Context, q onwardRequest) (*carried, error) {
	h := c.hub
	if q.V != onwardVersion {
		return nil, api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "the nodes of this relay have different versions")
	}
	if err := h.going(); err != nil {
		return nil, err
	}
	e, err := h.srv.reg.Engineer(ctx, q.Engineer)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, unavailable(err)
	case err != nil || !e.May(store.RoleAccess) || e.Key != q.Key:
		return nil, removed("engineer", q.Engineer)
	}
	sys, err := h.srv.reg.System(ctx, q.System)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, unavailable(err)
	case err != nil || sys.Retired:
		return nil, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no system %.63q here", q.System)
	}
	if err := mayReach(e, sys); err != nil {
		return nil, err
	}
	x := h.newCarried(e, sys, shown(q.From))
	x.via = shown(q.Node)
	return x, h.reach(x)
}

// readLine reads one line and nothing that follows it.
func readLine(r io.Reader, v any) error {
	line, err := bufio.NewReaderSize(io.LimitReader(oneByte{r}, maxOnward), 16).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read line: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("read line: %w", err)
	}
	return nil
}

// oneByte reads byte by byte, so that nothing is read too far.
type oneByte struct{ io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.Reader.Read(p[:min(1, len(p))]) }
