package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// DialFunc opens a connection to host:port. Names are resolved by it, or by
// the proxy behind it: nothing here looks a name up.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// SignFunc signs for a namespace and returns the armored signature.
type SignFunc func(namespace string, message []byte) ([]byte, error)

// Options are what a client is made of.
type Options struct {
	Address string // host:port
	Trust   Trust
	Dial    DialFunc // nil: a plain TCP connection

	// Login. Without them only what needs none can be called.
	Kind api.Kind
	Key  ssh.PublicKey
	Sign SignFunc
	RSS  api.Pin // pin of the relay's authority, which logins are bound to
}

const (
	dialTimeout    = 30 * time.Second
	requestTimeout = 60 * time.Second
	// MaxSkew is how wrong this machine's clock may be before it is told.
	MaxSkew  = 5 * time.Minute
	maxReply = 64 << 20
	maxList  = 256 << 10 // of the list of revoked certificates, which has 48 KiB at most before it is quoted
)

// Client speaks to one relay. It may be used by several goroutines.
type Client struct {
	o        Options
	http     *http.Client
	sessions tls.ClientSessionCache // of upgraded connections

	byChallenge atomic.Bool // a login by signature did not hold here
	plain       atomic.Bool // something on the way takes headers away

	mu      sync.Mutex
	bearer  string
	expires time.Time // by our clock
	subject string
	skew    time.Duration
}

// New makes a client; it connects when it is first used.
func New(o Options) (*Client, error) {
	if err := api.CheckAddress(o.Address); err != nil {
		return nil, err
	}
	if (o.Trust.Roots == nil) == (o.Trust.Pin == nil) {
		return nil, errors.New("relay client: either roots or a pin say which relay is trusted")
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialContext: o.Dial, TLSClientConfig: o.Trust.config(host), TLSHandshakeTimeout: dialTimeout,
		DisableCompression: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, WriteBufferSize: 256 << 10,
		TLSNextProto: nil, ForceAttemptHTTP2: false,
	}
	return &Client{o: o, sessions: tls.NewLRUClientSessionCache(2), http: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the relay answered with a redirect, which relays do not do")
	}}}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Address is host:port of the relay.
func (c *Client) Address() string { return c.o.Address }

// Skew is how far ahead of this machine's clock the relay's is, as of the last
// login.
func (c *Client) Skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew
}

// URL makes the address of a path of the API.
func (c *Client) URL(path string, query url.Values) string {
	u := url.URL{Scheme: "https", Host: c.o.Address, Path: path, RawQuery: query.Encode()}
	return u.String()
}

// Do sends a request, logged in when login is set, once more with a new login
// when the old one is not accepted any more. The body of such a request must
// be repeatable (http.Request.GetBody). Answers that are no success become
// *api.Error.
func (c *Client) Do(req *http.Request, login bool) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		if login {
			token, err := c.login(req.Context())
			if err != nil {
				return nil, err
			}
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, c.explain(err)
		}
		if resp.StatusCode < 400 {
			return resp, nil
		}
		e := readError(resp)
		if !login || e.Code != api.CodeUnauthorized {
			return nil, e
		}
		c.forget()
		if attempt > 0 || req.Body != nil && req.GetBody == nil {
			return nil, e
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, fmt.Errorf("repeat request: %w", err)
			}
		}
	}
}

// explain strips the URL that net/http puts before each error.
func (c *Client) explain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return explain(c.o.Address, err)
}

func readError(resp *http.Response) *api.Error {
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	e := &api.Error{}
	if err != nil || json.Unmarshal(b, e) != nil || e.Code == "" {
		// A HEAD has no body, and a proxy its own ideas.
		e = api.Errorf(resp.StatusCode, codeOf(resp.StatusCode), "the relay answered %s", resp.Status)
	}
	e.Status, e.RetryAfter = resp.StatusCode, retryAfter(resp.Header)
	return e
}

