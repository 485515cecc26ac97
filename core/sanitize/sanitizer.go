package sanitize

import (
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/latchstring/latchstring/core/sanitize/gate"
	"github.com/latchstring/latchstring/core/sanitize/pseudonym"
	"github.com/latchstring/latchstring/core/sanitize/scan"
	"github.com/latchstring/latchstring/core/sanitize/sweep"
	"github.com/latchstring/latchstring/core/sanitize/userrules"
)

// Sanitizer is the [Engine] of this project. It is safe for concurrent use;
// all streams share the pseudonyms, the set of known secrets and the report.
type Sanitizer struct {
	opt    Options
	secret [32]byte          // keys the ordinals of tokens
	mapper *pseudonym.Mapper // nil: no pseudonyms
	names  *scan.Names
	rules  *userrules.Set
	known  sweep.Set // what later files are swept for

	gateMu   sync.Mutex
	gateNow  *gate.Gate
	gateSize int
	values   [][]byte // what the gate looks for
	valueSet map[string]struct{}

	againOnce sync.Once
	again     *Sanitizer // see Check

	ledger ledger
	pool   sync.Pool // *stream
}

var _ Engine = (*Sanitizer)(nil)

// New makes a sanitizer. It fails on rules that cannot be used; nothing is
// silently left out.
func New(opt Options) (*Sanitizer, error) {
	rules, err := loadRules(opt)
	if err != nil {
		return nil, fmt.Errorf("make sanitizer: %w", err)
	}
	s := &Sanitizer{opt: opt, rules: rules, valueSet: map[string]struct{}{}}
	if opt.Key != nil {
		s.secret = *opt.Key
		m, err := pseudonym.New((*[32]byte)(opt.Key), pseudonym.Options{RandomIPs: opt.RandomIPs, Record: opt.Record})
		if err != nil {
			return nil, fmt.Errorf("make sanitizer: %w", err)
		}
		s.mapper = m
		s.names = scan.NewNames(append(opt.Names.Hosts, rules.Hosts...), append(opt.Names.Domains, rules.Domains...), append(opt.Names.Users, rules.Users...))
	} else if _, err := rand.Read(s.secret[:]); err != nil {
		return nil, fmt.Errorf("make sanitizer: %w", err)
	}
	s.ledger.init()
	s.pool.New = func() any { return newStream(s) }
	return s, nil
}

// Report implements [Engine].
func (s *Sanitizer) Report() Report { return s.ledger.report() }
