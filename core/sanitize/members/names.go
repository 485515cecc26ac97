package members

import (
	"path"
	"strings"
)

// tree keeps an archive safe to extract.
type tree struct {
	files map[string]bool // members written, by cleaned name
	links map[string]bool // symbolic links among them
}

func newTree() *tree { return &tree{map[string]bool{}, map[string]bool{}} }

func (j *job) rename(name string) string {
	if j.Rename != nil {
		return j.Rename(name)
	}
	return name
}

// cleanName makes a path relative, without steps up and without characters
// that drive a terminal.
func cleanName(name string) string {
	var out []string
	for part := range strings.SplitSeq(name, "/") {
		part = strings.Map(func(r rune) rune {
			if r < 0x20 || r == 0x7f {
				return '_'
			}
			return r
		}, part)
		if strings.Contains(part, `..`) && strings.Contains(part, `\`) {
			part = strings.ReplaceAll(part, `\`, "_")
		}
		switch part {
		case "", ".", "..":
			continue
		}
		out = append(out, part)
	}
	if len(out) == 0 {
		return "unnamed"
	}
	return strings.Join(out, "/")
}

// below reports whether a parent of name is a symbolic link: what is written
// there would go where the link points.
func (t *tree) below(name string) bool {
	for p := path.Dir(name); p != "." && p != "/"; p = path.Dir(p) {
		if t.links[p] {
			return true
		}
	}
	return false
}

// symlink checks a link's target and gives the reason to leave it out.
func (t *tree) symlink(name, target string) string {
	switch {
	case target == "" || strings.ContainsAny(target, "\x00\n\r\x1b"):
		return "a link to a strange name"
	case path.IsAbs(target) || strings.Contains(target, `\`):
		return "a link to outside the archive"
	}
	if to := path.Join(path.Dir(name), target); to == ".." || strings.HasPrefix(to, "../") {
		return "a link to outside the archive"
	}
	return ""
}
