package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is the type of the value of a key.
type Kind string

// The kinds. Lists take items of one form.
const (
	Bool      Kind = "bool"
	Enum      Kind = "one of"
	Length    Kind = "duration" // "8h", "30m", "2d"
	Size      Kind = "size"     // "500MB", "2GiB"
	Number    Kind = "number"
	Names     Kind = "list of names"
	Hosts     Kind = "list of host:port"
	Proxies   Kind = "list of proxies"
	Paths     Kind = "list of paths"
	Commands  Kind = "list of commands"
	Digests   Kind = "list of SHA-256"
	Windows   Kind = "windows"    // labelled blocks
	Redacting Kind = "redactions" // labelled blocks
)

// Order says which of two values of a key is the stricter one, and with it how
// the statements of several files become one.
type Order string

// The orders.
const (
	False     Order = "false is stricter"
	True      Order = "true is stricter"
	Later     Order = "the later in the list is stricter" // enums
	Less      Order = "less is stricter"
	More      Order = "more is stricter"
	Intersect Order = "only what every file lists" // allow-lists
	Union     Order = "whatever any file lists"    // deny-lists, redactions
)

// value is what a file says for a key, or what all files together say. Which
// fields count depends on the kind.
type value struct {
	yes     bool
	n       int64   // Length in ns, Size in bytes, Number, Enum as index into its words
	lists   []*list // one from a file; merged, all of an intersection, one of a union
	windows *schedule
	redacts []Redaction
}

var lengthForm = regexp.MustCompile(`^(?:(\d+)d)?(.*)$`)

// ParseLength reads "8h", "1h30m" or "2d12h".
func ParseLength(s string) (time.Duration, error) {
	m := lengthForm.FindStringSubmatch(s)
	var d time.Duration
	if m[1] != "" {
		days, err := strconv.Atoi(m[1])
		if err != nil || days > 36500 {
			return 0, fmt.Errorf("%q is more days than can be counted", s)
		}
		d = time.Duration(days) * 24 * time.Hour
	}
	if m[2] != "" {
		rest, err := time.ParseDuration(m[2])
		if err != nil || strings.ContainsAny(m[2][:1], "+-") {
			return 0, fmt.Errorf(`%q is no length of time; write it like "30m", "8h" or "2d"`, s)
		}
		d += rest
	}
	if d <= 0 || s == "" {
		return 0, fmt.Errorf(`%q must be longer than nothing; write it like "30m", "8h" or "2d"`, s)
	}
	return d, nil
}

func formatLength(d time.Duration) string {
	s := ""
	if days := d / (24 * time.Hour); days > 1 {
		s, d = fmt.Sprintf("%dd", days), d%(24*time.Hour)
	}
	if d == 0 && s != "" {
		return s
	}
	t := d.String()
	if strings.HasSuffix(t, "m0s") {
		t = t[:len(t)-2]
	}
	if strings.HasSuffix(t, "h0m") {
		t = t[:len(t)-2]
	}
	return s + t
}

var sizeUnits = []struct {
	name string
	n    int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
}

// ParseSize reads "500MB" (10^6) or "2GiB" (2^30).
func ParseSize(s string) (int64, error) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.n {
			break
		}
		return n * u.n, nil
	}
	return 0, fmt.Errorf(`%q is no size; write it like "500MB" (millions) or "2GiB" (powers of two)`, s)
}

func formatSize(n int64) string {
	best := sizeUnits[len(sizeUnits)-1]
	for _, u := range sizeUnits { // the shortest number
		if n >= u.n && n%u.n == 0 && u.n > best.n && u.name != "KB" {
			best = u
		}
	}
	return fmt.Sprintf("%d%s", n/best.n, best.name)
}

// format shows a value as a policy file would write it.
func (k *Key) format(v *value) string {
	switch k.Kind {
	case Bool:
		return strconv.FormatBool(v.yes)
	case Enum:
		return strconv.Quote(k.Words[v.n].Word)
	case Length:
		return strconv.Quote(formatLength(time.Duration(v.n)))
	case Size:
		return strconv.Quote(formatSize(v.n))
	case Number:
		return strconv.FormatInt(v.n, 10)
	case Windows:
		return v.windows.String()
	case Redacting:
		names := make([]string, len(v.redacts))
		for i, r := range v.redacts {
			names[i] = r.Name
		}
		slices.Sort(names)
		return formatItems(slices.Compact(names))
	}
	return formatLists(v.lists)
}

func formatItems(items []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, it := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(it))
	}
	b.WriteByte(']')
	return b.String()
}

// formatLists shows one list, or several that must all match.
func formatLists(ls []*list) string {
	texts := make([]string, len(ls))
	for i, l := range ls {
		texts[i] = formatItems(l.items)
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), " and ")
}
