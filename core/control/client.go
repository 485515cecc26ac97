package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// ErrNotRunning is what Dial returns when no agent serves the socket.
var ErrNotRunning = errors.New("the agent does not run")

// Client is the [API] of an agent in another process. The Caller arguments of
// its methods are ignored: the kernel tells the agent who calls.
type Client struct {
	http http.Client
}

var _ API = (*Client)(nil)

// Dial connects to the socket at path. It returns [ErrNotRunning], wrapped,
// when nobody listens there.
func Dial(ctx context.Context, path string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	conn, err := dial(ctx, "", "")
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w (no answer at %s); start it with: remote-support serve", ErrNotRunning, path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%w; run the command as root, or as the user that the agent runs as", err)
	case err != nil:
		return nil, fmt.Errorf("reach the agent: %w", err)
	}
	conn.Close()
	return &Client{http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
}

// Status implements [API].
func (c *Client) Status(ctx context.Context, _ Caller) (s Status, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/status", &s)
}

// Plugins implements [API].
func (c *Client) Plugins(ctx context.Context, _ Caller) (p []Plugin, err error) {
	return p, c.call(ctx, http.MethodGet, "/v1/plugins", &p)
}

// DescribePlugin implements [API].
func (c *Client) DescribePlugin(ctx context.Context, _ Caller, name string) (j json.RawMessage, err error) {
	return j, c.call(ctx, http.MethodGet, "/v1/plugins/"+url.PathEscape(name), &j)
}

// Reload implements [API].
func (c *Client) Reload(ctx context.Context, _ Caller) (r Reloaded, err error) {
	return r, c.call(ctx, http.MethodPost, "/v1/reload", &r)
}

// Watch implements [API].
func (c *Client) Watch(ctx context.Context, _ Caller, fn func(Event) error) error {
	err := lines(ctx, c, "/v1/events", fn)
	if err == nil { // it has no end of its own
		err = errors.New("the agent has ended")
	}
	return err
}

// lines calls fn with every JSON line of a stream. It returns nil at its end.
func lines[T any](ctx context.Context, c *Client, path string, fn func(T) error) error {
	resp, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return fmt.Errorf("read the agent's stream: %w", err)
		}
		if err := fn(v); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the agent ended the stream: %w", err)
	}
	return ctx.Err()
}

func (c *Client) call(ctx context.Context, method, path string, v any) error {
	return c.ask(ctx, method, path, nil, v)
}

// ask sends in, if it is not nil, as JSON and reads the answer into v.
func (c *Client) ask(ctx context.Context, method, path string, in, v any) error {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(v); err != nil {
		return fmt.Errorf("read the agent's answer: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("ask the agent: %w", err)
		}
		defer clear(b) // it may hold a secret
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	e := Error{Code: 1, Status: resp.StatusCode}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&e); err != nil || e.Message == "" {
		return nil, fmt.Errorf("the agent answered %s", resp.Status)
	}
	return nil, &e
}
