package client

import (
	"context"
	"net/http"

	"github.com/latchstring/latchstring/core/relay/api"
)

// Revocations fetches the vendor's list of revoked certificates, as it was
// signed; nil when the relay has none. Nothing of it is checked here.
func (c *Client) Revocations(ctx context.Context) ([]byte, error) {
	var out api.Revocations
	if err := c.JSON(ctx, http.MethodGet, api.PathRevoked, nil, true, nil, &out); err != nil || out.List == "" {
		return nil, err
	}
	return []byte(out.List), nil
}

// PublishRevocations gives the relay a new list.
func (c *Client) PublishRevocations(ctx context.Context, raw []byte) error {
	var out api.Revocations
	return c.JSON(ctx, http.MethodPost, api.PathRevoked, nil, true, api.Revocations{List: string(raw)}, &out)
}
