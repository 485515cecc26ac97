package pake

// lvCat joins strings, each behind its length, so that no two different lists
// give the same bytes: lv_cat of the draft. It allocates once, so that clearing
// what it returns clears the only copy.
func lvCat(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += lenPrepended(len(p))
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		out = appendLength(out, len(p))
		out = append(out, p...)
	}
	return out
}

// appendLength appends n in LEB128: seven bits a byte, the least first.
func appendLength(out []byte, n int) []byte {
	for n >= 0x80 {
		out = append(out, byte(n)|0x80)
		n >>= 7
	}
	return append(out, byte(n))
}

// lenPrepended is the length of a string of n bytes behind its length.
func lenPrepended(n int) int {
	size := n + 1
	for l := n; l >= 0x80; l >>= 7 {
		size++
	}
	return size
}

// appendClearing joins without leaving a copy of first behind.
func appendClearing(first []byte, more ...[]byte) []byte {
	n := len(first)
	for _, m := range more {
		n += len(m)
	}
	out := make([]byte, 0, n)
	out = append(out, first...)
	clear(first)
	for _, m := range more {
		out = append(out, m...)
	}
	return out
}
