package hardware

import (
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

const (
	maxAttr    = 4 << 10 // an attribute of sysfs is a page at most
	maxProc    = 4 << 20 // a file of procfs
	maxEntries = 4096    // of a directory that are looked at
	maxText    = 64      // of a name from firmware
)

// tree is what sysfs and procfs show.
type tree struct{ fs.FS }

// read returns a file, cut at limit; "" if it cannot be read.
func (t tree) read(limit int64, elem ...string) string {
	f, err := t.Open(path.Join(elem...))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return ""
	}
	return string(b)
}

// attr returns an attribute without the line end.
func (t tree) attr(elem ...string) string { return strings.TrimSpace(t.read(maxAttr, elem...)) }

// number reads an attribute that is one number.
func (t tree) number(elem ...string) (int64, bool) {
	n, err := strconv.ParseInt(t.attr(elem...), 10, 64)
	return n, err == nil
}

// counter reads an attribute that counts; ok is false if it does not.
func (t tree) counter(elem ...string) (uint64, bool) {
	n, err := strconv.ParseUint(t.attr(elem...), 10, 64)
	return n, err == nil
}

// set reports whether an attribute is a 1.
func (t tree) set(elem ...string) bool { return t.attr(elem...) == "1" }

var entry = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:!,@+-]{0,99}$`)

// names lists a directory, sorted, without what the kernel would not name so.
func (t tree) names(elem ...string) []string {
	dir, err := t.Open(path.Join(elem...))
	if err != nil {
		return nil
	}
	defer dir.Close()
	d, ok := dir.(fs.ReadDirFile)
	if !ok {
		return nil
	}
	list, _ := d.ReadDir(maxEntries)
	var out []string
	for _, e := range list {
		if entry.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return sorted(out)
}

// target is the last element of what a link leads to, or "".
func (t tree) target(elem ...string) string {
	to, err := fs.ReadLink(t.FS, path.Join(elem...))
	if err != nil {
		return ""
	}
	if to = path.Base(to); !entry.MatchString(to) {
		return ""
	}
	return to
}

// clean makes of a text from firmware what may stand in an event: printable
// ASCII without what is special to anybody, and short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_.-#/+:()", r):
			return r
		case r == ' ' || r == '\t' || r == '\n':
			return ' '
		}
		return '_'
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimSpace(s[:min(len(s), maxText)])
}
