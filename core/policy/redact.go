package policy

import (
	"fmt"
	"strings"
)

// Redaction is something more to hide in bundles, from a policy file. Exactly
// one of Literal, Regexp and Key is set.
type Redaction struct {
	Name    string
	Literal string
	Regexp  string
	Anchors []string // with Regexp: words one of which is in every match
	Key     string
	Source  Source
}

func (r Redaction) String() string {
	switch {
	case r.Literal != "":
		return fmt.Sprintf("%s (the text %q)", r.Name, r.Literal)
	case r.Key != "":
		return fmt.Sprintf("%s (values of %q)", r.Name, r.Key)
	}
	return fmt.Sprintf("%s (%s near %s)", r.Name, r.Regexp, strings.Join(r.Anchors, ", "))
}
