package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // appliances come without zone files

	"github.com/hashicorp/hcl/v2"
)

// labelled reads the blocks of a key that is written as blocks.
func (d *decoder) labelled(k *Key, blocks hcl.Blocks, reason string) {
	about := aboutBundles(k.Block)
	seen := map[string]bool{}
	var set windowSet
	ok := true
	for _, b := range blocks {
		name := b.Labels[0]
		if seen[name] || name == "" {
			d.mistakeAt(b.DefRange, about, fmt.Sprintf("a second %s %q, or one without a name", k.Name, name), "give each its own name")
			ok = false
			continue
		}
		seen[name] = true
		if printable([]byte(name)) != name {
			d.mistakeAt(b.DefRange, about, "a name holds control characters", "")
			ok = false
			continue
		}
		if k.Kind == Windows {
			w, good := d.window(name, b.Body)
			set, ok = append(set, w), ok && good
			continue
		}
		if r, good := d.redaction(name, b.Body, b.DefRange); good {
			r.Source = Source{File: d.file, Line: b.DefRange.Start.Line, Column: b.DefRange.Start.Column}
			d.say(k, value{redacts: []Redaction{r}}, b.DefRange, reason)
		}
	}
	if len(set) > 0 && ok {
		d.say(k, value{windows: newSchedule([]windowSet{set})}, blocks[0].DefRange, reason)
	}
}

func (d *decoder) window(name string, body hcl.Body) (w window, ok bool) {
	w.name = name
	content, diags := body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "days", Required: true}, {Name: "from", Required: true}, {Name: "to", Required: true}, {Name: "zone", Required: true}}})
	d.unknown(diags, "session.window", false)
	ok = !diags.HasErrors()
	bad := func(a *hcl.Attribute, err error) {
		what, hint, _ := strings.Cut(err.Error(), "; ")
		d.mistakeAt(a.Expr.Range(), false, what, hint)
		ok = false
	}
	for name, a := range content.Attributes {
		if name == "days" {
			its, good := d.texts(a, false)
			words := make([]string, len(its))
			for i, it := range its {
				words[i] = it.text
			}
			days, err := parseDays(words)
			if err == nil && good && len(words) == 0 {
				err = fmt.Errorf("a window without days is never open; to forbid sessions write remote_access = \"locked_off\"")
			}
			if err != nil && good {
				bad(a, err)
			}
			w.days, ok = days, ok && good
			continue
		}
		s, good := d.text(a, false)
		if !good {
			ok = false
			continue
		}
		var err error
		switch name {
		case "from":
			w.from, err = parseClock(s)
		case "to":
			w.to, err = parseClock(s)
		case "zone":
			if w.zone, err = time.LoadLocation(s); err != nil || s == "" || s == "Local" {
				err = fmt.Errorf(`%q is no time zone; write it like "Europe/Zurich" or "UTC"`, s)
			}
		}
		if err != nil {
			bad(a, err)
		}
	}
	if ok && w.from == 1440 {
		bad(content.Attributes["from"], fmt.Errorf(`a window begins at "00:00" at the earliest and before "24:00"`))
	}
	return w, ok
}

func (d *decoder) redaction(name string, body hcl.Body, at hcl.Range) (r Redaction, ok bool) {
	r.Name = name
	content, diags := body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "literal"}, {Name: "key"}, {Name: "regexp"}, {Name: "anchors"}}})
	d.unknown(diags, "bundles.redact", true)
	ok = !diags.HasErrors()
	kinds := 0
	for _, f := range []struct {
		name string
		to   *string
	}{{"literal", &r.Literal}, {"key", &r.Key}, {"regexp", &r.Regexp}} {
		a := content.Attributes[f.name]
		if a == nil {
			continue
		}
		kinds++
		s, good := d.text(a, true)
		if good && len(s) < 3 {
			d.mistakeAt(a.Expr.Range(), true, "fewer than three signs would hide too much", "")
			good = false
		}
		if good && f.name == "regexp" {
			good = d.regexp(a, s)
		}
		*f.to, ok = s, ok && good
	}
	if kinds != 1 {
		d.mistakeAt(at, true, fmt.Sprintf("the redaction %q needs exactly one of literal, key and regexp", name), "")
		return r, false
	}
	if a := content.Attributes["anchors"]; a != nil {
		its, good := d.texts(a, true)
		for _, it := range its {
			if len(it.text) < 3 {
				d.mistakeAt(it.at, true, "an anchor has at least three signs", "")
				good = false
			}
			r.Anchors = append(r.Anchors, it.text)
		}
		slices.Sort(r.Anchors)
		ok = ok && good
	}
	if (r.Regexp != "") != (len(r.Anchors) > 0) {
		d.mistakeAt(at, true, fmt.Sprintf("in the redaction %q, regexp and anchors go together", name), "anchors are words of which one stands in every match: they make the search fast")
		return r, false
	}
	return r, ok
}

func (d *decoder) regexp(a *hcl.Attribute, s string) bool {
	re, err := regexp.Compile(s)
	switch {
	case err != nil:
		d.mistakeAt(a.Expr.Range(), true, strings.ReplaceAll(err.Error(), "error parsing regexp: ", "the regexp does not parse: "), "the form is that of RE2; a backslash is written twice")
	case len(s) > 1000:
		d.mistakeAt(a.Expr.Range(), true, "the regexp is too long", "")
	case re.MatchString(""):
		d.mistakeAt(a.Expr.Range(), true, "the regexp matches nothing at all, everywhere", "")
	default:
		return true
	}
	return false
}
