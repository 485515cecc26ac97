package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/cork"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

const (
	upgradeTimeout = 45 * time.Second // dial, TLS, login and answer together
	maxRetryAfter  = time.Hour
	maxHTTP        = 256 << 10 // that the relay may send before the upgrade
)

// Upgraded is a connection that has left HTTP for WebSocket frames.
type Upgraded struct {
	net.Conn                     // frames, from the first byte on
	TLS      tls.ConnectionState // of the connection below
	// Customer is set where the certificate that was shown is good only by
	// [Client.TrustToo]: something of the customer's inspects TLS.
	Customer bool
	// Header is that of the answer.
	Header http.Header
	// Below is the connection below TLS. Its reads keep within records, until
	// that is taken back.
	Below *cork.Below
}

// Upgrade opens a connection of its own to the relay, logs in on it unless
// there is a login that still holds, and asks for a WebSocket at path. It needs
// one connection and no other, which matters to proxies that count them. A
// relay's refusal is an *api.Error, with RetryAfter; everything else that goes
// wrong on the way is a *[ConnectError].
func (c *Client) Upgrade(ctx context.Context, path string, query url.Values) (*Upgraded, error) {
	return c.UpgradeWith(ctx, path, query, nil)
}

// UpgradeWith is Upgrade with more in the header of the request: what header
// returns for the TLS connection that it goes over. An error of header's ends it.
func (c *Client) UpgradeWith(ctx context.Context, path string, query url.Values, header func(tls.ConnectionState) (http.Header, error)) (*Upgraded, error) {
	ctx, cancel := context.WithTimeout(ctx, upgradeTimeout)
	defer cancel()
	u := upgrade{c: c, ctx: ctx, header: header}
	up, err := u.run(path, query)
	if err == nil {
		return up, nil
	}
	u.drop()
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return nil, err
}

// upgrade is one call of Upgrade.
type upgrade struct {
	c      *Client
	ctx    context.Context
	header func(tls.ConnectionState) (http.Header, error)
	host   string
	raw    net.Conn
	cork   *cork.Below
	tls    *tls.Conn
	in     *bufio.Reader
	stop   func() bool // lets the end of ctx have no effect on raw any more
	last   bool        // this connection is not good for another request

	signed bool // the last request was logged in by a signature
	fresh  bool // or by a token that was given on this occasion
}

func (u *upgrade) run(path string, query url.Values) (*Upgraded, error) {
	if err := u.connect(); err != nil {
		return nil, err
	}
	for {
		resp, key, err := u.ask(path, query)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			if err := ws.CheckResponse(resp.Header, key); err != nil {
				return nil, u.between(err.Error())
			}
			if !u.stop() {
				return nil, explain(u.c.o.Address, u.ctx.Err())
			}
			return u.finish(resp.Header)
		}
		err = u.refused(resp)
		var e *api.Error
		if !errors.As(err, &e) || e.Code != api.CodeUnauthorized || u.fresh {
			return nil, err
		}
		if u.signed {
			u.c.byChallenge.Store(true)
		} else {
			u.c.forget()
		}
	}
}

// drop closes the connection, if there is one.
func (u *upgrade) drop() {
	if u.stop != nil {
		u.stop()
	}
	if u.raw != nil {
		u.raw.Close()
	}
}

// connect dials and makes the TLS connection.
func (u *upgrade) connect() error {
	var err error
	if u.host, _, err = net.SplitHostPort(u.c.o.Address); err != nil {
		return err
	}
	raw, err := u.c.o.Dial(u.ctx, "tcp", u.c.o.Address)
	if err != nil {
		return explain(u.c.o.Address, err)
	}
	u.raw, u.last = raw, false
	u.stop = context.AfterFunc(u.ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	cfg := u.c.o.Trust.config(u.host)
	cfg.ClientSessionCache = u.c.sessions
	u.cork = cork.New(raw)
	u.cork.Bound()
	u.tls = tls.Client(u.cork, cfg)
	if err := u.tls.HandshakeContext(u.ctx); err != nil {
		return explain(u.c.o.Address, err)
	}
	u.in = bufio.NewReader(io.LimitReader(u.tls, maxHTTP))
	return nil
}

// ask sends the request for the upgrade, after a login where one is needed.
func (u *upgrade) ask(path string, query url.Values) (*http.Response, string, error) {
	login, err := u.authorize()
	if err != nil {
		return nil, "", err
	}
	req, err := http.NewRequestWithContext(u.ctx, http.MethodGet, u.c.URL(path, query), nil)
	if err != nil {
		return nil, "", fmt.Errorf("make request: %w", err)
	}
	key := ws.NewKey()
	ws.SetRequest(req.Header, key)
	if u.header != nil {
		more, err := u.header(u.tls.ConnectionState())
		if err != nil {
			return nil, "", err
		}
		maps.Copy(req.Header, more)
	}
	if login != "" {
		req.Header.Set("Authorization", login)
	}
	resp, err := u.do(req)
	return resp, key, err
}

// authorize makes the Authorization header. A system signs for the connection,
// which saves two requests, unless something in between makes that void. An
// engineer's key may want a touch for each signature; his logins are kept.
func (u *upgrade) authorize() (string, error) {
	c := u.c
	if c.o.Key == nil {
		return "", nil
	}
	if token := c.known(); token != "" {
		u.signed, u.fresh = false, false
		return "Bearer " + token, nil
	}
	if c.o.Kind == api.KindSystem && !c.byChallenge.Load() {
		state := u.tls.ConnectionState()
		if exporter, err := state.ExportKeyingMaterial(api.LoginExporter, nil, api.LoginExporterSize); err == nil {
			u.signed = true
			return c.signFor(exporter)
		}
	}
	token, err := c.loginBy(u.ctx, u.call)
	u.signed, u.fresh = false, true
	return "Bearer " + token, err
}

// known is a bearer token that still holds, or "".
func (c *Client) known() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bearer != "" && time.Now().Before(c.expires) {
		return c.bearer
	}
	return ""
}

