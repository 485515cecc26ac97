package sanitize

import (
	"context"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/scan"
)

// pseudonym appends the stand-in of an identifier.
func (st *stream) pseudonym(id scan.Ident) {
	text := st.buf[id.Start:id.End]
	before := len(st.out)
	st.out = st.s.appendPseudonym(st.out, text, id.What)
	if string(st.out[before:]) != string(text) {
		st.tally.kinds[id.What.String()]++
	}
}

func (s *Sanitizer) appendPseudonym(dst, text []byte, w scan.What) []byte {
	ok := true
	switch w {
	case scan.IPv4:
		dst = s.mapper.AppendIPv4(dst, quad(text))
	case scan.IPv6:
		dst, ok = s.mapper.AppendIPv6(dst, text)
	case scan.MAC:
		dst, ok = s.mapper.AppendMAC(dst, text)
	case scan.Email:
		dst = s.mapper.AppendEmail(dst, text)
	case scan.Host:
		dst = s.mapper.AppendHost(dst, text)
	case scan.User:
		dst = s.mapper.AppendUser(dst, text)
	}
	if !ok {
		dst = append(dst, text...)
	}
	return dst
}

// quad reads a dotted address that the scanner has verified.
func quad(b []byte) (a [4]byte) {
	i := 0
	for _, c := range b {
		if c == '.' {
			i++
			continue
		}
		a[i&3] = a[i&3]*10 + c - '0'
	}
	return a
}

// Name implements [Engine]. A path is text like any other: names in it become
// pseudonyms, and a token or a known secret in it is hidden.
func (s *Sanitizer) Name(path string) string {
	st := s.pool.Get().(*stream)
	defer s.pool.Put(st)
	st.reset(File{})
	var out strings.Builder
	if _, _, err := st.run(context.Background(), &out, strings.NewReader(path)); err != nil {
		return "unnamed" // neither reader nor writer fails: fail closed all the same
	}
	return out.String()
}
