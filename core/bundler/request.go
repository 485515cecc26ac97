package bundler

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/sanitize"
)

// Request is what a user asks for. The zero value asks for the whole bundle,
// sent to the vendor.
type Request struct {
	Only, Skip []string // collectors by name
	Include    []string // further files and folders
	Since      time.Time
	MaxBytes   int64         // of collected data; 0 for the default
	Deadline   time.Duration // for collecting; 0 for the default
	Format     bundle.Format

	Output       string // write the bundle there and send nothing
	NoEncrypt    bool   // with Output only
	RSS          string // another relay than the enrolled one, host[:port]
	NoPseudonyms bool
	RandomIPs    bool // addresses get pseudonyms without structure; policy may want it too

	Words    []string                           // hide these texts wherever they stand
	Withhold []string                           // take files out again whose path matches one of these globs
	KeepRaw  bool                               // for Run.Raw
	Leave    func(collector, item string) bool  // items that the user left out
	Asked    *Granted                           // what the vendor asked for and the customer granted
	On       []string                           // further machines, [user@]host, over ssh
	AskUser  bool                               // ssh may ask on the terminal
	OnRun    string                             // the program there; send-bundle by default
	OnFailed func(machine string, reason error) // told of a machine that cannot be had; may be nil

	key    *sanitize.Key // of the machine that gathers
	names  sanitize.Names
	record func(token, original string)
	gone   []bundle.Missing // known to be missing before anything is asked

	Now      func() time.Time
	Progress func(bundle.Progress)
}

// UsageError is a request that makes no sense.
type UsageError struct{ msg string }

func (e *UsageError) Error() string { return e.msg }

// ExitCode is 2: wrong usage.
func (e *UsageError) ExitCode() int { return 2 }

func usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// complete checks the request before anything is done, and makes its paths
// absolute, with links resolved: plugins follow none.
func (r *Request) complete() error {
	if r.NoEncrypt && r.Output == "" {
		return usagef("--no-encrypt works with --output only: what is sent is always encrypted")
	}
	if r.Output != "" && r.RSS != "" {
		return usagef("--output and --rss exclude each other: a bundle is written or sent")
	}
	if len(r.Only) > 0 && len(r.Skip) > 0 {
		return usagef("--only and --skip exclude each other")
	}
	if r.MaxBytes < 0 || r.Deadline < 0 {
		return usagef("a limit cannot be negative")
	}
	if r.Output != "" {
		if err := r.completeOutput(); err != nil {
			return err
		}
	}
	if r.Format == "" {
		r.Format = bundle.TarZstd
	}
	for _, g := range r.Withhold {
		if _, err := path.Match(g, ""); err != nil || g == "" {
			return usagef("--withhold %q: no pattern", g)
		}
	}
	if _, err := wordRules(r.Words); err != nil {
		return err
	}
	if err := r.completeMachines(); err != nil {
		return err
	}
	include := make([]string, 0, len(r.Include))
	for _, p := range r.Include {
		abs, err := filepath.Abs(p)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		if err != nil {
			return usagef("--include %s: %v", p, err)
		}
		include = append(include, abs)
	}
	r.Include = include
	return nil
}

// completeOutput finds out what can be known about the file before an hour of
// collecting.
func (r *Request) completeOutput() error {
	abs, err := filepath.Abs(r.Output)
	if err != nil {
		return usagef("--output %s: %v", r.Output, err)
	}
	r.Output = abs
	if _, err := os.Lstat(abs); err == nil {
		return usagef("--output %s: the file exists already; name another or remove it", abs)
	}
	dir := filepath.Dir(abs)
	st, err := os.Stat(dir)
	if err == nil && !st.IsDir() {
		err = fmt.Errorf("%s is no folder", dir)
	}
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".latchstring-*"); err == nil {
			f.Close()
			os.Remove(f.Name())
		}
	}
	if err != nil {
		return usagef("--output %s: %v", abs, err)
	}
	return nil
}
