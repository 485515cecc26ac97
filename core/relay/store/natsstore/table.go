package natsstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/latchstring/latchstring/core/relay/store"
)

// table is a bucket.
type table struct {
	e    *Engine
	kv   jetstream.KeyValue
	name string
}

func (t *table) what(key string) string { return t.name + "/" + key }

func (t *table) Get(ctx context.Context, key string) (store.Entry, error) {
	ctx, done, err := t.e.begin(ctx)
	if err != nil {
		return store.Entry{}, err
	}
	defer done()
	e, err := t.kv.Get(ctx, key)
	if err != nil {
		return store.Entry{}, translate(ctx, "read", t.what(key), err)
	}
	return entry(e), nil
}

func entry(e jetstream.KeyValueEntry) store.Entry {
	return store.Entry{Key: e.Key(), Value: e.Value(), Revision: e.Revision(), Written: e.Created()}
}

func (t *table) Create(ctx context.Context, key string, value []byte) error {
	ctx, done, err := t.e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = t.kv.Create(ctx, key, value)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return fmt.Errorf("create %s: %w", t.what(key), store.ErrExists)
	}
	return translate(ctx, "create", t.what(key), err)
}

func (t *table) Update(ctx context.Context, key string, value []byte, revision uint64) error {
	ctx, done, err := t.e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = t.kv.Update(ctx, key, value, revision)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return fmt.Errorf("update %s: %w", t.what(key), store.ErrConflict)
	}
	return translate(ctx, "update", t.what(key), err)
}

func (t *table) Put(ctx context.Context, key string, value []byte) error {
	ctx, done, err := t.e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = t.kv.Put(ctx, key, value)
	return translate(ctx, "write", t.what(key), err)
}

func (t *table) Delete(ctx context.Context, key string) error {
	ctx, done, err := t.e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return translate(ctx, "delete", t.what(key), t.kv.Delete(ctx, key))
}

func (t *table) All(ctx context.Context) iter.Seq2[store.Entry, error] {
	return t.list(ctx, ">")
}

func (t *table) Below(ctx context.Context, prefix string) iter.Seq2[store.Entry, error] {
	return t.list(ctx, prefix+".>")
}

// Changes has no limit in time, but for its first call.
func (t *table) Changes(ctx context.Context) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		_, done, err := t.e.begin(ctx)
		if err != nil {
			yield(store.Entry{}, err)
			return
		}
		w, err := t.kv.WatchAll(ctx, jetstream.UpdatesOnly())
		done()
		if err != nil {
			yield(store.Entry{}, translate(ctx, "watch", t.name, err))
			return
		}
		defer w.Stop()
		for {
			select {
			case e, ok := <-w.Updates():
				if !ok {
					yield(store.Entry{}, t.e.over(ctx, "watch", t.name))
					return
				}
				if e == nil {
					continue
				}
				out := entry(e)
				if e.Operation() != jetstream.KeyValuePut {
					out.Value = nil
				}
				if !yield(out, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (t *table) list(ctx context.Context, keys string) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		ctx, done, err := t.e.begin(ctx)
		if err != nil {
			yield(store.Entry{}, err)
			return
		}
		defer done()
		w, err := t.kv.Watch(ctx, keys, jetstream.IgnoreDeletes())
		if err != nil {
			yield(store.Entry{}, translate(ctx, "list", t.name, err))
			return
		}
		defer w.Stop()
		for {
			select {
			case e, ok := <-w.Updates():
				if !ok {
					yield(store.Entry{}, t.e.over(ctx, "list", t.name))
					return
				}
				if e == nil { // all that was there has come
					return
				}
				if !yield(entry(e), nil) {
					return
				}
			case <-ctx.Done():
				yield(store.Entry{}, translate(ctx, "list", t.name, ctx.Err()))
				return
			}
		}
	}
}
