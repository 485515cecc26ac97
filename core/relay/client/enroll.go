package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// Enroll introduces a system to the relay of its token and returns the record
// to pin. It can be repeated with the same token and the same key when the
// answer got lost. address overrides the one in the token unless it is empty.
func Enroll(ctx context.Context, sys *identity.System, token api.Token, address, hostname string, dial DialFunc) (api.EnrollResponse, error) {
	if address == "" {
		address = token.RSS
	}
	c, err := New(Options{Address: address, Trust: Trust{Pin: &token.Pin}, Dial: dial})
	if err != nil {
		return api.EnrollResponse{}, err
	}
	defer c.Close()
	sig, err := sys.Sign(identity.NamespaceRSS, api.EnrollStatement(token.Pin, token.ID(), sys.PublicKey()))
	if err != nil {
		return api.EnrollResponse{}, err
	}
	req := api.EnrollRequest{Secret: token.Secret, PublicKey: identity.FormatKey(sys.PublicKey()), Hostname: hostname, Signature: string(sig)}
	var resp api.EnrollResponse
	if err := c.JSON(ctx, http.MethodPost, api.PathEnroll, nil, false, req, &resp); err != nil {
		return api.EnrollResponse{}, fmt.Errorf("enrol at relay %s: %w", address, err)
	}
	resp.Vendor.RSS = address // under which it was reached
	if err := resp.Vendor.Check(); err != nil {
		return api.EnrollResponse{}, fmt.Errorf("enrol at relay %s: its vendor record: %w", address, err)
	}
	ca, err := resp.Vendor.CA()
	if err != nil {
		return api.EnrollResponse{}, err
	}
	if api.PinOf(ca) != token.Pin {
		return api.EnrollResponse{}, fmt.Errorf("enrol at relay %s: its vendor record holds another authority than the token names", address)
	}
	if resp.System != sys.ID() {
		return api.EnrollResponse{}, fmt.Errorf("enrol at relay %s: it enrolled %.40q, not this system %s", address, resp.System, sys.ID())
	}
	return resp, nil
}

// ForSystem makes the client of an enrolled system.
func ForSystem(sys *identity.System, v identity.Vendor, dial DialFunc) (*Client, error) {
	roots, err := v.Pool()
	if err != nil {
		return nil, err
	}
	ca, err := v.CA()
	if err != nil {
		return nil, err
	}
	return New(Options{Address: v.RSS, Trust: Trust{Roots: roots}, Dial: dial, Kind: api.KindSystem, Key: sys.PublicKey(), Sign: sys.Sign, RSS: api.PinOf(ca)})
}
