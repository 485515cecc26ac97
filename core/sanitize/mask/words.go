package mask

// Words are texts to look for besides the needles, by their first three bytes:
// the names of a machine, which are known at run time only. The AVX2 kernel
// marks where one may begin; the portable one marks every place.
type Words struct {
	place [3]struct{ lo, hi [32]byte }
}

var noWords Words

// NewWords prepares the search for texts of three bytes and more.
func NewWords(texts []string) *Words {
	w := &Words{}
	for i, t := range texts {
		if len(t) < 3 {
			panic("word shorter than three bytes: " + t)
		}
		bucket := wordBucket(i, len(texts), t)
		for at := range w.place {
			for _, c := range bothCases(t[at]) {
				for lane := 0; lane < 32; lane += 16 {
					w.place[at].lo[lane+int(c&15)] |= 1 << bucket
					w.place[at].hi[lane+int(c>>4)] |= 1 << bucket
				}
			}
		}
	}
	return w
}

// wordBucket deals out the words: few get a bucket each, of many those that
// begin alike share one.
func wordBucket(i, n int, t string) int {
	if n <= 8 {
		return i
	}
	return int(t[0]>>1) % 8
}

// bothCases are the cases of a letter, whichever it is given in.
func bothCases(c byte) []byte {
	if l := c | 0x20; l >= 'a' && l <= 'z' {
		return []byte{l, l &^ 0x20}
	}
	return []byte{c}
}
