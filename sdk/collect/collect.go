package collect

import (
	"context"
	"os"
	"time"

	"github.com/latchstring/latchstring/sdk/needs"
)

// Request says what is wanted.
type Request struct {
	Since    time.Time // only what is newer; zero for all
	MaxBytes int64     // about as much in all; 0 for no limit. The host cuts
	Include  []string  // paths that the user asked for beside
}

// Item is one file of the bundle.
type Item struct {
	// Name is its path in the collector's folder: relative, with slashes,
	// without "..", and only once in a collection.
	Name string

	// Source is where it comes from: a path or a command line. Path, File
	// and Command fill it in.
	Source string

	// Config marks configuration: the host redacts it first and removes
	// the secrets that it finds there from everything else.
	Config bool

	Size    int64         // in bytes, if known; else 0
	ModTime time.Time     // of the source, if known
	Timeout time.Duration // of a command; 0 for the host's limit
}

// Collector collects.
type Collector interface {
	// Collect gives to sink what there is and returns when it is all
	// there, or soon after ctx has ended.
	Collect(ctx context.Context, req Request, sink Sink) error
}

// Needer is a collector that reads or runs what needs the host's permission.
type Needer interface {
	Needs() needs.List
}

// Planner is a collector that can tell in advance what it would collect.
type Planner interface {
	Plan(ctx context.Context, req Request) ([]Planned, error)
}

// Planned is an item that would be collected.
type Planned struct {
	Name      string
	Source    string
	Size      int64 // estimate in bytes, -1 if unknown
	Config    bool
	NeedsRoot bool // can be read by root only
}

// Sink takes what a collector finds. It is implemented by the SDK; methods may
// be added. Each method is bound to the context of Collect and returns its
// error after it has ended. All may be called concurrently.
type Sink interface {
	// File hands over an open file, a pipe or a device that ends. It takes
	// over f: f is closed.
	File(item Item, f *os.File) error

	// Path opens a file and hands it over. A file that is not there
	// becomes an absent item, one that cannot be opened a failed item.
	Path(item Item, path string) error

	// Stream begins an item that the collector writes itself.
	Stream(item Item) (*Stream, error)

	// Command runs a command and hands over what it writes to stdout, with
	// its exit code and the end of its stderr. A command that is not there
	// becomes an absent item. An exit code is no error.
	Command(item Item, argv ...string) error

	// Open opens a file for the collector to read: by itself, or by the
	// host if the collector may not. Errors are those of os.Open.
	Open(path string) (*os.File, error)

	// Output runs a command and returns what it wrote, at most 1 MiB. Of a
	// command that is not there errors.Is(err, fs.ErrNotExist) holds; one
	// that ends with another code than 0 is an *ExitError.
	Output(argv ...string) ([]byte, error)

	// Absent says that an item is not on this machine, and why.
	Absent(item Item, reason string) error

	// Failed says that an item could not be collected.
	Failed(item Item, err error) error

	// Note tells the user something: progress, a warning. No secrets.
	Note(format string, args ...any)
}

// Runner lets a collector run commands itself where its host runs none: an
// older one, or a debugger. The SDK asks the host first.
type Runner interface {
	Run(ctx context.Context, argv []string, timeout time.Duration) (Process, error)
}

// Process is a command that a Runner started.
type Process interface {
	// Stdout is the read end of its output. The SDK closes it.
	Stdout() *os.File
	// Wait waits for its end. It is called once. When ctx ends the command
	// is killed.
	Wait(ctx context.Context) (Exit, error)
}

// Exit says how a command ended.
type Exit struct {
	Code     int    // as a shell counts: 128+n for signal n
	TimedOut bool   // killed because its time was over
	Stderr   string // its last lines
}
