package bundle

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

const (
	maxElement = 255  // bytes of a name between slashes: what filesystems take
	maxPath    = 2000 // bytes of a whole path
)

// checkPath refuses what must never be a path in a bundle: absolute, with
// dots, backslashes, control characters, or too long.
func checkPath(p string) error {
	switch {
	case p == "" || p == "." || !fs.ValidPath(p):
		return fmt.Errorf("path %.200q is not a plain relative path", p)
	case len(p) > maxPath:
		return fmt.Errorf("path %.60q... is longer than %d bytes", p, maxPath)
	}
	for _, e := range strings.Split(p, "/") {
		if err := checkElement(e); err != nil {
			return err
		}
	}
	return nil
}

func checkElement(e string) error {
	switch {
	case e == "" || e == "." || e == ".." || strings.Contains(e, "/"):
		return fmt.Errorf("name %.200q cannot be used", e)
	case len(e) > maxElement:
		return fmt.Errorf("name %.60q... is longer than %d bytes", e, maxElement)
	case !utf8.ValidString(e):
		return fmt.Errorf("name %.200q is not UTF-8", e)
	}
	for _, r := range e {
		// Control characters, the backslash that other systems take for a
		// separator, and the marks that turn the direction of writing.
		if r < 0x20 || r == 0x7f || r == '\\' || (r >= 0x80 && r < 0xa0) ||
			(r >= 0x200e && r <= 0x200f) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return fmt.Errorf("name %.200q holds a character that is not allowed", e)
		}
	}
	return nil
}

func isReserved(p string) bool {
	return p == ManifestName || p == SignatureName || p == RedactionsName
}

// memberPath makes the path of an item from what its collector calls it. Bytes
// that may not be in a path become underscores; a path that climbs is refused,
// because only a broken or hostile collector hands one over.
func memberPath(collector, name string) (string, error) {
	clean := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || (r != '/' && checkElement(string(r)) != nil && r != '.') {
			return '_'
		}
		return r
	}, name)
	clean = strings.TrimLeft(clean, "/")
	for _, e := range strings.Split(clean, "/") {
		if e == ".." {
			return "", fmt.Errorf("name %.200q climbs out of the collector's folder", name)
		}
	}
	p := path.Join(collector, clean)
	if p == collector || !strings.HasPrefix(p, collector+"/") {
		return "", fmt.Errorf("name %.200q is no file name", name)
	}
	if err := checkPath(p); err != nil {
		return "", err
	}
	return p, nil
}

// tree knows which paths are files (true) and which are folders (false).
type tree map[string]bool

// add takes a file into the tree, unless its name is taken or one of its
// folders is a file.
func (t tree) add(p string) bool {
	if _, ok := t[p]; ok {
		return false
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if t[dir] {
			return false
		}
	}
	t[p] = true
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		t[dir] = false
	}
	return true
}

// addUnused adds p, or p with a number before its ending when p cannot be had,
// and returns what it added.
func (t tree) addUnused(p string) (string, error) {
	ext := path.Ext(p)
	for i, q := 2, p; i < 1000; i++ {
		if t.add(q) {
			return q, nil
		}
		q = fmt.Sprintf("%s~%d%s", strings.TrimSuffix(p, ext), i, ext)
	}
	return "", fmt.Errorf("name %.200q is taken", p)
}
