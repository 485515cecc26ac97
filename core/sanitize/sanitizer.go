package sanitize

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"

	"github.com/latchstring/latchstring/core/sanitize/pseudonym"
	"github.com/latchstring/latchstring/core/sanitize/scan"
	"github.com/latchstring/latchstring/core/sanitize/sweep"
)

// Sanitizer is the [Engine] of this project. It is safe for concurrent use;
// all streams share the pseudonyms, the set of known secrets and the report.
type Sanitizer struct {
	opt    Options
	secret [32]byte          // keys the ordinals of tokens
	mapper *pseudonym.Mapper // nil: no pseudonyms
	names  *scan.Names
	known  sweep.Set
	ledger ledger
	pool   sync.Pool // *stream
}

var _ Engine = (*Sanitizer)(nil)

// New makes a sanitizer. It fails on rules that cannot be used; nothing is
// silently left out.
func New(opt Options) (*Sanitizer, error) {
	s := &Sanitizer{opt: opt}
	if opt.Key != nil {
		s.secret = *opt.Key
		m, err := pseudonym.New((*[32]byte)(opt.Key), pseudonym.Options{RandomIPs: opt.RandomIPs})
		if err != nil {
			return nil, fmt.Errorf("make sanitizer: %w", err)
		}
		s.mapper = m
		s.names = scan.NewNames(opt.Names.Hosts, opt.Names.Domains, opt.Names.Users)
	} else if _, err := rand.Read(s.secret[:]); err != nil {
		return nil, fmt.Errorf("make sanitizer: %w", err)
	}
	s.ledger.init()
	s.pool.New = func() any { return newStream(s) }
	return s, nil
}

// Copy implements [Engine].
func (s *Sanitizer) Copy(ctx context.Context, dst io.Writer, src io.Reader, f File) (Result, error) {
	st := s.pool.Get().(*stream)
	defer s.pool.Put(st)
	st.reset(f)
	in, out, err := st.run(ctx, dst, src)
	res := Result{In: in, Out: out, Hidden: st.hidden}
	s.ledger.add(f.Name, &st.tally, "")
	if err != nil {
		return res, fmt.Errorf("sanitize %s: %w", f.Name, err)
	}
	return res, nil
}

// Check implements [Engine].
func (s *Sanitizer) Check(ctx context.Context, src io.Reader, f File) ([]Hit, error) {
	st := s.pool.Get().(*stream)
	defer s.pool.Put(st)
	st.reset(File{Name: f.Name})
	if _, _, err := st.run(ctx, io.Discard, src); err != nil {
		return nil, fmt.Errorf("check %s: %w", f.Name, err)
	}
	var hits []Hit
	for rule := range st.tally.rules {
		hits = append(hits, Hit{File: f.Name, Rule: rule})
	}
	return hits, nil
}

// Report implements [Engine].
func (s *Sanitizer) Report() Report { return s.ledger.report() }

var newline = []byte{'\n'}

func countLines(b []byte) int { return bytes.Count(b, newline) }
