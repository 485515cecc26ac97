package cases

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/core/policy"
)

// verbs of a case.
const (
	allow   = "allow"
	deny    = "deny"
	show    = "show"
	hide    = "hide"
	keep    = "keep"
	invalid = "invalid"
)

// Case is one test.
type Case struct {
	Place  string // FILE:LINE
	Text   string // as written
	verb   string
	action policy.Action
	facts  policy.Facts
	args   []string // of show, hide, keep, invalid
	wants  []want
}

// want is something more that is said about the answer.
type want struct {
	place string
	words []string
}

// parse reads the text of a file "cases", which begins at a line of another
// file.
func parse(file string, first int, text string) ([]Case, error) {
	var out []Case
	given := policy.Facts{}
	for i, line := range strings.Split(text, "\n") {
		place := fmt.Sprintf("%s:%d", file, first+i)
		words, err := split(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		if len(words) == 0 {
			continue
		}
		indented := line[0] == ' ' || line[0] == '\t'
		c := Case{Place: place, Text: strings.TrimSpace(line), verb: words[0], args: words[1:]}
		switch {
		case indented && len(out) == 0:
			return nil, fmt.Errorf("%s: there is no case to which this belongs", place)
		case indented:
			last := &out[len(out)-1]
			last.wants = append(last.wants, want{place, words})
			continue
		case c.verb == "given":
			facts, err := parseFacts(words[1:])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", place, err)
			}
			if len(facts) == 0 {
				given = policy.Facts{}
			}
			given = merge(given, facts)
			continue
		case c.verb == allow || c.verb == deny:
			if len(words) < 2 || !known(words[1]) {
				return nil, fmt.Errorf("%s: %s is followed by an action, such as session.open", place, c.verb)
			}
			c.action = policy.Action(words[1])
			facts, err := parseFacts(words[2:])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", place, err)
			}
			c.facts = merge(given, facts)
		case c.verb == show && len(c.args) == 2, (c.verb == hide || c.verb == keep || c.verb == invalid) && len(c.args) == 1:
		default:
			return nil, fmt.Errorf("%s: %q is no case; a line begins with given, allow, deny, show KEY VALUE, hide TEXT, keep TEXT or invalid TEXT", place, c.Text)
		}
		out = append(out, c)
	}
	return out, nil
}

func known(action string) bool {
	for _, a := range policy.Actions() {
		if string(a) == action {
			return true
		}
	}
	return false
}

// ParseFacts reads facts written as name=value. A name that no rule knows is an
// error.
func ParseFacts(words []string) (policy.Facts, error) { return parseFacts(words) }

func parseFacts(words []string) (policy.Facts, error) {
	facts := policy.Facts{}
next:
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			return nil, fmt.Errorf("%q is no fact; it is written name=value", w)
		}
		for _, f := range policy.KnownFacts() {
			if string(f) == name {
				facts[f] = value
				continue next
			}
		}
		return nil, fmt.Errorf("the fact %q is not known", name)
	}
	return facts, nil
}

func merge(a, b policy.Facts) policy.Facts {
	out := policy.Facts{}
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		if out[k] = v; v == "" {
			delete(out, k)
		}
	}
	return out
}

// split cuts a line into words. A part in double quotes belongs to its word,
// as in command="df -h"; # begins a comment.
func split(line string) (words []string, err error) {
	rest := line
	for {
		rest = strings.TrimLeft(rest, " \t\r")
		if rest == "" || rest[0] == '#' {
			return words, nil
		}
		var w strings.Builder
		for rest != "" && rest[0] != ' ' && rest[0] != '\t' && rest[0] != '\r' {
			if rest[0] != '"' {
				w.WriteByte(rest[0])
				rest = rest[1:]
				continue
			}
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("a quotation mark is not closed")
			}
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("%s is no text", quoted)
			}
			w.WriteString(text)
			rest = rest[len(quoted):]
		}
		words = append(words, w.String())
	}
}
