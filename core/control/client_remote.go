package control

import (
	"context"
	"net/http"
	"net/url"
)

// On implements [API].
func (c *Client) On(ctx context.Context, _ Caller, r OnRequest) (o Opened, err error) {
	return o, c.ask(ctx, http.MethodPost, "/v1/session/on", r, &o)
}

// Off implements [API].
func (c *Client) Off(ctx context.Context, _ Caller) (e Ended, err error) {
	return e, c.call(ctx, http.MethodPost, "/v1/session/off", &e)
}

// Extend implements [API].
func (c *Client) Extend(ctx context.Context, _ Caller, r ExtendRequest) (s Session, err error) {
	return s, c.ask(ctx, http.MethodPost, "/v1/session/extend", r, &s)
}

// Session implements [API].
func (c *Client) Session(ctx context.Context, _ Caller) (s Session, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/session", &s)
}

// Secret implements [API].
func (c *Client) Secret(ctx context.Context, _ Caller, r SecretRequest) (s Secret, err error) {
	return s, c.ask(ctx, http.MethodPost, "/v1/session/secret", r, &s)
}

// Connections implements [API].
func (c *Client) Connections(ctx context.Context, _ Caller) (all []Connection, err error) {
	return all, c.call(ctx, http.MethodGet, "/v1/connections", &all)
}

// Cut implements [API].
func (c *Client) Cut(ctx context.Context, _ Caller, id string) error {
	return c.call(ctx, http.MethodPost, connectionPath(id, "cut"), new(struct{}))
}

// Approve implements [API].
func (c *Client) Approve(ctx context.Context, _ Caller, id string) (one Connection, err error) {
	return one, c.call(ctx, http.MethodPost, connectionPath(id, "approve"), &one)
}

// Deny implements [API].
func (c *Client) Deny(ctx context.Context, _ Caller, id string) error {
	return c.call(ctx, http.MethodPost, connectionPath(id, "deny"), new(struct{}))
}

// Live implements [API].
func (c *Client) Live(ctx context.Context, _ Caller, id string, fn func(Frame) error) error {
	return lines(ctx, c, connectionPath(id, "live"), fn)
}

func connectionPath(id, verb string) string {
	return "/v1/connections/" + url.PathEscape(id) + "/" + verb
}