func codeOf(status int) api.Code {
	switch status {
	case http.StatusUnauthorized:
		return api.CodeUnauthorized
	case http.StatusForbidden:
		return api.CodeForbidden
	case http.StatusNotFound, http.StatusGone:
		return api.CodeNotFound
	case http.StatusConflict:
		return api.CodeOffsetMismatch
	case http.StatusInsufficientStorage:
		return api.CodeNoSpace
	}
	if status >= 500 {
		return api.CodeUnavailable
	}
	return api.CodeBadRequest
}

// JSON sends in (unless nil) and reads the answer into out.
func (c *Client) JSON(ctx context.Context, method, path string, query url.Values, login bool, in, out any) error {
	return c.json(ctx, func(req *http.Request) (*http.Response, error) { return c.Do(req, login) }, method, path, query, in, out)
}

// sendFunc sends one request and returns any answer.
type sendFunc func(*http.Request) (*http.Response, error)

func (c *Client) json(ctx context.Context, send sendFunc, method, path string, query url.Values, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL(path, query), body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := send(req)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		return readError(resp)
	}
	defer resp.Body.Close()
	limit := int64(maxReply)
	if path == api.PathRevoked {
		limit = maxList
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, limit)).Decode(out); err != nil {
		if isTimeout(err) || errors.Is(err, io.ErrUnexpectedEOF) {
			return c.explain(err)
		}
		return fmt.Errorf("relay %s: the answer to %s is not what a relay says: %w", c.o.Address, path, err)
	}
	return nil
}

// Health asks whether the relay is there; it needs no login.
func (c *Client) Health(ctx context.Context) (api.Health, error) {
	var h api.Health
	err := c.JSON(ctx, http.MethodGet, api.PathHealth, nil, false, nil, &h)
	return h, err
}

// Temporary reports whether what failed may succeed later: the network, a
// relay that restarts or is full. Refusals and wrong certificates are not.
func Temporary(err error) bool {
	var a *api.Error
	if errors.As(err, &a) {
		return a.Temporary()
	}
	var c *ConnectError
	if errors.As(err, &c) {
		return !c.final
	}
	return false
}

// Login logs in now, and returns as whom.
func (c *Client) Login(ctx context.Context) (string, error) {
	if _, err := c.login(ctx); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subject, nil
}

func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bearer = ""
}

// login returns a bearer token, a new one when the old has little time left.
func (c *Client) login(ctx context.Context) (string, error) {
	return c.loginBy(ctx, func(req *http.Request) (*http.Response, error) { return c.Do(req, false) })
}

// loginBy logs in by requests that are sent in a certain way.
func (c *Client) loginBy(ctx context.Context, send sendFunc) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bearer != "" && time.Now().Before(c.expires) {
		return c.bearer, nil
	}
	if c.o.Key == nil || c.o.Sign == nil {
		return "", errors.New("relay client: no key to log in with")
	}
	var ch api.ChallengeResponse
	if err := c.json(ctx, send, http.MethodPost, api.PathChallenge, nil, struct{}{}, &ch); err != nil {
		return "", err
	}
	c.skew = time.Until(ch.Time)
	sig, err := c.o.Sign(identity.NamespaceRSS, api.LoginStatement(c.o.Kind, c.o.RSS, ch.Nonce))
	if err != nil {
		return "", fmt.Errorf("log in to relay %s: %w", c.o.Address, err)
	}
	req := api.TokenRequest{Kind: c.o.Kind, Nonce: ch.Nonce, PublicKey: identity.FormatKey(c.o.Key), Signature: string(sig)}
	var tok api.TokenResponse
	if err := c.json(ctx, send, http.MethodPost, api.PathToken, nil, req, &tok); err != nil {
		return "", err
	}
	// By how long it is valid, not until when: our clock may be wrong.
	valid := tok.Expires.Sub(ch.Time) - time.Minute
	c.bearer, c.subject, c.expires = tok.Token, tok.Subject, time.Now().Add(max(valid, 0))
	return c.bearer, nil
}

// HeadersPass reports whether headers of our own reach the relay and come back,
// as far as that is known.
func (c *Client) HeadersPass() bool { return !c.plain.Load() }

// HeadersLost remembers that they do not.
func (c *Client) HeadersLost() { c.plain.Store(true) }
