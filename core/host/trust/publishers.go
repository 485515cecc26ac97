package trust

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Namespace is what a plugin's signature is made for; one made for something
// else does not count.
const Namespace = "latchstring-plugin"

// Publishers are the keys that are trusted, and whose they are.
type Publishers struct{ entries []entry }

type entry struct {
	names         []string
	key           ssh.PublicKey
	namespaces    []string // empty for any
	after, before time.Time
	line          int
}

// ParsePublishers reads a file of allowed signers. file is its name, for
// errors.
func ParsePublishers(file string, data []byte) (*Publishers, error) {
	p := &Publishers{}
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 64<<10)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		e.line = n
		p.entries = append(p.entries, e)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// parseEntry reads `NAMES [OPTIONS] KEYTYPE KEY [COMMENT]`.
func parseEntry(line string) (entry, error) {
	names, rest, ok := strings.Cut(line, " ")
	if !ok {
		return entry{}, fmt.Errorf("want a publisher and a public key")
	}
	e := entry{names: strings.Split(names, ",")}
	for _, name := range e.names {
		if name == "" || strings.ContainsAny(name, `*?!"`) {
			return entry{}, fmt.Errorf("publisher %q: a name without patterns is wanted", name)
		}
	}
	key, _, options, left, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil || len(left) > 0 {
		return entry{}, fmt.Errorf("public key of %s cannot be read", names)
	}
	e.key = key
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "namespaces":
			e.namespaces = strings.Split(value, ",")
		case "valid-after":
			e.after, err = parseTime(value)
		case "valid-before":
			e.before, err = parseTime(value)
		default:
			err = fmt.Errorf("option %s is not supported here", name)
		}
		if err != nil {
			return entry{}, err
		}
	}
	return e, nil
}

// parseTime reads YYYYMMDD[HHMM[SS]][Z], as ssh-keygen does: local time unless
// it ends with Z.
func parseTime(s string) (time.Time, error) {
	where := time.Local
	if t, ok := strings.CutSuffix(s, "Z"); ok {
		s, where = t, time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(layout) == len(s) {
			if t, err := time.ParseInLocation(layout, s, where); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("time %q is not written YYYYMMDD[HHMM[SS]][Z]", s)
}

// Publisher is one name with one key that speaks for it.
type Publisher struct{ Name, Fingerprint string }

// List returns the publishers in the order of the file.
func (p *Publishers) List() []Publisher {
	if p == nil {
		return nil
	}
	var out []Publisher
	for _, e := range p.entries {
		for _, name := range e.names {
			out = append(out, Publisher{name, ssh.FingerprintSHA256(e.key)})
		}
	}
	return out
}

// trusted reports whether key speaks for publisher now, and if not, who it
// speaks for, if anyone.
func (p *Publishers) trusted(publisher string, key ssh.PublicKey, now time.Time) (bool, []string) {
	var others []string
	if p == nil {
		return false, nil
	}
	wire := key.Marshal()
	for _, e := range p.entries {
		switch {
		case !bytes.Equal(e.key.Marshal(), wire),
			len(e.namespaces) > 0 && !slices.Contains(e.namespaces, Namespace),
			!e.after.IsZero() && now.Before(e.after),
			!e.before.IsZero() && !now.Before(e.before):
			continue
		case slices.Contains(e.names, publisher):
			return true, nil
		}
		others = append(others, e.names...)
	}
	return false, others
}
