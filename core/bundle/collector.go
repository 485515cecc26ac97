package bundle

import (
	"context"
	"io"
	"time"
)

// Collector is a source of items. The host's collector plugins are behind it;
// tests bring their own.
type Collector interface {
	// Info says who collects. It is recorded in the manifest.
	Info() CollectorInfo
	// Plan lists what Collect would hand over, without reading it.
	Plan(ctx context.Context, r Request) ([]Planned, error)
	// Collect calls take for one item after the other, and returns when there
	// are no more. An error costs the items that were not taken yet. When take
	// returns an error, Collect must stop and return.
	Collect(ctx context.Context, r Request, take func(*Item) error) error
}

// CollectorInfo identifies a collector.
type CollectorInfo struct {
	Name    string `json:"name"`              // "logs": its folder in the bundle
	Plugin  string `json:"plugin,omitempty"`  // the plugin that brings it
	Version string `json:"version,omitempty"` // of the plugin
	SHA256  string `json:"sha256,omitempty"`  // of the plugin's binary
	Sandbox string `json:"sandbox,omitempty"` // level that was reached
}

// Request says what is wanted of a collector.
type Request struct {
	Since    time.Time // only what is newer; zero for all
	MaxBytes int64     // for all items together; 0 for no limit
	Include  []string  // further files and folders named by the user
}

// Planned is an item that would be collected.
type Planned struct {
	Collector string `json:"collector"`
	Name      string `json:"name"`
	Source    string `json:"source,omitempty"` // path or command line
	Size      int64  `json:"size"`             // estimate in bytes, -1 when unknown
	NeedsRoot bool   `json:"needs_root,omitempty"`
	Config    bool   `json:"config,omitempty"`
}

// Item is one file of the bundle to be, as a collector hands it over.
type Item struct {
	Name    string    // path inside the collector's folder, with slashes
	Source  string    // path or command line it comes from
	Config  bool      // its secrets are swept from all later items
	ModTime time.Time // of the source; zero when unknown

	// Content is read to its end and closed. It is nil for an item that is
	// not there; State and Reason then say why.
	Content io.ReadCloser
	State   State
	Reason  string

	// Finish, when not nil, is called after Content was read and tells how
	// it ended. It must return when ctx does.
	Finish func(ctx context.Context) (Outcome, error)
}

// Outcome is how an item ended.
type Outcome struct {
	ExitCode  *int   // of a command
	Truncated bool   // the collector cut it
	Reason    string // why it was cut or failed
	Failed    bool   // what was handed over is not worth keeping
}

// State says why something is not in the bundle.
type State string

// The states of what is missing.
const (
	Absent   State = "absent"   // not on this machine: no error
	Failed   State = "failed"   // could not be read
	Omitted  State = "omitted"  // the sanitizer let nothing of it pass: a binary, an archive bomb
	Limited  State = "limited"  // a bound on size or time was reached
	Refused  State = "refused"  // permission was missing: policy's, or the system's
	Skipped  State = "skipped"  // the user left it out
	Withheld State = "withheld" // the user took it out after the preview
)
