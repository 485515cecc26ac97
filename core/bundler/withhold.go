package bundler

import (
	"path"
	"strings"

	"github.com/latchstring/latchstring/core/bundle"
)

// withhold takes files out whose path, or one of its folders, or the last part
// of its name a pattern fits.
func (r *Run) withhold(globs []string) {
	if len(globs) == 0 {
		return
	}
	r.Withhold(func(f bundle.File) bool {
		for _, g := range globs {
			if Matches(g, f.Path) {
				return true
			}
		}
		return false
	})
}

// Matches tells whether a pattern of --withhold fits a path in the bundle. A
// pattern without a slash fits names anywhere; one that fits a folder fits all
// that is in it.
func Matches(glob, p string) bool {
	glob = strings.TrimSuffix(strings.TrimSuffix(glob, "/**"), "/")
	for q := p; q != "." && q != "/"; q = path.Dir(q) {
		name := q
		if !strings.Contains(glob, "/") {
			name = path.Base(q)
		}
		if ok, _ := path.Match(glob, name); ok {
			return true
		}
	}
	return false
}
