package mask

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"testing"
)

var testNeedles = NewNeedles([]string{"pass", "token", "key", "://", "-----begin", "$6$", "пароль", "密码"})

var testWordTexts = []string{"key-1", "web.example", "db01", "Pa_s"}

var testWords = NewWords(testWordTexts, testNeedles)

// Where no word begins, hardly a bit is set; without words, none but for the
// last of each block of the portable kernel, which does not know what follows.
func TestWordsAreFew(t *testing.T) {
	text := bytes.Repeat([]byte("Jan 12 06:25:43 app kernel: eth0: link is up, 1000 Mbit/s, full duplex; the rest of it is long enough\n"), 10)
	n, dst := (len(text)-Slack)/Size, new(Masks)
	for _, k := range kernels() {
		for words, most := range map[*Words]int{nil: 0, NewWords([]string{"quux", "zebra-17"}, testNeedles): 0, testWords: 60} {
			dst.Fill(k, n, text, testNeedles, words)
			marked := 0
			for _, w := range dst.Word[:n] {
				if k == Portable {
					w &^= 1 << 63
				}
				marked += bits.OnesCount64(w)
			}
			if marked > most {
				t.Errorf("%v: %d bits for words that are not there, want at most %d", k, marked, most)
			}
		}
	}
}

func randomText(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	const common = "passwordtokenkey://-----BEGIN $6$ 10.0.0.1:8080 @_/\n"
	for i := range b {
		switch r.IntN(3) {
		case 0:
			b[i] = byte(r.UintN(256))
		default:
			b[i] = common[r.IntN(len(common))]
		}
	}
	return b
}

// block has the words of one block.
type block struct {
	Digit, HexAF, Letter, Dot, Colon, At, Newline, Under, Dash, Slash, High, Trig, Word uint64
}

func (m *Masks) block(i int) block {
	return block{m.Digit[i], m.HexAF[i], m.Letter[i], m.Dot[i], m.Colon[i], m.At[i], m.Newline[i], m.Under[i], m.Dash[i], m.Slash[i], m.High[i], m.Trig[i], m.Word[i]}
}

// slow says the same as a kernel, byte by byte.
func slow(b []byte, at int) (blk block) {
	for i := range 64 {
		c := b[at+i]
		bit := uint64(1) << i
		l := c | 0x20
		letter := l >= 'a' && l <= 'z' && c < 0x80
		switch {
		case c >= '0' && c <= '9':
			blk.Digit |= bit
		case letter:
			blk.Letter |= bit
			if l <= 'f' {
				blk.HexAF |= bit
			}
		case c == '.':
			blk.Dot |= bit
		case c == ':':
			blk.Colon |= bit
		case c == '@':
			blk.At |= bit
		case c == '\n':
			blk.Newline |= bit
		case c == '_':
			blk.Under |= bit
		case c == '-':
			blk.Dash |= bit
		case c == '/':
			blk.Slash |= bit
		case c >= 0x80 || c == 0x1b || c == 0:
			blk.High |= bit
		}
	}
	return blk
}

func kernels() []Kernel {
	k := []Kernel{Portable}
	for _, fast := range []Kernel{AVX2, AVX512} {
		if Available(fast) {
			k = append(k, fast)
		}
	}
	return k
}

func TestKernelsEqualTheOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range kernels() {
		for range 200 {
			text := randomText(r, 64*4+Slack)
			dst := new(Masks)
			dst.Fill(k, 4, text, testNeedles, testWords)
			for i := range 4 {
				got := dst.block(i)
				want := slow(text, i*64)
				trig, words := got.Trig, got.Word
				got.Trig, got.Word = 0, 0
				if got != want {
					t.Fatalf("%v: block %d of %q\n got %+v\nwant %+v", k, i, text, got, want)
				}
				for j := range 64 {
					p := text[i*64+j:]
					hit := false
					for _, n := range []string{"key", "://", "$6$"} {
						hit = hit || bytes.EqualFold(p[:3], []byte(n))
					}
					for _, n := range []string{"pass", "toke", "----", "\xd0\xbf\xd0\xb0", "\xe5\xaf\x86\xe7"} {
						hit = hit || len(p) >= 4 && (bytes.EqualFold(p[:4], []byte(n)))
					}
					for _, n := range testWordTexts {
						if bytes.EqualFold(p[:3], []byte(n[:3])) && words>>j&1 == 0 {
							t.Fatalf("%v: word at %d of %q has no bit", k, i*64+j, text)
						}
					}
					if hit && trig>>j&1 == 0 {
						t.Fatalf("%v: needle at %d of %q has no bit", k, i*64+j, text)
					}
				}
			}
		}
	}
}

func TestTransposeTwiceIsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		var x [8]uint64
		for i := range x {
			x[i] = r.Uint64()
		}
		x2 := x
		transposeBytes(&x2)
		if byte(x2[2]>>24) != byte(x[3]>>16) {
			t.Fatal("rows are not columns")
		}
		transposeBytes(&x2)
		if x2 != x {
			t.Fatalf("%x does not come back", x)
		}
	}
}

func FuzzKernels(f *testing.F) {
	f.Add([]byte("password=foo\n10.0.0.1 $6$salt$hash"))
	f.Fuzz(func(t *testing.T, in []byte) {
		text := append(bytes.Clone(in), make([]byte, 64+Slack)...)
		n := len(in)/64 + 1
		if n > MaxBlocks {
			return
		}
		a, b := new(Masks), new(Masks)
		a.Fill(Portable, n, text, testNeedles, testWords)
		for _, k := range kernels()[1:] {
			b.Fill(k, n, text, testNeedles, testWords)
			for i := range n {
				x, y := a.block(i), b.block(i)
				for j := range 64 {
					p := text[i*64+j:]
					if len(p) >= 4 && bytes.EqualFold(p[:4], []byte("pass")) && (x.Trig&y.Trig)>>j&1 == 0 {
						t.Fatalf("%v: a kernel misses a needle", k)
					}
				}
				x.Trig, y.Trig, x.Word, y.Word = 0, 0, 0, 0
				if x != y {
					t.Fatalf("%v: block %d differs", k, i)
				}
			}
			sameFound(t, k, a, n)
		}
	})
}

func BenchmarkFill(b *testing.B) {
	text := bytes.Repeat([]byte("2024-03-04T05:06:07.890Z INFO  [main] c.a.shop.Config - loaded 42 keys from 10.1.2.3\n"), 200)
	n := (len(text) - Slack) / 64
	dst := new(Masks)
	for _, k := range kernels() {
		b.Run(k.String(), func(b *testing.B) {
			b.SetBytes(int64(n * 64))
			for b.Loop() {
				dst.Fill(k, n, text, testNeedles, testWords)
			}
		})
	}
}
