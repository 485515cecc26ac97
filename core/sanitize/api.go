package sanitize

import (
	"context"
	"io"
)

// Options configure a [Sanitizer].
type Options struct {
	// Key is the customer's pseudonym key. Nil turns pseudonyms off and keeps
	// only the removal of secrets.
	Key *Key
	// RandomIPs gives addresses without structure instead of
	// prefix-preserving ones (--ip-mode=random).
	RandomIPs bool
	// Names are what the machine is called and who lives on it.
	Names Names
	// Rules are the user's own, from policy or a Redactor file.
	Rules []Rule
	// RuleFiles are files of such rules in the Redactor format of
	// troubleshoot.sh; see package userrules.
	RuleFiles []string
	// AllowBinary lists path globs of binary files that pass unread.
	AllowBinary []string
	// Forget makes every file stand alone: nothing learned from one is used
	// on another (`send-bundle sanitize --each`).
	Forget bool
	// Record, if set, is told of every name that gets a pseudonym, so that the
	// customer can turn it back: [pseudonym.Book.Record]. It is called often
	// and from many goroutines.
	Record func(token, original string)
}

// Names are identifiers found on the machine before anything is collected.
type Names struct {
	Hosts   []string // short and full names
	Domains []string
	Users   []string
}

// Rule is something more to hide.
type Rule struct {
	ID      string   // named in the report
	Literal string   // hide this text, or
	Regexp  string   // RE2; group "mask" or group 1 is hidden, else the match
	Anchors []string // words one of which is near a match; needed with Regexp
	Key     string   // or: hide the values of this key
}

// File says what is being sanitized.
type File struct {
	// Name is the path inside the bundle or on disk. It selects lexers by its
	// ending and is what the report calls the file.
	Name string
	// Learn puts every secret that is hidden here into the set that is swept
	// from all later files: set for configuration, which comes first.
	Learn bool
	// Again says that the text has been through Copy before, as it has when a
	// finished member is cleaned once more: secrets are hidden, identifiers
	// are left, since they are pseudonyms already and an address would get
	// another one.
	Again bool
}

// Result says what became of one file.
type Result struct {
	In, Out int64  // bytes
	Hidden  int    // secrets hidden
	Omitted string // why the file is left out (a binary, a bomb), empty otherwise; throw away what was written
}

// Hit is something that the final gate found in a finished member.
type Hit struct {
	File string // member
	Rule string
}

// Engine is what core/bundle needs of this package. [*Sanitizer] is it.
type Engine interface {
	// Copy writes src to dst with all secrets hidden. It holds a bounded
	// amount of memory whatever the length of a line or file. On an error
	// what was written must be thrown away. Safe for concurrent use.
	Copy(ctx context.Context, dst io.Writer, src io.Reader, f File) (Result, error)
	// Name applies the pseudonyms to a path or a file name.
	Name(path string) string
	// Check is the final gate: it reads a finished member by a path of its
	// own and reports what Copy should have hidden.
	Check(ctx context.Context, src io.Reader, f File) ([]Hit, error)
	// Report returns counts by rule, kind and file.
	Report() Report
}

// Report is the redaction report: counts only, never a value, a length, a
// hash or a position.
type Report struct {
	Version int            `json:"version"`
	Files   []FileReport   `json:"files"`
	Rules   map[string]int `json:"rules"`
	Kinds   map[string]int `json:"kinds"`
}

// FileReport counts for one file.
type FileReport struct {
	Name    string         `json:"name"`
	Rules   map[string]int `json:"rules,omitempty"`
	Omitted string         `json:"omitted,omitempty"`
}
