package filetree

import "github.com/latchstring/latchstring/sdk/collect"

// Plan lists the regular files of what was found, and the folders that only
// the host can look into.
func Plan(found []Entry, config func(Entry) bool) []collect.Planned {
	var out []collect.Planned
	for _, e := range found {
		if !e.Mode.IsRegular() && e.Err == nil {
			continue
		}
		name, isCompressed := Plain(collect.NameOf(e.Path))
		p := collect.Planned{Name: name, Source: e.Path, Size: e.Size, Config: config(e), NeedsRoot: e.Root}
		if isCompressed || e.Err != nil {
			p.Size = -1
		}
		out = append(out, p)
	}
	return out
}
