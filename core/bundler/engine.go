package bundler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/discover"
	"github.com/latchstring/latchstring/core/sanitize/pseudonym"
)

// EngineOptions say how text is sanitized.
type EngineOptions struct {
	NoPseudonyms bool // names and addresses stay, only secrets go
	RandomIPs    bool // pseudonyms of addresses do not show which share a network
	Forget       bool // every file stands alone
	Redactions   []policy.Redaction
	Words        []string       // what the user wants hidden besides, in any case
	Key          *sanitize.Key  // of another machine that gathers; its own by default
	Names        sanitize.Names // known besides those that are found here
	Record       func(token, original string)
}

// KeyPath is where the customer's pseudonym key lies, and BookPath the book of
// the names behind the pseudonyms, which is encrypted with it. Neither leaves
// the machine.
func KeyPath(root paths.Root) string { return root.Var("sanitize", "key") }

// BookPath is described at [KeyPath].
func BookPath(root paths.Root) string { return root.Var("sanitize", "book") }

// Engine is the sanitizer of this machine, with the book that it writes.
type Engine struct {
	*sanitize.Sanitizer
	book  *pseudonym.Book // nil without pseudonyms, and with another's key
	words []string
	more  *sanitize.Sanitizer   // hides words that came later; nil without
	past  []*sanitize.Sanitizer // what more was before
}

// NewEngine makes the sanitizer: with the machine's key, the names that are
// found on it, and what policy adds.
func NewEngine(root paths.Root, o EngineOptions) (*Engine, error) {
	e := &Engine{}
	so := sanitize.Options{Forget: o.Forget, RandomIPs: o.RandomIPs}
	switch {
	case o.NoPseudonyms:
	case o.Key != nil:
		so.Key, so.Record = o.Key, o.Record
	default:
		key, err := sanitize.LoadKey(KeyPath(root))
		if err != nil {
			return nil, err
		}
		if e.book, err = pseudonym.OpenBook(BookPath(root), (*[pseudonym.KeySize]byte)(key)); err != nil {
			return nil, fmt.Errorf("open the book of pseudonyms: %w", err)
		}
		so.Key, so.Record = key, e.book.Record
	}
	if so.Key != nil {
		names := discover.Find(discover.Options{})
		so.Names = sanitize.Names{
			Hosts: slices.Concat(names.Hosts, o.Names.Hosts), Domains: slices.Concat(names.Domains, o.Names.Domains), Users: slices.Concat(names.Users, o.Names.Users),
		}
	}
	for _, r := range o.Redactions {
		so.Rules = append(so.Rules, sanitize.Rule{ID: r.Name, Literal: r.Literal, Regexp: r.Regexp, Anchors: r.Anchors, Key: r.Key})
	}
	e.words = o.Words
	more, err := wordRules(o.Words)
	if err != nil {
		return nil, err
	}
	so.Rules = append(so.Rules, more...)
	if e.Sanitizer, err = sanitize.New(so); err != nil {
		return nil, fmt.Errorf("make sanitizer: %w", err)
	}
	return e, nil
}

// Flush writes the book. What was sanitized must not leave before: its names
// could never be turned back.
func (e *Engine) Flush() error {
	if e.book == nil {
		return nil
	}
	if err := e.book.Flush(); err != nil {
		return fmt.Errorf("write the book of pseudonyms: %w", err)
	}
	return nil
}

// Revealed is what stands behind a pseudonym.
type Revealed struct {
	Token string `json:"token"`
	Name  string `json:"name,omitempty"`
	Error string `json:"error,omitempty"`
}

// Reveal turns pseudonyms back, with the key and the book of this machine.
// randomIPs says how those of addresses were made: they do not show it.
func Reveal(root paths.Root, randomIPs bool, tokens []string) ([]Revealed, error) {
	if _, err := os.Stat(KeyPath(root)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reveal: this machine has no pseudonym key (%s), so it has made no pseudonyms", KeyPath(root))
	}
	key, err := sanitize.LoadKey(KeyPath(root))
	if err != nil {
		return nil, err
	}
	book, err := pseudonym.OpenBook(BookPath(root), (*[pseudonym.KeySize]byte)(key))
	if err != nil {
		return nil, fmt.Errorf("open the book of pseudonyms: %w", err)
	}
	m, err := pseudonym.New((*[pseudonym.KeySize]byte)(key), pseudonym.Options{RandomIPs: randomIPs})
	if err != nil {
		return nil, fmt.Errorf("reveal: %w", err)
	}
	var out []Revealed
	for _, t := range tokens {
		r := Revealed{Token: t}
		if r.Name, err = m.Reveal(t, book); err != nil {
			r.Error = err.Error()
		}
		out = append(out, r)
	}
	return out, nil
}
