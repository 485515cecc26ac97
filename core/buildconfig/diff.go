package buildconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/paths"
)

// differences says what is different in the newer configuration, a line each.
func differences(old, next Effective) []string {
	var out []string
	keys := map[string]bool{}
	for k := range old.Local {
		keys[k] = true
	}
	for k := range next.Local {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		a, was := old.Local[k]
		b, is := next.Local[k]
		switch {
		case was && is && a.Value == b.Value:
		case was && is:
			out = append(out, fmt.Sprintf("local.cfg line %d: %s was %q and is %q", b.Line, k, a.Value, b.Value))
		case is:
			out = append(out, fmt.Sprintf("local.cfg line %d: %s=%q was added", b.Line, k, b.Value))
		default:
			out = append(out, fmt.Sprintf("local.cfg: %s was removed", k))
		}
	}
	if old.Settings == nil {
		return out
	}
	for _, k := range slices.Sorted(maps.Keys(next.Settings)) {
		if a, b := old.Settings[k], next.Settings[k]; a != b {
			out = append(out, fmt.Sprintf("policy: %s was %s and is %s", k, short(a), short(b)))
		}
	}
	return out
}

func short(s string) string {
	if s == "" {
		return "not known"
	}
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}

// Pending says what stands in local.cfg and is not in force, and what is in
// force and no longer stands there (REQ G4). Mistakes in the file count: they
// are not in force either.
func Pending(root paths.Root) ([]string, error) {
	current, err := Current(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	local, err := localcfg.Load(root.LocalConfig())
	if err != nil {
		return []string{"local.cfg has mistakes, so what it says is not in force:\n" + err.Error()}, nil
	}
	var out []string
	for _, e := range local.Entries {
		switch v, ok := current.Local[e.Key]; {
		case !e.Ours():
		case !ok:
			out = append(out, fmt.Sprintf("%s:%d: %s is not in force yet", local.Path, e.Line, e.Key))
		case v.Value != e.Value:
			out = append(out, fmt.Sprintf("%s:%d: %s was changed, and the old value is still in force", local.Path, e.Line, e.Key))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(current.Local)) {
		if _, ok := local.Get(k); !ok {
			out = append(out, fmt.Sprintf("%s: %s was removed, and is still in force", local.Path, k))
		}
	}
	if len(out) > 0 {
		out = append(out, "run `remote-support build-config` to put local.cfg in force")
	}
	return out, nil
}
