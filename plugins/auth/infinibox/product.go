package infinibox

import (
	"context"
	"net/http"
)

// The products.
const (
	auto        = "auto"
	infiniBox   = "infinibox"
	infiniGuard = "infiniguard"
)

// called is what users read.
func (s *settings) called() string {
	switch s.Product {
	case infiniBox:
		return "InfiniBox"
	case infiniGuard:
		return "InfiniGuard"
	}
	return "array"
}

// guards is where the InfiniBox inside of an InfiniGuard lists the servers in
// front of it.
const guards = "integrations/infiniguard/dde_nodes"

// product finds out what the array is, as somebody who is logged in there. It is
// for the record: what cannot be found out is left out.
func (a *array) product(ctx context.Context, cookies []*http.Cookie) string {
	var nodes []struct{}
	if err := a.get(ctx, guards, cookies, &nodes); err != nil {
		return ""
	}
	if len(nodes) == 0 {
		return infiniBox
	}
	return infiniGuard
}

// whereabouts says who the array is. The InfiniBox inside of an InfiniGuard is
// not known to tell more than its name.
func (a *array) whereabouts(ctx context.Context, cookies []*http.Cookie) (name, serial string) {
	var sys system
	if err := a.get(ctx, "system", cookies, &sys); err == nil {
		return sys.Name, sys.Serial.String()
	}
	if err := a.get(ctx, "system/name", cookies, &name); err != nil {
		return "", ""
	}
	return name, ""
}
