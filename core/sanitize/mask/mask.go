package mask

import "golang.org/x/sys/cpu"

// Masks has a word for each class of characters and each block of 64 bytes; bit
// 0 is the first byte.
type Masks struct {
	_       [8]uint64 // zero: what is before the first block
	Digit   Plane
	HexAF   Plane // a-f A-F
	Letter  Plane
	Dot     Plane
	Colon   Plane
	At      Plane
	Newline Plane
	Under   Plane
	Dash    Plane
	Slash   Plane
	High    Plane // bytes from 0x80, ESC and NUL
	Trig    Plane
	Word    Plane // one of the words may begin here; see Words
	Token   Plane // what tokens are made of, but for + = and ~; made by Find
	Label   Plane // letters, digits and - . _; made by Find
}

// Plane has the words of one class. The kernels work on eight at a time; the last
// of all is always zero.
type Plane [MaxBlocks + 14]uint64

// From returns the bits of 64 places from i on.
func (p *Plane) From(i int) uint64 {
	b, sh := uint(i)/Size, uint(i)%Size
	return p[b]>>sh | p[b+1]<<1<<(Size-1-sh)
}

// MaxBlocks is how many blocks are described at once.
const MaxBlocks = 1026

// Size is how many bytes a block has.
const Size = 64

// Slack is how many bytes behind the last block must be readable.
const Slack = 3

// Kernel chooses the implementation.
type Kernel uint8

// Kernels.
const (
	Portable Kernel = iota
	AVX2
	AVX512 // with its permutations of bytes (VBMI) and shifts over two words (VBMI2)
)

var best = Best()

// Best is the fastest kernel of this machine.
func Best() Kernel {
	switch {
	case !haveAVX2 || !cpu.X86.HasAVX2:
		return Portable
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512VBMI2:
		return AVX512
	}
	return AVX2
}

// Available tells whether a kernel runs on this machine.
func Available(k Kernel) bool { return k <= Best() }

func (k Kernel) String() string {
	switch k {
	case AVX512:
		return "avx512"
	case AVX2:
		return "avx2"
	}
	return "portable"
}

// Fill describes src[:64*n] in the first n words of m. src has Slack more bytes
// than that. words may be nil.
func (m *Masks) Fill(k Kernel, n int, src []byte, needles *Needles, words *Words) {
	if n == 0 {
		return
	}
	_ = src[n*Size+Slack-1]
	_ = m.Digit[:MaxBlocks][n-1]
	pairs := &needles.pairs
	if words == nil {
		words = &noWords
	} else {
		pairs = &words.pairs
	}
	switch k = min(k, best); k {
	case AVX512:
		fillAVX512(&m.Digit, &src[0], n, &needles.wide, &words.wide)
	case AVX2:
		fillAVX2(&m.Digit, &src[0], n, &needles.tables, words)
	default:
		fillPortable(m, n, src, pairs)
	}
	for i := n; i%8 != 0; i++ {
		m.Digit[i], m.HexAF[i], m.Letter[i], m.Dot[i], m.Colon[i], m.At[i], m.Newline[i] = 0, 0, 0, 0, 0, 0, 0
		m.Under[i], m.Dash[i], m.Slash[i], m.High[i], m.Word[i] = 0, 0, 0, 0, 0
	}
}

// bits of the two class bytes, from the top: the order of the planes of Masks,
// but for the letters, which are two rectangles of nibbles.
const (
	digitBit, hexBit, letter1Bit, letter2Bit, dotBit, colonBit, atBit, newlineBit = 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 3, 1 << 2, 1 << 1, 1 << 0
	underBit, dashBit, slashBit, escBit, nulBit                                   = 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 3
)

var class1, class2 = classes()

func classes() (class1, class2 [256]byte) {
	for c := range 256 {
		b := byte(c)
		l := b | 0x20
		switch {
		case b >= '0' && b <= '9':
			class1[c] |= digitBit
		case l >= 'a' && l <= 'o' && b >= 'A':
			class1[c] |= letter1Bit
			if l <= 'f' {
				class1[c] |= hexBit
			}
		case l >= 'p' && l <= 'z' && b >= 'A':
			class1[c] |= letter2Bit
		case b == '.':
			class1[c] |= dotBit
		case b == ':':
			class1[c] |= colonBit
		case b == '@':
			class1[c] |= atBit
		case b == '\n':
			class1[c] |= newlineBit
		case b == '_':
			class2[c] |= underBit
		case b == '-':
			class2[c] |= dashBit
		case b == '/':
			class2[c] |= slashBit
		case b == 0x1b:
			class2[c] |= escBit
		case b == 0:
			class2[c] |= nulBit
		}
	}
	return class1, class2
}
