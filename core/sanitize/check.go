package sanitize

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/encoding"
	"github.com/latchstring/latchstring/core/sanitize/gate"
)

// Check implements [Engine]. Two readers look at the content, of the members of
// containers too: the gate, which shares no code with the engine and knows
// every value that was hidden while learning, and the engine again, which must
// find nothing more to hide.
func (s *Sanitizer) Check(ctx context.Context, src io.Reader, f File) ([]Hit, error) {
	c := &call{s: s.checker(), f: File{Name: f.Name}, gate: s.gate()}
	if _, err := c.any(ctx, io.Discard, src, f.Name); err != nil {
		return nil, fmt.Errorf("check %s: %w", f.Name, err)
	}
	var hits []Hit
	for _, h := range c.hits {
		hits = append(hits, Hit{File: f.Name, Rule: "gate:" + h.Rule})
	}
	for rule := range c.tally.rules {
		hits = append(hits, Hit{File: f.Name, Rule: rule})
	}
	slices.SortFunc(hits, func(a, b Hit) int { return strings.Compare(a.Rule, b.Rule) })
	return slices.Compact(hits), nil
}

// Rewrites is how often a file may be sanitized again because Check found
// something in it, before whoever wants to send it must give up. What is hidden
// changes what the rest looks like, so once may not do; a file that needs more
// is one that a rule does not come to terms with.
const Rewrites = 3

// checker is the engine that looks at finished files: it knows the rules, but
// no names and nothing learned, and every binary passes before the gate.
func (s *Sanitizer) checker() *Sanitizer {
	s.againOnce.Do(func() {
		s.again = &Sanitizer{opt: Options{Forget: true, AllowBinary: []string{"*"}}, secret: s.secret, rules: s.rules}
		s.again.ledger.init()
		s.again.pool.New = func() any { return newStream(s.again) }
	})
	return s.again
}

// gated lets the gate read along. The function it returns must be called when
// src was read.
func (c *call) gated(ctx context.Context, src io.Reader, name string) (io.Reader, func(error) error) {
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		hits, err := c.gate.Check(ctx, pr, name)
		_ = pr.CloseWithError(err)
		c.hits = append(c.hits, hits...)
		done <- err
	}()
	return io.TeeReader(src, pw), func(err error) error {
		_ = pw.CloseWithError(err)
		if gateErr := <-done; err == nil {
			err = gateErr
		}
		return err
	}
}

// gate returns the gate for the secrets that are known by now.
func (s *Sanitizer) gate() *gate.Gate {
	s.gateMu.Lock()
	defer s.gateMu.Unlock()
	if n := len(s.values); s.gateNow == nil || n != s.gateSize {
		s.gateNow, s.gateSize = gate.New(gate.Rules{Secrets: s.values}), n
	}
	return s.gateNow
}

// learn puts a hidden value into the set that later files are swept for, and
// that the gate looks for in all. What was hidden is what stood in the file: if
// that is escaped, the value behind it is learned too.
func (s *Sanitizer) learn(secret []byte) error {
	if err := s.learnForm(secret); err != nil {
		return err
	}
	if !encoding.Escaped(secret) {
		return nil
	}
	for _, unescape := range []func(dst, text []byte) []byte{encoding.AppendJSON, encoding.AppendXML, encoding.AppendPercent} {
		if plain := unescape(nil, secret); !bytes.Equal(plain, secret) {
			if err := s.learnForm(plain); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Sanitizer) learnForm(secret []byte) error {
	added, err := s.known.Add(secret, 0)
	if err != nil {
		return fmt.Errorf("remember a secret: %w", err)
	}
	if !added {
		return nil
	}
	s.gateMu.Lock()
	defer s.gateMu.Unlock()
	if _, ok := s.valueSet[string(secret)]; !ok {
		s.valueSet[string(secret)] = struct{}{}
		s.values = append(s.values, append([]byte(nil), secret...))
	}
	return nil
}
