package policy

import "slices"

// merge makes the stricter of two values, or the value that is as strict as
// both. It is commutative, associative and idempotent, so the order of files
// has no meaning.
func (k *Key) merge(a, b value) value {
	switch k.Order {
	case False:
		a.yes = a.yes && b.yes
	case True:
		a.yes = a.yes || b.yes
	case Later, More:
		a.n = max(a.n, b.n)
	case Less:
		a.n = min(a.n, b.n)
	default:
		a.lists = slices.Concat(a.lists, b.lists)
		if a.windows != nil && b.windows != nil {
			a.windows = newSchedule(slices.Concat(a.windows.sets, b.windows.sets))
		}
		a.redacts = slices.Concat(a.redacts, b.redacts)
	}
	return a
}

// settle makes a merged list quick to ask: what is listed letter for letter
// becomes one list.
func (k *Key) settle(v *value) {
	if !k.isList() || len(v.lists) < 2 {
		return
	}
	if k.Order == Union {
		var all []string
		for _, l := range v.lists {
			all = append(all, l.items...)
		}
		slices.Sort(all)
		v.lists = []*list{newList(slices.Compact(all), k.Kind == Paths)}
		return
	}
	var plain []string // the intersection of the lists without patterns
	var rest []*list
	first := true
	for _, l := range v.lists {
		switch {
		case len(l.patterns) > 0:
			if !slices.ContainsFunc(rest, func(o *list) bool { return slices.Equal(o.items, l.items) }) {
				rest = append(rest, l)
			}
		case first:
			plain, first = slices.Clone(l.items), false
		default:
			plain = slices.DeleteFunc(plain, func(it string) bool { return !l.exact[it] })
		}
	}
	if first {
		v.lists = rest
		return
	}
	// What is plain can be tried on the patterns now.
	plain = slices.DeleteFunc(plain, func(it string) bool {
		return slices.ContainsFunc(rest, func(l *list) bool { return !l.match(it) })
	})
	v.lists = []*list{newList(plain, k.Kind == Paths)}
}
