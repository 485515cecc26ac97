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

// shortPrefixes begin tokens that may be shorter than minRun: keys of
// Artifactory.
var shortPrefixes = [...][]byte{[]byte("AKC"), []byte("AP")}

// nextShort looks for a token with one of shortPrefixes in b[from:limit].
func nextShort(b []byte, from, limit int) (start, end int, ok bool) {
	for _, p := range shortPrefixes {
		for i := from; ; i++ {
			k := bytes.Index(b[i:limit], p)
			if k < 0 {
				break
			}
			i += k
			if i > from && is(b[i-1], base64URL) || len(p) == 2 && (i+2 >= len(b) || !is(b[i+2], upperDigit) || b[i+2] > 'F') {
				continue
			}
			if e := span(b, i, alnum); e-i >= minShort {
				limit = i // an earlier one may come with the other prefix
				start, end, ok = i, span(b, e, runChar), true
				break
			}
		}
	}
	return start, end, ok
}