// signFor logs in for one connection.
func (c *Client) signFor(exporter []byte) (string, error) {
	sig, err := c.o.Sign(identity.NamespaceRSS, api.ExporterStatement(c.o.Kind, c.o.RSS, exporter))
	if err != nil {
		return "", fmt.Errorf("log in to relay %s: %w", c.o.Address, err)
	}
	return api.SignedLogin{Kind: c.o.Kind, PublicKey: identity.FormatKey(c.o.Key), Signature: string(sig)}.Header()
}

// do sends a request on this connection, or on a new one where that was closed
// after its last answer. Bodies of answers are read at once.
func (u *upgrade) do(req *http.Request) (*http.Response, error) {
	if u.last {
		u.drop()
		if err := u.connect(); err != nil {
			return nil, err
		}
	}
	if err := req.Write(u.tls); err != nil {
		return nil, explain(u.c.o.Address, err)
	}
	resp, err := http.ReadResponse(u.in, req)
	if err != nil {
		return nil, explain(u.c.o.Address, err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10+1))
	if err != nil {
		return nil, explain(u.c.o.Address, err)
	}
	u.last = resp.Close || len(body) > 64<<10
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// call is do for the login.
func (u *upgrade) call(req *http.Request) (*http.Response, error) {
	resp, err := u.do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = u.refused(resp)
	}
	return resp, err
}

// refused makes an error of an answer. What is no JSON of a relay's comes from
// something before it, and says nothing about what the relay thinks.
func (u *upgrade) refused(resp *http.Response) error {
	if resp.StatusCode < 400 {
		return u.between(fmt.Sprintf("it answered %s where that is no answer", resp.Status))
	}
	body, _ := io.ReadAll(resp.Body)
	e := &api.Error{}
	if json.Unmarshal(body, e) != nil || e.Code == "" {
		return u.between(fmt.Sprintf("it answered %s, which is not the relay's answer", resp.Status))
	}
	e.Status, e.RetryAfter = resp.StatusCode, retryAfter(resp.Header)
	return e
}

// retryAfter is when the relay wants the client back, or 0.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After")))
	if err != nil || s < 0 {
		return 0 // dates are not sent by relays, and clocks differ
	}
	return min(time.Duration(min(s, 1<<20))*time.Second, maxRetryAfter)
}

// between blames what stands between us and the relay.
func (u *upgrade) between(what string) error {
	return &ConnectError{Address: u.c.o.Address, What: what,
		Help: "something on the way, such as a proxy or a firewall, does not let WebSockets pass; ask the network's administrator to allow them to this address"}
}

func (u *upgrade) finish(header http.Header) (*Upgraded, error) {
	state := u.tls.ConnectionState()
	conn := cork.Over(u.tls, u.cork)
	up := &Upgraded{Conn: conn, TLS: state, Header: header, Below: u.cork, Customer: u.c.o.Trust.Extra != nil && u.c.o.Trust.vendor(state, u.host) != nil}
	if n := u.in.Buffered(); n > 0 {
		rest := make([]byte, n)
		io.ReadFull(u.in, rest) // it is there
		up.Conn = &prefixed{Conn: conn, rest: rest}
	}
	return up, nil
}

// prefixed gives back what was read too far.
type prefixed struct {
	*cork.Conn
	rest []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		p.rest = nil
	}
	return n, nil
}

// TrustToo returns a client that also accepts certificates of the given
// authorities: a customer's proxy that inspects TLS. It can then read what goes
// to the relay, and that includes a login, but neither a session nor a bundle,
// which are encrypted to others. Only systems may do that: they have the
// vendor's record already, and an engineer's client would fetch it that way.
func (c *Client) TrustToo(extra *x509.CertPool) (*Client, error) {
	if c.o.Kind != api.KindSystem || c.o.Trust.Roots == nil {
		return nil, errors.New("relay client: only an enrolled system may accept further authorities")
	}
	o := c.o
	o.Trust.Extra = extra
	return New(o)
}
