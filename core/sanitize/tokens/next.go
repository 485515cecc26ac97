package tokens

// minRun is the shortest stretch of [A-Za-z0-9_-] that a token has somewhere.
const minRun = 16

// Next returns the first run of token characters in b at or behind from that
// is long enough to hold a token, widened to the whole run. ok is false when
// there is none. It reads about one byte in three of ordinary text.
func Next(b []byte, from int) (start, end int, ok bool) {
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
