package policy

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
