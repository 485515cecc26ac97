package sanitize

import "github.com/latchstring/latchstring/core/sanitize/scan"

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

// Name implements [Engine].
func (s *Sanitizer) Name(path string) string {
	if s.mapper == nil {
		return path
	}
	sc := scan.New()
	sc.Identify, sc.Names = true, s.names
	buf := []byte(path)
	sc.Scan(buf, 0, len(buf))
	st := stream{s: s, buf: buf, scanner: sc}
	st.tally.reset()
	st.sortIdents()
	at, _ := st.plain(0, len(buf), len(buf), 0)
	return string(append(st.out, buf[at:]...))
}
