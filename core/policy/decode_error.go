package policy

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

func (d *decoder) mistakeAt(r hcl.Range, bundles bool, what, hint string) {
	line, column := max(1, r.Start.Line), max(1, r.Start.Column)
	d.mistakes = append(d.mistakes, Mistake{
		Source: Source{File: d.file, Line: line, Column: column}, What: what, Hint: hint,
		Snippet: snippet(d.src, r), bundles: bundles,
	})
}

// diagnostics takes over what the parser found.
func (d *decoder) diagnostics(diags hcl.Diagnostics, bundles bool) {
	for _, diag := range diags {
		r := hcl.Range{Start: hcl.InitialPos}
		if diag.Subject != nil {
			r = *diag.Subject
		}
		what, hint := sentence(diag.Summary), sentence(diag.Detail)
		switch diag.Summary {
		case "Attribute redefined":
			if m := quotedWord.FindStringSubmatch(diag.Detail); m != nil {
				what, hint = "the key \""+m[1]+"\" is given twice in this block", "keep one of them"
			}
		case "Invalid multi-line string":
			what, hint = "a text ends before the end of its line", "a quotation mark is missing"
		case "Unterminated template string":
			what, hint = "a text has no closing quotation mark", ""
		}
		d.mistakeAt(r, bundles, what, hint)
	}
}

var quotedWord = regexp.MustCompile(`"([^"]+)"`)

// unknown takes over what the parser found when it held a block against the
// language, and adds where a misplaced key belongs.
func (d *decoder) unknown(diags hcl.Diagnostics, block string, bundles bool) {
	for _, diag := range diags {
		r := hcl.Range{Start: hcl.InitialPos}
		if diag.Subject != nil {
			r = *diag.Subject
		}
		what, hint := sentence(diag.Summary), sentence(diag.Detail)
		m := quotedWord.FindStringSubmatch(diag.Detail)
		switch {
		case m != nil && strings.Contains(diag.Detail, "not expected here"), m != nil && strings.Contains(diag.Summary, "Extraneous"):
			what, hint = d.strange(m[1], block, strings.Contains(diag.Summary, "lock"))
		case m != nil && strings.HasPrefix(diag.Summary, "Missing required"):
			what, hint = "the "+block+" has no "+m[1], "it must be given"
		}
		d.mistakeAt(r, bundles, what, hint)
	}
}

// strange explains a name that the block does not know.
func (d *decoder) strange(name, block string, isBlock bool) (what, hint string) {
	where := "at the top level"
	if block != "" {
		where = "in " + block
	}
	kind := "key"
	if isBlock {
		kind = "block"
	}
	what = kind + " " + `"` + printable([]byte(name)) + `" is not known ` + where
	var here []string
	for _, k := range keys {
		switch {
		case k.Block == block:
			here = append(here, k.Name)
			if k.Name == name {
				switch {
				case k.Kind == Windows || k.Kind == Redacting:
					return k.Path() + " is written as a block", "write it like " + strings.SplitN(k.Example, "\n", 2)[0] + " ... }"
				case isBlock:
					return k.Path() + " is a key, not a block", "write it like " + k.Example
				}
			}
		case k.Name == name:
			hint = "it belongs in the block " + k.Block
			if k.Block == "" {
				hint = "it belongs at the top level"
			}
		case block == "" && k.Block == name:
			return `"` + name + `" is a block, not a key`, "write it like " + name + " { ... }"
		}
	}
	switch block {
	case "":
		here = append(here, append(blockNames(), "policy", "reason")...)
	case "policy":
		here = []string{"name", "version"}
	case "session.window":
		here = []string{"days", "from", "to", "zone"}
	case "bundles.redact":
		here = []string{"literal", "key", "regexp", "anchors"}
	default:
		here = append(here, "reason")
	}
	if near := nearest(name, here); near != "" {
		return what, `did you mean "` + near + `"?`
	}
	if hint != "" {
		return what, hint
	}
	return what, "known are " + strings.Join(here, ", ")
}

// sentence brings a message of the parser into our form.
func sentence(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(s, "\n", " ")), ".")
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + printable([]byte(s[1:]))
}
