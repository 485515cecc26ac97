package mask

// Words are texts to look for besides the needles, by their first three bytes:
// the names of a machine, which are known at run time only. A kernel marks where
// one may begin, and some places more.
type Words struct {
	place [3]struct{ lo, hi [32]byte }
	wide  words128
	pairs pairs // those of the needles too
}

var noWords Words

// NewWords prepares the search for texts of three bytes and more, together with
// the needles.
func NewWords(texts []string, needles *Needles) *Words {
	w := &Words{pairs: needles.pairs}
	for i, t := range texts {
		if len(t) < 3 {
			panic("word shorter than three bytes: " + t)
		}
		w.pairs.add(head([]byte{bothCases(t[0])[0], bothCases(t[1])[0], bothCases(t[2])[0]}), ofWord)
		bucket := wordBucket(i, len(texts), t)
		for at := range w.place {
			for _, c := range bothCases(t[at]) {
				w.wide[at][c&0x7f] |= 1 << bucket
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
