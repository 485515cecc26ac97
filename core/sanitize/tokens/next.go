package tokens

import "bytes"

const (
	// minRun is the length of the stretch of [A-Za-z0-9_-] that nearly every
	// token has somewhere. Shorter ones are looked for by their prefixes.
	minRun = 16
	// minShort is the length of those.
	minShort = 13
)

// Next returns the first run of token characters in b at or behind from that
// may hold a token, widened to the whole run. ok is false when there is none.
// It reads about one byte in three of ordinary text.
func Next(b []byte, from int) (start, end int, ok bool) {
	start, end, ok = nextLong(b, from)
	limit := len(b)
	if ok {
		limit = start
	}
	if s, e, found := nextShort(b, from, limit); found {
		return s, e, true
	}
	return start, end, ok
}

func nextLong(b []byte, from int) (start, end int, ok bool) {
	lo := from
	for i := from + minRun - 1; i < len(b); {
		if classOf[b[i]]&base64URL == 0 {
			lo = i + 1
			i += minRun
			continue
		}
		j := i
		for j > lo && classOf[b[j-1]]&base64URL != 0 {
			j--
		}
		if i-j+1 >= minRun {
			s := spanBack(b[from:], j-from, runChar) + from
			return s, span(b, i, runChar), true
		}
		lo, i = j, j+minRun-1
	}
	return 0, 0, false
}

// nextShort looks for the one kind of token that may be shorter than minRun in
// b[from:limit]: keys of Artifactory, which begin with AKC or with AP and an
// upper-case hex digit.
func nextShort(b []byte, from, limit int) (start, end int, ok bool) {
	for i := from; i+minShort <= limit; i++ {
		k := bytes.IndexByte(b[i:limit], 'A')
		if k < 0 {
			return 0, 0, false
		}
		i += k
		if i+minShort > len(b) {
			return 0, 0, false
		}
		c := b[i+2]
		if !(b[i+1] == 'K' && c == 'C' || b[i+1] == 'P' && (c >= '0' && c <= '9' || c >= 'A' && c <= 'F')) {
			continue
		}
		if i > from && is(b[i-1], base64URL) {
			continue
		}
		if e := span(b, i, alnum); e-i >= minShort {
			return i, span(b, e, runChar), true
		}
	}
	return 0, 0, false
}
