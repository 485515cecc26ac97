package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sort"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// A used nonce is remembered for longer than one is valid.
	onceTTL = 10 * time.Minute
	// Recordings are sent while they are made, or when the link is back.
	carriedTTL = 30 * 24 * time.Hour
)

// Registry is who and what the relay knows.
type Registry struct {
	settings, systems, engineers, tokens, bundles, once, seen Table
	presence, announced, recordings, segments, nodes, carried Table
}

// NewRegistry opens the tables.
func NewRegistry(ctx context.Context, e Engine) (*Registry, error) {
	r := &Registry{}
	for _, t := range []struct {
		into *Table
		name string
		ttl  time.Duration
	}{
		{&r.settings, "settings", 0}, {&r.systems, "systems", 0}, {&r.engineers, "engineers", 0}, {&r.tokens, "tokens", 0},
		{&r.bundles, "bundles", 0}, {&r.once, "once", onceTTL}, {&r.seen, "seen", 0},
		{&r.presence, "presence", PresenceTTL}, {&r.announced, "announced", 0},
		{&r.recordings, "recordings", 0}, {&r.segments, "segments", 0}, {&r.nodes, "nodes", NodeTTL}, {&r.carried, "carried", carriedTTL},
	} {
		table, err := e.Table(ctx, t.name, t.ttl)
		if err != nil {
			return nil, fmt.Errorf("open table %s: %w", t.name, err)
		}
		*t.into = table
	}
	return r, nil
}

// Secret returns a random key of 32 bytes that all nodes share. It is made on
// first use.
func (r *Registry) Secret(ctx context.Context, name string) ([]byte, error) {
	for {
		e, err := r.settings.Get(ctx, "secret."+name)
		if err == nil {
			return e.Value, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		b := make([]byte, 32)
		rand.Read(b) // never fails
		if err := r.settings.Create(ctx, "secret."+name, b); err != nil && !errors.Is(err, ErrExists) {
			return nil, err
		}
	}
}

// Once returns nil for the first caller with this key and ErrExists for others,
// for some minutes.
func (r *Registry) Once(ctx context.Context, key string) error {
	return r.once.Create(ctx, key, []byte("1"))
}

// System returns the system with that id.
func (r *Registry) System(ctx context.Context, id string) (System, error) {
	s, _, err := get[System](ctx, r.systems, id)
	if err != nil {
		return System{}, err
	}
	if e, err := r.seen.Get(ctx, id); err == nil {
		s.LastSeen = e.Written.UTC()
	}
	return s, nil
}

// Systems lists all systems by name.
func (r *Registry) Systems(ctx context.Context) ([]System, error) {
	out, err := all[System](ctx, r.systems)
	if err != nil {
		return nil, err
	}
	seen := map[string]time.Time{}
	for e, err := range r.seen.All(ctx) {
		if err != nil {
			return nil, err
		}
		seen[e.Key] = e.Written.UTC()
	}
	for i := range out {
		out[i].LastSeen = seen[out[i].ID]
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Name != out[j].Name {
			return out[i].Name < out[j].Name
		}
		return out[i].EnrolledAt.Before(out[j].EnrolledAt)
	})
	return out, nil
}

// Active returns the system of that name that may log in, or ErrNotFound.
func (r *Registry) Active(ctx context.Context, name string) (System, error) {
	list, err := r.Systems(ctx)
	if err != nil {
		return System{}, err
	}
	for _, s := range list {
		if s.Name == name && !s.Retired {
			return s, nil
		}
	}
	return System{}, fmt.Errorf("system %s: %w", name, ErrNotFound)
}

// maxRounds bounds how often a change is tried again because others were faster.
const maxRounds = 100

// ChangeSystem changes the record of a system, and nothing that another node or
// request has written meanwhile is lost: change is called with the record as it
// is, once more each time that somebody was faster. Known is false where there is
// none yet; the record then has its id alone. An error of change ends it.
func (r *Registry) ChangeSystem(ctx context.Context, id string, change func(s *System, known bool) error) (System, error) {
	for range maxRounds {
		s, revision, err := get[System](ctx, r.systems, id)
		known := err == nil
		if err != nil && !errors.Is(err, ErrNotFound) {
			return s, err
		}
		s.ID = id
		if err := change(&s, known); err != nil {
			return s, err
		}
		s.ID, s.LastSeen, s.Session = id, time.Time{}, nil // kept apart, because they change all the time
		b, err := json.Marshal(s)
		if err != nil {
			return s, fmt.Errorf("encode record %s: %w", id, err)
		}
		if known {
			err = r.systems.Update(ctx, id, b, revision)
		} else {
			err = r.systems.Create(ctx, id, b)
		}
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) {
			return s, err
		}
	}
	return System{}, fmt.Errorf("change system %s: %w", id, ErrConflict)
}

