package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// ForEngineer makes the client of an engineer, who knows the relay by the pin
// of its authority.
func ForEngineer(address string, pin api.Pin, key ssh.PublicKey, sign SignFunc, dial DialFunc) (*Client, error) {
	return New(Options{Address: address, Trust: Trust{Pin: &pin}, Dial: dial, Kind: api.KindEngineer, Key: key, Sign: sign, RSS: pin})
}

// KeySigner signs with a key that is at hand, or in an agent.
func KeySigner(key ssh.Signer) SignFunc {
	return func(namespace string, message []byte) ([]byte, error) {
		return identity.Sign(key, namespace, bytes.NewReader(message))
	}
}

// Vendor fetches the record that systems pin, and checks that its authority is
// the one this client pins.
func (c *Client) Vendor(ctx context.Context) (identity.Vendor, error) {
	var v identity.Vendor
	if err := c.JSON(ctx, http.MethodGet, api.PathVendor, nil, true, nil, &v); err != nil {
		return identity.Vendor{}, err
	}
	if err := v.Check(); err != nil {
		return identity.Vendor{}, fmt.Errorf("relay %s: its vendor record: %w", c.o.Address, err)
	}
	ca, err := v.CA()
	if err != nil {
		return identity.Vendor{}, err
	}
	if api.PinOf(ca) != c.o.RSS {
		return identity.Vendor{}, fmt.Errorf("relay %s: its vendor record holds another authority than the one that is pinned", c.o.Address)
	}
	return v, nil
}

// Systems lists the systems whose name, serial number, host name or id contains search.
func (c *Client) Systems(ctx context.Context, search string) ([]api.System, error) {
	var list api.SystemList
	err := c.JSON(ctx, http.MethodGet, api.PathSystems, query("q", search), true, nil, &list)
	return list.Systems, err
}

// Bundles lists the bundles of a system (its name or id), or of all.
func (c *Client) Bundles(ctx context.Context, system string) ([]api.Bundle, error) {
	var list api.BundleList
	err := c.JSON(ctx, http.MethodGet, api.PathBundles, query("system", system), true, nil, &list)
	return list.Bundles, err
}

func query(key, value string) url.Values {
	if value == "" {
		return nil
	}
	return url.Values{key: {value}}
}

// Content copies the bytes of a bundle, from offset at on, to w.
func (c *Client) Content(ctx context.Context, id string, at int64, w io.Writer) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(api.ContentPath(id), nil), nil)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
	}
	resp, err := c.Do(req, true)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if at > 0 && resp.StatusCode != http.StatusPartialContent {
		return 0, fmt.Errorf("relay %s: it does not send the rest of a bundle", c.o.Address)
	}
	n, err := io.Copy(w, resp.Body)
	if err != nil {
		return n, c.explain(err)
	}
	return n, nil
}
