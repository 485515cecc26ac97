package policy

import (
	"fmt"
	"strings"
	"time"
)

// Explanation is a decision with everything that led to it.
type Explanation struct {
	Decision
	// Blocking are all rules that refuse, of every key: the action is allowed
	// when none of them is left, and refused while one is.
	Blocking []Rule `json:"blocking"`
	// Fixed says that something refuses that no policy file can change: the
	// built-in default, the seal, a missing fact.
	Fixed bool `json:"fixed"`
	// Change says what would have to be different for the action to be
	// allowed, one way a line. Empty for what is allowed.
	Change []string `json:"change"`
}

// Explain decides and says why. It is slower than [Policy.Decide], which
// decides the same.
func (p *Policy) Explain(action Action, facts Facts) Explanation {
	e := Explanation{Decision: p.Decide(action, facts)}
	if e.Allowed {
		return e
	}
	r, complaint := p.ask(action, facts)
	if complaint != "" {
		e.Fixed = true
		e.Change = []string{"the question itself: " + complaint}
		return e
	}
	if why, rule := p.gate(&r); why != "" {
		e.Fixed = p.sealed != nil && isRemote(&r)
		if e.Fixed && p.unsure {
			e.Change = []string{"ask as root, or make the places of the seal readable: " + rule.Value}
		} else if e.Fixed {
			e.Change = []string{"nothing: the system was disabled for good; only a new installation changes that"}
		} else {
			e.Blocking = []Rule{rule}
			e.Change = []string{"mend the policy files: `remote-support policy check` lists every mistake"}
		}
		return e
	}
	for _, k := range keysOf[action] {
		m := &p.merged[k.index]
		if !m.spoke || k.deny == nil || k.deny(&m.value, &r) == "" {
			continue
		}
		var lines []string
		fixed := false
		for _, s := range m.said {
			if k.deny(&s.value, &r) == "" {
				continue
			}
			if !s.fromFile() {
				fixed = true
				continue
			}
			e.Blocking = append(e.Blocking, s.rule)
			lines = append(lines, s.rule.Source.String())
		}
		e.Fixed = e.Fixed || fixed
		e.Change = append(e.Change, k.remedy(&m.value, &r, lines, fixed))
	}
	return e
}

func (s *statement) fromFile() bool { return s.rule.Source.Line > 0 }

// remedy says what would have to change about one key.
func (k *Key) remedy(v *value, r *request, lines []string, fixed bool) string {
	var ways []string
	if len(lines) > 0 && !fixed {
		ways = append(ways, "change or remove "+k.Path()+" at "+strings.Join(lines, " and at "))
	}
	if alt := k.instead(v, r); alt != "" {
		ways = append(ways, alt)
	}
	if fixed {
		ways = append(ways, "no policy file can allow it: "+k.Path()+" is built in")
	}
	return strings.Join(ways, "; or ")
}

// instead says which request would be allowed.
func (k *Key) instead(v *value, r *request) string {
	switch {
	case k.Kind == Windows:
		if t := v.windows.nextOpen(r.now); !t.IsZero() {
			return "wait until " + t.Format("Mon 2006-01-02 15:04 MST")
		}
	case k.Kind == Length && v.n > 0:
		return "ask for at most " + formatLength(time.Duration(v.n))
	case k.Kind == Size:
		return "stay below " + formatSize(v.n)
	case k.Path() == "approval.people" || k.Path() == "approval.mode" && v.n == 1:
		return "let somebody approve it"
	case k.Path() == "session.mfa":
		return "log in with a second factor"
	case k.Path() == "engineer.require_case":
		return "name the case"
	case k.isList() && k.Order == Intersect && len(v.lists) > 0 && r.action != AccessShell:
		texts := make([]string, len(v.lists))
		for i, l := range v.lists {
			if len(l.items) == 0 {
				return ""
			}
			texts[i] = strings.Join(l.items, ", ")
		}
		return "be one of: " + strings.Join(texts, "; and of: ")
	}
	return ""
}

// Setting is what is in force for one key.
type Setting struct {
	Key     string `json:"key"`
	Value   string `json:"value"`   // as a file would write it, or the default in words
	Default bool   `json:"default"` // no file says anything
	Rules   []Rule `json:"rules"`   // that made it so
	Lost    []Rule `json:"lost"`    // that said something less strict
}

// Effective lists what is in force for every key of the language.
func (p *Policy) Effective() []Setting {
	var out []Setting
	for _, k := range keys {
		m := &p.merged[k.index]
		s := Setting{Key: k.Path(), Default: true}
		for _, st := range m.said {
			s.Default = s.Default && st.rule.Source.File == builtInFile
		}
		if s.Default {
			s.Value = k.Default
			for _, st := range m.said {
				s.Rules = append(s.Rules, st.rule)
			}
			out = append(out, s)
			continue
		}
		s.Value = k.format(&m.value)
		s.Rules, s.Lost = m.winners(k)
		out = append(out, s)
	}
	return out
}

// winners divides the statements into those that make the merged value what
// it is and those that change nothing about it.
func (m *merged) winners(k *Key) (won, lost []Rule) {
	if !m.spoke {
		return nil, nil
	}
	want := k.format(&m.value)
	for i, s := range m.said {
		if k.format(&s.value) == want {
			won = append(won, s.rule)
			continue
		}
		var others value
		first := true
		for j, o := range m.said {
			switch {
			case j == i:
			case first:
				others, first = o.value, false
			default:
				others = k.merge(others, o.value)
			}
		}
		if !first {
			k.settle(&others)
		}
		if first || k.format(&others) != want {
			won = append(won, s.rule)
		} else {
			lost = append(lost, s.rule)
		}
	}
	return won, lost
}

// Text shows an explanation for people.
func (e Explanation) Text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	rule := func(r Rule) string {
		s := fmt.Sprintf("%s = %s   %s", r.Key, r.Value, r.Source)
		if r.Reason != "" {
			s += "   (" + r.Reason + ")"
		}
		return s
	}
	if e.Allowed {
		line("%s: allowed", e.Action)
		line("  by        %s", rule(e.Rule))
	} else {
		line("%s: refused: %s", e.Action, e.Reason)
		line("  by        %s", rule(e.Rule))
	}
	for _, r := range e.Blocking {
		if r != e.Rule {
			line("  and by    %s", rule(r))
		}
	}
	for _, r := range e.Lost {
		line("  besides   %s", rule(r))
	}
	if e.Limits.MaxDuration > 0 {
		line("  at most   %s", formatLength(e.Limits.MaxDuration))
	}
	if !e.Limits.Until.IsZero() {
		line("  until     %s", e.Limits.Until.Format("Mon 2006-01-02 15:04 MST"))
	}
	if e.Limits.MaxBytes > 0 {
		line("  at most   %s", formatSize(e.Limits.MaxBytes))
	}
	if n := e.Duties.Approvals; n > 0 {
		line("  needs     %s, within %s", plural(int64(n), "approval", "approvals by different people"), formatLength(e.Duties.ApprovalTimeout))
	}
	if e.Duties.Record {
		line("  needs     a recording: without one it does not happen")
	}
	if _, claims := proved(e.Facts); claims && e.Action == ConnectAccept { // the action that carries it
		line("  note      %s", claimedNote)
	}
	for i, c := range e.Change {
		if i == 0 {
			line("to allow it, all of these:")
		}
		line("  - %s", c)
	}
	return b.String()
}