// Seen notes that the system was heard of now.
func (r *Registry) Seen(ctx context.Context, id string) error {
	return r.seen.Put(ctx, id, []byte("1"))
}

// Token returns the enrolment token with that id, and its revision.
func (r *Registry) Token(ctx context.Context, id string) (Token, uint64, error) {
	return get[Token](ctx, r.tokens, id)
}

// AddToken stores a new token.
func (r *Registry) AddToken(ctx context.Context, t Token) error {
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode token: %w", err)
	}
	return r.tokens.Create(ctx, t.ID, b)
}

// UseToken marks a token that was read at revision as used. Of two at the same
// time one gets ErrConflict.
func (r *Registry) UseToken(ctx context.Context, t Token, revision uint64) error {
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode token: %w", err)
	}
	return r.tokens.Update(ctx, t.ID, b, revision)
}

// Tokens lists all tokens, oldest first.
func (r *Registry) Tokens(ctx context.Context) ([]Token, error) {
	out, err := all[Token](ctx, r.tokens)
	sort.Slice(out, func(i, j int) bool { return out[i].Created.Before(out[j].Created) })
	return out, err
}

// Engineer returns the engineer of that name.
func (r *Registry) Engineer(ctx context.Context, name string) (Engineer, error) {
	e, _, err := get[Engineer](ctx, r.engineers, name)
	return e, err
}

// EngineerByKey returns the active engineer who has that key.
func (r *Registry) EngineerByKey(ctx context.Context, key ssh.PublicKey) (Engineer, error) {
	list, err := r.Engineers(ctx)
	if err != nil {
		return Engineer{}, err
	}
	want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	for _, e := range list {
		if e.Active() && e.Key == want {
			return e, nil
		}
	}
	return Engineer{}, fmt.Errorf("engineer with key %s: %w", ssh.FingerprintSHA256(key), ErrNotFound)
}

// Engineers lists all engineers by name.
func (r *Registry) Engineers(ctx context.Context) ([]Engineer, error) {
	out, err := all[Engineer](ctx, r.engineers)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, err
}

// PutEngineer stores an engineer.
func (r *Registry) PutEngineer(ctx context.Context, e Engineer) error {
	return put(ctx, r.engineers, e.Name, e)
}

// Bundle returns the bundle with that id.
func (r *Registry) Bundle(ctx context.Context, id string) (Bundle, error) {
	b, _, err := get[Bundle](ctx, r.bundles, id)
	return b, err
}

// AddBundle stores a new bundle.
func (r *Registry) AddBundle(ctx context.Context, b Bundle) error {
	v, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode bundle: %w", err)
	}
	return r.bundles.Create(ctx, b.ID, v)
}

// Bundles lists all bundles, newest first.
func (r *Registry) Bundles(ctx context.Context) ([]Bundle, error) {
	out, err := all[Bundle](ctx, r.bundles)
	sort.Slice(out, func(i, j int) bool { return out[i].ReceivedAt.After(out[j].ReceivedAt) })
	return out, err
}

func get[T any](ctx context.Context, t Table, key string) (v T, revision uint64, err error) {
	e, err := t.Get(ctx, key)
	if err != nil {
		return v, 0, err
	}
	if err := json.Unmarshal(e.Value, &v); err != nil {
		return v, 0, fmt.Errorf("read record %s: %w", key, err)
	}
	return v, e.Revision, nil
}

func put(ctx context.Context, t Table, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode record %s: %w", key, err)
	}
	return t.Put(ctx, key, b)
}

func all[T any](ctx context.Context, t Table) ([]T, error) { return decode[T](t.All(ctx)) }

func decode[T any](entries iter.Seq2[Entry, error]) ([]T, error) {
	var out []T
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		var v T
		if err := json.Unmarshal(e.Value, &v); err != nil {
			return nil, fmt.Errorf("read record %s: %w", e.Key, err)
		}
		out = append(out, v)
	}
	return out, nil
}
