package sanitize

import (
	"bytes"
	"context"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/scan"
)

// pseudonym appends the stand-in of an identifier.
func (st *stream) pseudonym(id scan.Ident) {
	text := st.buf[id.Start:id.End]
	before := len(st.out)
	if id.What == scan.IPv4 {
		st.out = st.s.mapper.AppendIPv4(st.out, [4]byte{byte(id.Addr >> 24), byte(id.Addr >> 16), byte(id.Addr >> 8), byte(id.Addr)})
	} else if len(text) <= maxStandIn && id.What != scan.Net4 {
		e := st.known.slot(st.buf, id.Start, id.End, id.What)
		if e.is(text, id.What) {
			st.out = appendShort(st.out, &e.out, int(e.m))
			if !e.same {
				st.tally.idents[id.What]++
			}
			return
		}
		st.out = st.s.appendPseudonym(st.out, text, id)
		e.put(text, st.out[before:], id.What)
	} else {
		st.out = st.s.appendPseudonym(st.out, text, id)
	}
	if string(st.out[before:]) != string(text) {
		st.tally.idents[id.What]++
	}
}

func (s *Sanitizer) appendPseudonym(dst, text []byte, id scan.Ident) []byte {
	ok := true
	switch id.What {
	case scan.IPv4:
		dst = s.mapper.AppendIPv4(dst, [4]byte{byte(id.Addr >> 24), byte(id.Addr >> 16), byte(id.Addr >> 8), byte(id.Addr)})
	case scan.Net4:
		at := len(dst)
		dst = s.mapper.AppendIPv4(dst, [4]byte{byte(id.Addr >> 24), byte(id.Addr >> 16), byte(id.Addr >> 8), byte(id.Addr)})
		for groups := 4 - bytes.Count(text, []byte{'.'}) - 1; groups > 0; groups-- {
			dst = dst[:at+bytes.LastIndexByte(dst[at:], '.')]
		}
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

// warm asks for the pseudonyms of the addresses that will be written, so that
// the memory they are in comes while the others are looked at.
func (st *stream) warm() {
	if st.mapper == nil {
		return
	}
	n := uint64(0)
	for i := range st.scanner.Idents {
		if id := &st.scanner.Idents[i]; id.What == scan.IPv4 {
			n += st.mapper.Warm4(id.Addr)
		}
	}
	st.warmth = n
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
