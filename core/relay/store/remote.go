package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
)

// PresenceTTL is how long a node's word about its sessions counts; it repeats
// itself three times as often.
const PresenceTTL = time.Minute

// Present is what one node says about some of the systems that hang on it.
type Present struct {
	Node     string                 `json:"node"`
	Sessions map[string]api.Session `json:"sessions"` // by system
}

// PutPresent repeats a node's word; shard numbers its parts.
func (r *Registry) PutPresent(ctx context.Context, shard int, p Present) error {
	return put(ctx, r.presence, fmt.Sprintf("%s.%d", p.Node, shard), p)
}

// ForgetPresent takes back everything that a node said.
func (r *Registry) ForgetPresent(ctx context.Context, node string) error {
	for e, err := range r.presence.Below(ctx, node) {
		if err != nil {
			return err
		}
		if err := r.presence.Delete(ctx, e.Key); err != nil {
			return err
		}
	}
	return nil
}

// Present merges what all nodes say.
func (r *Registry) Present(ctx context.Context) (map[string]api.Session, error) {
	parts, err := all[Present](ctx, r.presence)
	if err != nil {
		return nil, err
	}
	out := map[string]api.Session{}
	for _, p := range parts {
		for id, s := range p.Sessions {
			if old, ok := out[id]; !ok || s.Connected.After(old.Connected) {
				out[id] = s
			}
		}
	}
	return out, nil
}

// Announced returns the last session that the system announced, or a zero one.
func (r *Registry) Announced(ctx context.Context, system string) (Announced, error) {
	a, _, err := get[Announced](ctx, r.announced, system)
	if errors.Is(err, ErrNotFound) {
		return Announced{}, nil
	}
	return a, err
}

// PutAnnounced stores it.
func (r *Registry) PutAnnounced(ctx context.Context, system string, a Announced) error {
	return put(ctx, r.announced, system, a)
}

// SystemChanges and EngineerChanges yield records as they are written, by
// whichever node.
func (r *Registry) SystemChanges(ctx context.Context) iter.Seq2[System, error] {
	return changes[System](ctx, r.systems)
}

// EngineerChanges is like SystemChanges.
func (r *Registry) EngineerChanges(ctx context.Context) iter.Seq2[Engineer, error] {
	return changes[Engineer](ctx, r.engineers)
}

func changes[T any](ctx context.Context, t Table) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for e, err := range t.Changes(ctx) {
			var v T
			if err == nil && e.Value == nil {
				continue
			}
			if err == nil {
				err = json.Unmarshal(e.Value, &v)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

func recordingKey(system, connection string) string { return system + "." + connection }

// Recording returns the recording of a connection, and its revision.
func (r *Registry) Recording(ctx context.Context, system, connection string) (Recording, uint64, error) {
	return get[Recording](ctx, r.recordings, recordingKey(system, connection))
}

// PutRecording stores a recording that was read at revision, or a new one with
// revision 0. Where another node was faster it returns ErrConflict.
func (r *Registry) PutRecording(ctx context.Context, rec Recording, revision uint64) error {
	rec.List = nil
	key := recordingKey(rec.System, rec.Connection)
	b, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encode recording: %w", err)
	}
	if revision > 0 {
		return r.recordings.Update(ctx, key, b, revision)
	}
	if err := r.recordings.Create(ctx, key, b); !errors.Is(err, ErrExists) {
		return err
	}
	return fmt.Errorf("store recording %s: %w", key, ErrConflict)
}

// PutCarried remembers for some weeks whose connection that was.
func (r *Registry) PutCarried(ctx context.Context, system, connection, engineer string) error {
	return r.carried.Put(ctx, recordingKey(system, connection), []byte(engineer))
}

// Carried is whose connection that was, or "".
func (r *Registry) Carried(ctx context.Context, system, connection string) (string, error) {
	e, err := r.carried.Get(ctx, recordingKey(system, connection))
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return string(e.Value), err
}

// Recordings lists them, newest first: of one system, or of all.
func (r *Registry) Recordings(ctx context.Context, system string) ([]Recording, error) {
	entries := r.recordings.All(ctx)
	if system != "" {
		entries = r.recordings.Below(ctx, system)
	}
	out, err := decode[Recording](entries)
	sort.Slice(out, func(i, j int) bool { return out[i].Begun.After(out[j].Begun) })
	return out, err
}

// AddSegment stores what a segment is, once: ErrExists where there is one.
func (r *Registry) AddSegment(ctx context.Context, system, connection string, s api.Segment) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode segment: %w", err)
	}
	return r.segments.Create(ctx, segmentKey(system, connection, s.N), b)
}

func segmentKey(system, connection string, n int) string {
	return fmt.Sprintf("%s.%d", recordingKey(system, connection), n)
}

// Segment returns one segment.
func (r *Registry) Segment(ctx context.Context, system, connection string, n int) (api.Segment, error) {
	s, _, err := get[api.Segment](ctx, r.segments, segmentKey(system, connection, n))
	return s, err
}

// Segments lists those of a recording by number.
func (r *Registry) Segments(ctx context.Context, system, connection string) ([]api.Segment, error) {
	out, err := decode[api.Segment](r.segments.Below(ctx, recordingKey(system, connection)))
	sort.Slice(out, func(i, j int) bool { return out[i].N < out[j].N })
	return out, err
}
