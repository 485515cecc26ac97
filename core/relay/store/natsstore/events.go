package natsstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	auditStream  = "rss-audit"
	auditSubject = "rss.audit"
)

// events is the audit stream. The number of a record is its number in the
// stream, because nothing is ever removed.
type events struct {
	e      *Engine
	js     jetstream.JetStream
	stream jetstream.Stream

	mu   sync.Mutex
	last audit.Head
}

// EventLog opens the stream.
func (e *Engine) EventLog(ctx context.Context) (store.EventLog, error) {
	ctx, done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	cfg := jetstream.StreamConfig{Name: auditStream, Subjects: []string{auditSubject}, Storage: jetstream.FileStorage, Replicas: replicas,
		DenyDelete: true, DenyPurge: true, Duplicates: 2 * time.Minute, MaxMsgSize: audit.MaxLine}
	s, err := e.js.CreateOrUpdateStream(ctx, cfg)
	if alone(err) {
		cfg.Replicas = 1
		s, err = e.js.CreateOrUpdateStream(ctx, cfg)
	}
	if err != nil {
		return nil, translate(ctx, "open", "audit stream", err)
	}
	l := &events{e: e, js: e.js, stream: s}
	return l, l.refresh(ctx)
}

// refresh reads which record is the last one now.
func (l *events) refresh(ctx context.Context) error {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return translate(ctx, "read", "audit stream", err)
	}
	if info.State.LastSeq == 0 {
		l.last = audit.Head{}
		return nil
	}
	m, err := l.stream.GetMsg(ctx, info.State.LastSeq)
	if err != nil {
		return translate(ctx, "read", "audit stream", err)
	}
	r, err := decode(m.Data, m.Sequence)
	if err != nil {
		return err
	}
	l.last = audit.Head{Version: audit.Version, Seq: r.Seq, Hash: r.Hash, Time: r.Time}
	return nil
}

func decode(data []byte, seq uint64) (audit.Record, error) {
	r, err := audit.Decode(data)
	if err != nil {
		return audit.Record{}, fmt.Errorf("audit stream, message %d: %w", seq, err)
	}
	if r.Seq != seq {
		return audit.Record{}, fmt.Errorf("audit stream, message %d holds record %d", seq, r.Seq)
	}
	return r, nil
}

// Append publishes the next record. When another node was faster, or the
// answer got lost, it looks at the stream and goes on from there.
func (l *events) Append(ctx context.Context, e audit.Event) (audit.Record, error) {
	ctx, done, err := l.e.begin(ctx)
	if err != nil {
		return audit.Record{}, err
	}
	defer done()
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		r, line, err := audit.Next(l.last, time.Now(), e)
		if err != nil {
			return audit.Record{}, err
		}
		err = l.publish(ctx, r, bytes.TrimSuffix(line, []byte("\n")))
		if err == nil {
			l.last = audit.Head{Version: audit.Version, Seq: r.Seq, Hash: r.Hash, Time: r.Time}
			return r, nil
		}
		var api *jetstream.APIError
		if ctx.Err() != nil || errors.As(err, &api) && api.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequence {
			return audit.Record{}, translate(ctx, "append to", "audit stream", err)
		}
		if err := l.refresh(ctx); err != nil {
			return audit.Record{}, err
		}
		if l.last.Hash == r.Hash { // it was stored after all
			return r, nil
		}
	}
}

func (l *events) publish(ctx context.Context, r audit.Record, line []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := l.js.Publish(ctx, auditSubject, line, jetstream.WithExpectLastSequence(r.Seq-1), jetstream.WithMsgID(r.Hash))
	return err
}

func (l *events) Read(ctx context.Context) iter.Seq2[audit.Record, error] {
	return func(yield func(audit.Record, error) bool) {
		if err := l.read(ctx, yield); err != nil {
			yield(audit.Record{}, err)
		}
	}
}

func (l *events) read(ctx context.Context, yield func(audit.Record, error) bool) error {
	call, done, err := l.e.begin(ctx) // for the first call alone: a reader takes its time
	if err != nil {
		return err
	}
	info, err := l.stream.Info(call)
	done()
	if err != nil {
		return translate(ctx, "read", "audit stream", err)
	}
	if info.State.LastSeq == 0 {
		return nil
	}
	c, err := l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return translate(ctx, "read", "audit stream", err)
	}
	it, err := c.Messages()
	if err != nil {
		return translate(ctx, "read", "audit stream", err)
	}
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()
	prev := audit.Head{Hash: audit.Zero}
	for prev.Seq < info.State.LastSeq {
		m, err := it.Next()
		if err != nil {
			return errors.Join(ctx.Err(), translate(ctx, "read", "audit stream", err))
		}
		meta, err := m.Metadata()
		if err != nil {
			return translate(ctx, "read", "audit stream", err)
		}
		r, err := decode(m.Data(), meta.Sequence.Stream)
		if err != nil {
			return err
		}
		if r.Seq != prev.Seq+1 || r.Prev != prev.Hash {
			return fmt.Errorf("audit stream: record %d does not follow record %d as it stands: the store was changed", r.Seq, prev.Seq)
		}
		prev = audit.Head{Seq: r.Seq, Hash: r.Hash}
		if !yield(r, nil) {
			return nil
		}
	}
	return nil
}
