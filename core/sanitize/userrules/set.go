package userrules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Bounds on what one file may ask for.
const (
	maxFile       = 1 << 20
	maxRules      = 2000
	maxExpression = 8 << 10
	minValue      = 3
)

// A Set holds rules from any number of files and calls. Build it first; then
// it is safe for concurrent use.
type Set struct {
	// Hosts, Domains and Users become pseudonyms.
	Hosts, Domains, Users []string

	rules []rule
	mu    sync.Mutex
	files map[string]*FileRules // by the rules that apply
}

// rule is one thing to hide in the files that it applies to.
type rule struct {
	name  string
	files []*regexp.Regexp // none means all

	value    string         // hide this text, or
	redactor *regexp.Regexp // what this finds ...
	groups   []int          // ... in these groups; 0 is the match
	anchors  []string       // folded; none means that every line is tried
	selector *regexp.Regexp // ... in the line behind one that matches this
	selAnch  []string
	path     string // or this place of a document
	key      string // or the values of this key
}

// AddValue hides a text wherever it occurs.
func (s *Set) AddValue(name, text string) error {
	if len(text) < minValue {
		return fmt.Errorf("%q is too short: it would be hidden inside of other words; %d bytes are needed", text, minValue)
	}
	return s.add(rule{name: name, value: text})
}

// AddKey hides the values of a key. Keys are compared by the sanitizer, which
// ignores case and separators.
func (s *Set) AddKey(name, key string) error {
	if strings.TrimSpace(key) == "" {
		return errors.New("a key needs a name")
	}
	return s.add(rule{name: name, key: key})
}

// AddRegexp hides what an RE2 expression finds within a line: its groups named
// mask or drop, else its first group, else the match. Without anchors they are
// worked out.
func (s *Set) AddRegexp(name, expr string, anchors []string) error {
	r, err := compile(name, expr, anchors)
	if err != nil {
		return err
	}
	if r.groups[0] == 0 && r.redactor.NumSubexp() > 0 {
		r.groups = []int{1}
	}
	return s.add(r)
}

func (s *Set) add(r rule) error {
	if len(s.rules) >= maxRules {
		return fmt.Errorf("more than %d rules", maxRules)
	}
	s.rules = append(s.rules, r)
	s.files = nil
	return nil
}

// compile prepares an expression in the manner of troubleshoot: without groups
// named mask or drop the whole match is hidden.
func compile(name, expr string, anchors []string) (rule, error) {
	r := rule{name: name}
	re, err := compileExpression(expr)
	if err != nil {
		return r, err
	}
	r.redactor = re
	for i, group := range re.SubexpNames() {
		if group == "mask" || group == "drop" {
			r.groups = append(r.groups, i)
		}
	}
	if len(r.groups) == 0 {
		r.groups = []int{0}
	}
	r.anchors, err = chooseAnchors(expr, anchors)
	return r, err
}

func compileExpression(expr string) (*regexp.Regexp, error) {
	if expr == "" {
		return nil, errors.New("the expression is empty")
	}
	if len(expr) > maxExpression {
		return nil, fmt.Errorf("the expression is longer than %d bytes", maxExpression)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("not an RE2 expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

func chooseAnchors(expr string, given []string) ([]string, error) {
	if len(given) == 0 {
		return deriveAnchors(expr), nil
	}
	var out []string
	for _, a := range given {
		if len(a) < minAnchor {
			return nil, fmt.Errorf("anchor %q is too short: %d bytes are needed", a, minAnchor)
		}
		out = append(out, lowerASCII(a))
	}
	return out, nil
}

// Len returns how many rules there are.
func (s *Set) Len() int { return len(s.rules) }

// Slow names the rules whose expressions must be tried on every line.
func (s *Set) Slow() []string {
	var out []string
	for _, r := range s.rules {
		if r.slow() && !slices.Contains(out, r.name) {
			out = append(out, r.name)
		}
	}
	return out
}

func (r *rule) slow() bool {
	if r.selector != nil {
		return len(r.selAnch) == 0
	}
	return r.redactor != nil && len(r.anchors) == 0
}

func (r *rule) applies(file string) bool {
	if len(r.files) == 0 {
		return true
	}
	return slices.ContainsFunc(r.files, func(re *regexp.Regexp) bool { return re.MatchString(file) })
}

// For returns the rules for the file of this name, or nil if there are none.
// Files to which the same rules apply share the result.
func (s *Set) For(file string) *FileRules {
	if s == nil || len(s.rules) == 0 {
		return nil
	}
	file = strings.TrimPrefix(file, "/")
	which := make([]byte, (len(s.rules)+7)/8)
	any := false
	for i := range s.rules {
		if s.rules[i].applies(file) {
			which[i/8] |= 1 << (i % 8)
			any = true
		}
	}
	if !any {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.files[string(which)]; ok {
		return f
	}
	var chosen []*rule
	for i := range s.rules {
		if which[i/8]&(1<<(i%8)) != 0 {
			chosen = append(chosen, &s.rules[i])
		}
	}
	f := newFileRules(chosen)
	if s.files == nil || len(s.files) >= 256 {
		s.files = map[string]*FileRules{}
	}
	s.files[string(which)] = f
	return f
}
