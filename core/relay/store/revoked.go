package store

import (
	"context"
	"errors"
	"iter"
)

const revokedKey = "revocations"

// Revocations is the vendor's list of revoked certificates as it was signed, nil
// when there is none, and the revision for [Registry.PutRevocations].
func (r *Registry) Revocations(ctx context.Context) (raw []byte, revision uint64, err error) {
	e, err := r.settings.Get(ctx, revokedKey)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	return e.Value, e.Revision, err
}

// PutRevocations replaces the list that was read with that revision. It is
// ErrConflict, or ErrExists, when somebody else was faster.
func (r *Registry) PutRevocations(ctx context.Context, raw []byte, revision uint64) error {
	if revision == 0 {
		return r.settings.Create(ctx, revokedKey, raw)
	}
	return r.settings.Update(ctx, revokedKey, raw, revision)
}

// RevocationsChange yields each time that the list was replaced, by whichever
// node.
func (r *Registry) RevocationsChange(ctx context.Context) iter.Seq[error] {
	return func(yield func(error) bool) {
		for e, err := range r.settings.Changes(ctx) {
			if (err != nil || e.Key == revokedKey) && !yield(err) {
				return
			}
		}
	}
}
