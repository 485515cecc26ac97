package cases

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/latchstring/latchstring/core/policy"
)

// Report is what came out.
type Report struct {
	Ran      int           `json:"ran"`
	Failures []Failure     `json:"failures"`
	Rules    int           `json:"rules"`   // of the directory's policy files
	Covered  int           `json:"covered"` // of these
	Missed   []policy.Rule `json:"missed"`  // which no case has tried
	covered  map[policy.Source]bool
}

// Failure is a case that did not hold.
type Failure struct {
	Place string `json:"place"`
	Case  string `json:"case"`
	Text  string `json:"text"`
}

func (f Failure) String() string {
	return f.Place + ": " + f.Case + "\n\t" + strings.ReplaceAll(f.Text, "\n", "\n\t")
}

// OK reports whether all cases held.
func (r *Report) OK() bool { return len(r.Failures) == 0 }

// Run runs the cases in the archives of a directory. An error means that they
// could not be run.
func Run(dir string) (*Report, error) {
	archives, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	if len(archives) == 0 {
		return nil, fmt.Errorf("there are no tests in %s: no file ends in .txtar", dir)
	}
	own, ownErr := policy.Load(dir)
	r := &Report{covered: map[policy.Source]bool{}}
	for _, path := range archives {
		if err := r.archive(path, own, ownErr); err != nil {
			return nil, err
		}
	}
	for _, rule := range own.Rules() {
		if r.Rules++; r.covered[rule.Source] {
			r.Covered++
		} else {
			r.Missed = append(r.Missed, rule)
		}
	}
	return r, nil
}

func (r *Report) archive(path string, p *policy.Policy, loadErr error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	ar := txtar.Parse(data)
	files := map[string][]byte{}
	var cs []Case
	for _, f := range ar.Files {
		switch {
		case f.Name == "cases":
			line := 2 + bytes.Count(data[:max(0, bytes.Index(data, []byte("-- cases --")))], []byte("\n"))
			if cs, err = parse(path, line, string(f.Data)); err != nil {
				return err
			}
		case strings.HasSuffix(f.Name, ".hcl"), strings.HasSuffix(f.Name, ".json"):
			files[f.Name] = f.Data
		default:
			return fmt.Errorf("%s: the file %q is neither a policy nor cases", path, f.Name)
		}
	}
	if len(cs) == 0 {
		return fmt.Errorf("%s: there is no case; they stand in a file called cases", path)
	}
	if len(files) > 0 {
		p, loadErr = policy.Parse(files)
	}
	for _, c := range cs {
		r.Ran++
		for _, text := range r.run(c, p, loadErr) {
			r.Failures = append(r.Failures, Failure{c.Place, c.Text, text})
		}
	}
	return nil
}

func (r *Report) run(c Case, p *policy.Policy, loadErr error) (failures []string) {
	if c.verb == invalid {
		if loadErr == nil {
			return []string{"the policy loads"}
		}
		if !strings.Contains(loadErr.Error(), c.args[0]) {
			return []string{fmt.Sprintf("the error does not say %q: %v", c.args[0], loadErr)}
		}
		return nil
	}
	if loadErr != nil {
		return []string{loadErr.Error()}
	}
	switch c.verb {
	case show:
		return r.show(p, c.args[0], c.args[1])
	case hide, keep:
		return r.hide(p, c.args[0], c.verb == hide)
	}
	e := p.Explain(c.action, c.facts)
	if e.Allowed != (c.verb == allow) {
		return []string{strings.TrimSpace(e.Text())}
	}
	for _, rule := range e.Blocking {
		r.covered[rule.Source] = true
	}
	for _, w := range c.wants {
		if text := r.hold(p, e, w.words); text != "" {
			failures = append(failures, w.place+": "+text)
		}
	}
	return failures
}

func (r *Report) show(p *policy.Policy, key, want string) []string {
	for _, s := range p.Effective() {
		if s.Key != key {
			continue
		}
		if s.Value != want && strings.Trim(s.Value, `"`) != want {
			return []string{fmt.Sprintf("%s is %s", key, s.Value)}
		}
		r.cover(s)
		return nil
	}
	return []string{fmt.Sprintf("the key %q is not known", key)}
}

func (r *Report) cover(s policy.Setting) {
	for _, rule := range s.Rules {
		r.covered[rule.Source] = true
	}
}

// coverKey marks the rules that set a key.
func (r *Report) coverKey(p *policy.Policy, key string) {
	for _, s := range p.Effective() {
		if s.Key == key {
			r.cover(s)
		}
	}
}

func (r *Report) hide(p *policy.Policy, text string, want bool) []string {
	hit := false
	for _, red := range p.Redactions() {
		if takesHold(red, text) {
			r.covered[red.Source] = true
			hit = true
		}
	}
	switch {
	case want && !hit:
		return []string{"no redaction of the policy takes hold of it"}
	case hit && !want:
		return []string{"a redaction of the policy takes hold of it"}
	}
	return nil
}

// takesHold is a plain reading of a redaction; the sanitizer has its own, fast
// one, which hides no less.
func takesHold(red policy.Redaction, text string) bool {
	switch {
	case red.Literal != "":
		return strings.Contains(text, red.Literal)
	case red.Key != "":
		return regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(red.Key) + `\b["']?\s*[:=]\s*\S`).MatchString(text)
	}
	for _, a := range red.Anchors {
		if strings.Contains(text, a) {
			return regexp.MustCompile(red.Regexp).MatchString(text)
		}
	}
	return false
}
