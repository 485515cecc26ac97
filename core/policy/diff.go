package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Direction says which way a change goes.
type Direction string

// The directions.
const (
	Stricter Direction = "stricter"
	Looser   Direction = "looser"
	Mixed    Direction = "changed" // stricter here, looser there
)

// Change is one difference between two policies, in words.
type Change struct {
	Key       string    `json:"key"`
	Text      string    `json:"text"`
	Direction Direction `json:"direction"`
	Rules     []Rule    `json:"rules"` // of the newer policy
}

// Diff says in words what becomes allowed or forbidden when the policy before
// is replaced by the one after.
func Diff(before, after *Policy) []Change {
	var out []Change
	for _, k := range keys {
		a, b := &before.merged[k.index], &after.merged[k.index]
		if k.same(a, b) {
			continue
		}
		c := Change{Key: k.Path()}
		c.Text, c.Direction = k.change(a, b)
		c.Rules, _ = b.winners(k)
		out = append(out, c)
	}
	return out
}

func (k *Key) same(a, b *merged) bool {
	switch {
	case k.Kind == Redacting:
		return slices.Equal(redactionTexts(a), redactionTexts(b))
	case k.Order == Union:
		return slices.Equal(allItems(a), allItems(b))
	}
	return k.shown(a) == k.shown(b)
}

// shown is the merged value, or the default in words.
func (k *Key) shown(m *merged) string {
	if !m.spoke {
		return k.Default
	}
	return k.format(&m.value)
}

func redactionTexts(m *merged) []string {
	var out []string
	for _, r := range m.value.redacts {
		out = append(out, r.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (k *Key) change(a, b *merged) (string, Direction) {
	arrow := func() string { return fmt.Sprintf("%s: %s -> %s", k.Subject, k.shown(a), k.shown(b)) }
	switch {
	case k.Kind == Bool && k.Order == False:
		if b.spoke && !b.value.yes {
			return k.Subject + ": now forbidden", Stricter
		}
		return k.Subject + ": allowed again", Looser
	case k.Kind == Bool:
		if b.value.yes {
			return k.Subject + ": now required", Stricter
		}
		return k.Subject + ": no longer required", Looser
	case k.Kind == Enum:
		text := fmt.Sprintf("%s: %s", arrow(), strings.ReplaceAll(k.Words[b.value.n].Doc, "`", ""))
		return text, towards(b.value.n > a.value.n)
	case k.Order == Less:
		return arrow(), towards(!a.spoke || b.spoke && b.value.n < a.value.n)
	case k.Order == More:
		return arrow(), towards(b.value.n > a.value.n)
	case k.Kind == Redacting:
		return setChange(k.Subject, "now also", "no longer", redactionTexts(a), redactionTexts(b), true)
	case k.Order == Union:
		return setChange(k.Subject, "now also", "no longer", allItems(a), allItems(b), true)
	case !a.spoke || !b.spoke:
		return arrow(), towards(b.spoke)
	case len(a.value.lists) == 1 && len(b.value.lists) == 1 && len(a.value.lists[0].patterns)+len(b.value.lists[0].patterns) == 0:
		return setChange(k.Subject, "newly allowed", "no longer allowed", allItems(a), allItems(b), false)
	}
	less, more := covers(&a.value, &b.value), covers(&b.value, &a.value)
	if k.Kind == Paths || less == more { // in paths ** is not the text of *
		return arrow(), Mixed
	}
	return arrow(), towards(less)
}

// covers reports whether wide surely allows all that narrow does: some list of
// narrow has only items that every list of wide matches. The text of a pattern
// that matches the text of another one matches all that the other does.
func covers(wide, narrow *value) bool {
	for _, n := range narrow.lists {
		if !slices.ContainsFunc(n.items, func(it string) bool {
			return slices.ContainsFunc(wide.lists, func(w *list) bool { return !w.match(it) })
		}) {
			return true
		}
	}
	return false
}

func towards(stricter bool) Direction {
	if stricter {
		return Stricter
	}
	return Looser
}

func allItems(m *merged) (out []string) {
	for _, l := range m.value.lists {
		out = append(out, l.items...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func setChange(subject, plus, minus string, a, b []string, moreIsStricter bool) (string, Direction) {
	less := slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	more := slices.DeleteFunc(slices.Clone(b), func(s string) bool { return slices.Contains(a, s) })
	var parts []string
	if len(more) > 0 {
		parts = append(parts, plus+" "+strings.Join(more, ", "))
	}
	if len(less) > 0 {
		parts = append(parts, minus+" "+strings.Join(less, ", "))
	}
	dir := Mixed
	switch {
	case len(more) == 0:
		dir = towards(!moreIsStricter)
	case len(less) == 0:
		dir = towards(moreIsStricter)
	}
	return subject + ": " + strings.Join(parts, "; "), dir
}
