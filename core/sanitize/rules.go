package sanitize

import (
	"errors"
	"fmt"

	"github.com/latchstring/latchstring/core/sanitize/userrules"
)

// loadRules compiles the user's rules. Every mistake is an error: a rule that
// is left out is a secret that leaves.
func loadRules(opt Options) (*userrules.Set, error) {
	set := &userrules.Set{}
	for i, r := range opt.Rules {
		id := r.ID
		if id == "" {
			id = fmt.Sprintf("rule-%d", i+1)
		}
		var err error
		switch {
		case r.Literal != "" && r.Regexp == "" && r.Key == "":
			err = set.AddValue(id, r.Literal)
		case r.Key != "" && r.Literal == "" && r.Regexp == "":
			err = set.AddKey(id, r.Key)
		case r.Regexp != "" && r.Literal == "" && r.Key == "":
			err = set.AddRegexp(id, r.Regexp, r.Anchors)
		default:
			err = errors.New("give exactly one of a literal, a regular expression and a key")
		}
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", id, err)
		}
	}
	for _, file := range opt.RuleFiles {
		if err := set.Load(file); err != nil {
			return nil, err
		}
	}
	return set, nil
}
