package connect

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/core/relay/client"
)

const (
	proxyTimeout = 30 * time.Second
	maxProxyHead = 64 << 10
)

// ProxyError says why the proxy of the engineer's own network did not let the
// connection through.
type ProxyError struct {
	Proxy, What, Help string
	Err               error
}

func (e *ProxyError) Error() string { return fmt.Sprintf("proxy %s: %s", e.Proxy, e.What) }

// Hint says what to do.
func (e *ProxyError) Hint() string { return e.Help }

func (e *ProxyError) Unwrap() error { return e.Err }

// CheckProxy checks the URL of a proxy: http://[user@]host:port (CONNECT,
// Basic) or socks5://[user@]host:port. A password is never part of it.
func CheckProxy(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Port() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("proxy %.100q: use http://[user@]host:port or socks5://[user@]host:port", redact(raw))
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("a password is no part of a proxy's URL, where others read it; name a file with it")
	}
	switch u.Scheme {
	case "http", "https", "socks5":
		return u, nil
	}
	return nil, fmt.Errorf("proxy %.100q: use http:// or socks5://", raw)
}

// redact keeps a password in a URL that could not be read out of the message.
func redact(raw string) string {
	if scheme, rest, ok := strings.Cut(raw, "://"); ok {
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			return scheme + "://...@" + rest[i+1:]
		}
	}
	return raw
}

// Proxy makes the dial function that goes through a proxy. password is called
// for the proxy's user, if the URL names one. Names are resolved by the proxy.
func Proxy(raw string, password func() ([]byte, error)) (client.DialFunc, error) {
	u, err := CheckProxy(raw)
	if err != nil {
		return nil, err
	}
	var pass []byte
	if u.User.Username() != "" {
		if pass, err = password(); err != nil {
			return nil, err
		}
	}
	if u.Scheme == "socks5" {
		return socks(u, string(pass))
	}
	// As on the systems, https says what is carried; the proxy is spoken to in
	// clear.
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: proxyTimeout}).DialContext(ctx, network, u.Host)
		if err != nil {
			return nil, &ProxyError{u.Host, "it cannot be reached: " + reason(err), "check the address of the proxy", err}
		}
		stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
		defer stop()
		conn.SetDeadline(time.Now().Add(proxyTimeout))
		through, err := ask(conn, u, string(pass), addr)
		if err != nil {
			conn.Close()
			return nil, err
		}
		if !stop() {
			conn.Close()
			return nil, ctx.Err()
		}
		return through, conn.SetDeadline(time.Time{})
	}, nil
}

// ask sends the CONNECT and reads the answer.
func ask(conn net.Conn, u *url.URL, pass, addr string) (net.Conn, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", addr, addr)
	if name := u.User.Username(); name != "" {
		fmt.Fprintf(&b, "Proxy-Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(name+":"+pass)))
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return nil, &ProxyError{u.Host, "the connection was cut", "", err}
	}
	head := &io.LimitedReader{R: conn, N: maxProxyHead}
	br := bufio.NewReader(head)
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, &ProxyError{u.Host, "what it answered is not HTTP: " + reason(err), "check the address and the port of the proxy", err}
	}
	switch {
	case resp.StatusCode == http.StatusProxyAuthRequired && u.User.Username() == "":
		return nil, &ProxyError{u.Host, "it wants a user name and a password", "name the user in the URL, http://user@host:port, and the password's file with --proxy-password-file", nil}
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return nil, &ProxyError{u.Host, fmt.Sprintf("it does not accept the password of %s (it offers: %s)", u.User.Username(), strings.Join(resp.Header.Values("Proxy-Authenticate"), ", ")), "only Basic is spoken here", nil}
	case resp.StatusCode/100 != 2:
		return nil, &ProxyError{u.Host, fmt.Sprintf("it refuses to connect to %s (%s)", addr, resp.Status), "ask the proxy's administrator to allow it", nil}
	}
	if br.Buffered() == 0 {
		return conn, nil
	}
	early, err := br.Peek(br.Buffered())
	if err != nil {
		return nil, err
	}
	return &earlyConn{Conn: conn, early: early}, nil
}

// earlyConn first returns what came behind the proxy's answer.
type earlyConn struct {
	net.Conn
	early []byte
}

func (c *earlyConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func socks(u *url.URL, pass string) (client.DialFunc, error) {
	var auth *proxy.Auth
	if u.User.Username() != "" {
		auth = &proxy.Auth{User: u.User.Username(), Password: pass}
	}
	d, err := proxy.SOCKS5("tcp", u.Host, auth, &net.Dialer{Timeout: proxyTimeout})
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", u.Host, err)
	}
	through := d.(proxy.ContextDialer)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, proxyTimeout)
		defer cancel()
		conn, err := through.DialContext(ctx, network, addr)
		if err != nil {
			return nil, &ProxyError{u.Host, reason(err), "check the address of the proxy, and whether it allows this connection", err}
		}
		return conn, nil
	}, nil
}

// reason strips what the message says already.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}
