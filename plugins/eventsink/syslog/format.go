package syslog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/eventsink/internal/text"
	"github.com/latchstring/latchstring/sdk/eventsink"
)

// id is the SD-ID: the number is the one that RFC 5612 keeps for examples, since
// this project has none of its own.
const id = "latchstring@32473"

// severities of RFC 5424 table 2.
var severities = map[string]int{"critical": 2, "error": 3, "warning": 4, "info": 6}

// from is who sends.
type from struct {
	facility       int
	host, app, pid string
	limit          int // bytes of a message
}

// format writes one message (RFC 5424 section 6). It has no line end, and is no
// longer than the limit; what is cut is at the end of the text first, then whole
// parameters.
func format(f from, e eventsink.Event) []byte {
	severity, ok := severities[e.Level]
	if !ok {
		severity = 6
	}
	b := append([]byte("<"), strconv.Itoa(f.facility*8+severity)...)
	b = append(b, ">1 "...)
	if y := e.Time.UTC().Year(); y < 1970 || y > 9999 {
		b = append(b, '-')
	} else {
		b = e.Time.UTC().Truncate(time.Microsecond).AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	}
	for _, h := range []struct {
		s    string
		most int
	}{{f.host, 255}, {f.app, 48}, {f.pid, 128}, {e.Code, 32}} {
		b = append(b, ' ')
		b = append(b, header(h.s, h.most)...)
	}
	b = append(b, " ["+id...)
	params := [][2]string{{"id", e.ID}}
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		params = append(params, [2]string{name(k), e.Data[k]})
	}
	seen := map[string]bool{}
	for _, p := range params {
		if p[0] == "" || seen[p[0]] {
			continue
		}
		one := " " + p[0] + `="` + escape(text.Line(p[1], 1024)) + `"`
		if len(b)+len(one)+1 > f.limit-min(f.limit/4, 256) {
			continue
		}
		seen[p[0]] = true
		b = append(b, one...)
	}
	b = append(b, ']')
	said := e.Description
	if said == "" {
		said = e.Code
	}
	if said = text.Line(said, max(0, f.limit-len(b)-4)); said != "" {
		b = append(b, " \uFEFF"...) // UTF-8, as section 6.4 wants it said
		b = append(b, said...)
	}
	return b
}

// header is a field of the header: printable ASCII without spaces, or "-".
func header(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return '_'
	}, s)
	if s = s[:min(len(s), most)]; s == "" {
		return "-"
	}
	return s
}

// name is an SD-NAME, "" if nothing is left of it.
func name(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '_'
		case r > ' ' && r < 0x7f && r != '=' && r != ']' && r != '"':
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 32)]
}

// escape is a PARAM-VALUE (section 6.3.3).
func escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)
