package store

import (
	"context"
	"sort"
	"time"
)

// NodeTTL is how long a node counts as up after its last word; it says one four
// times as often.
const NodeTTL = 20 * time.Second

// Node is a node of a relay of several, as it says itself.
type Node struct {
	Name    string    `json:"name"`
	Address string    `json:"address"` // host:port under which the others reach it
	Key     string    `json:"key"`     // SHA-256 of the public key of its certificate for the others
	Version int       `json:"v"`
	Started time.Time `json:"started"`
}

// Shared is implemented by engines that several nodes may use.
type Shared interface {
	// Shared reports whether they do, and this node's address on the way to the
	// store (host:port), by which others of the same network may reach it.
	Shared() (local string, shared bool)
}

// PutNode repeats a node's word about itself.
func (r *Registry) PutNode(ctx context.Context, n Node) error { return put(ctx, r.nodes, n.Name, n) }

// ForgetNode takes it back.
func (r *Registry) ForgetNode(ctx context.Context, name string) error {
	return r.nodes.Delete(ctx, name)
}

// Nodes lists those that are up, by name.
func (r *Registry) Nodes(ctx context.Context) ([]Node, error) {
	out, err := all[Node](ctx, r.nodes)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, err
}
