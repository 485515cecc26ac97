package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/latchstring/latchstring/core/audit"
)

// Errors that engines return, possibly wrapped.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrConflict = errors.New("changed by somebody else meanwhile")
	ErrFull     = errors.New("no space left in the relay's store")
	ErrFailed   = errors.New("the relay's store cannot write its files")
	ErrClosed   = errors.New("the relay's store is closed")
)

// Entry is a record of a table. Revision changes with each write.
type Entry struct {
	Key      string
	Value    []byte
	Revision uint64
	Written  time.Time
}

// Table is a set of small records (below 256 KiB). Keys consist of letters,
// digits, '-', '_' and '.'. When a method has returned, what it wrote survives
// a power cut.
type Table interface {
	// Get returns ErrNotFound where there is no such key.
	Get(ctx context.Context, key string) (Entry, error)
	// Create returns ErrExists where there is one.
	Create(ctx context.Context, key string, value []byte) error
	// Update writes only if the revision is still the one that was read, and
	// returns ErrConflict otherwise.
	Update(ctx context.Context, key string, value []byte, revision uint64) error
	// Put writes whatever was there.
	Put(ctx context.Context, key string, value []byte) error
	// Delete does nothing where there is no such key.
	Delete(ctx context.Context, key string) error
	// All lists the table, in no order.
	All(ctx context.Context) iter.Seq2[Entry, error]
	// Below lists the keys that begin with prefix and a '.', in no order.
	Below(ctx context.Context, prefix string) iter.Seq2[Entry, error]
	// Changes yields what is written from now on, until ctx ends. Removed
	// records come with a nil Value.
	Changes(ctx context.Context) iter.Seq2[Entry, error]
}

// EventLog is an audit log in the store. Its records form the same hash chain
// as the files of core/audit.
type EventLog interface {
	// Append returns when the record is stored; nothing it was to record may
	// happen before.
	Append(ctx context.Context, e audit.Event) (audit.Record, error)
	// Read yields the records from the first, and an error where the chain
	// does not hold.
	Read(ctx context.Context) iter.Seq2[audit.Record, error]
}

// Engine makes tables.
type Engine interface {
	// Table opens the table of that name and makes it where it does not exist.
	// With ttl > 0 its records vanish that long after their last write.
	Table(ctx context.Context, name string, ttl time.Duration) (Table, error)
	EventLog(ctx context.Context) (EventLog, error)
	// Close flushes and ends. It returns when nothing runs any more.
	Close() error
}
