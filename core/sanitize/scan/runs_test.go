package scan

import (
	"math/rand/v2"
	"testing"
)

// The masks show the same runs as the bytes.
func TestRunAt(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const often, seldom = "abcdef0123456789-", "xyzXYZ_./+=~ :\"\n"
	for range 300 {
		buf := make([]byte, 200+r.IntN(2000))
		for i := range buf {
			buf[i] = often[r.IntN(len(often))]
			if r.IntN(30) == 0 {
				buf[i] = seldom[r.IntN(len(seldom))]
			}
		}
		s := New()
		s.window(buf, 0, len(buf))
		s.masked, s.buf = true, buf
		for range 200 {
			s.le = 1 + r.IntN(len(buf))
			at := r.IntN(s.le)
			from := r.IntN(at + 1)
			if runChars[buf[at]] == 0 {
				continue
			}
			start, end, classes := s.runAt(at, from)
			s1, e1, want := s.runBytes(at, from)
			if want&runDigit != 0 {
				other := want & runOther
				for _, c := range buf[s1:e1] {
					other |= runChars[c] & runOther
				}
				want = runAny | runDigit | other
			}
			if start != s1 || end != e1 || classes != want {
				t.Fatalf("%q at %d from %d: %d-%d %b, want %d-%d %b", buf[:s.le], at, from, start, end, classes, s1, e1, want)
			}
		}
	}
}
