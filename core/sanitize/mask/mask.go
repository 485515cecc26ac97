package mask

import "golang.org/x/sys/cpu"

// Block has a bit for each of 64 bytes; bit 0 is the first.
type Block struct {
	Digit   uint64
	HexAF   uint64 // a-f A-F
	Letter  uint64
	Dot     uint64
	Colon   uint64
	At      uint64
	Newline uint64
	Under   uint64
	Dash    uint64
	Slash   uint64
	High    uint64 // bytes from 0x80, ESC and NUL
	Trig    uint64
	Word    uint64 // one of the words may begin here; see Words
}

// Size is how many bytes a Block describes.
const Size = 64

// Slack is how many bytes behind the last block must be readable.
const Slack = 3

// Kernel chooses the implementation.
type Kernel uint8

// Kernels.
const (
	Portable Kernel = iota
	AVX2
	AVX512 // with its byte permutations (VBMI)
)

var best = Best()

// Best is the fastest kernel of this machine.
func Best() Kernel {
	switch {
	case !haveAVX2 || !cpu.X86.HasAVX2:
		return Portable
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI:
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

// Fill describes src[:64*len(dst)] in dst. src has Slack more bytes than that.
// words may be nil.
func Fill(k Kernel, dst []Block, src []byte, needles *Needles, words *Words) {
	if len(dst) == 0 {
		return
	}
	_ = src[len(dst)*Size+Slack-1]
	pairs := &needles.pairs
	if words == nil {
		words = &noWords
	} else {
		pairs = &words.pairs
	}
	switch k = min(k, best); k {
	case AVX512:
		fillAVX512(&dst[0], &src[0], len(dst), &needles.wide, &words.wide)
	case AVX2:
		fillAVX2(&dst[0], &src[0], len(dst), &needles.tables, words)
	default:
		fillPortable(dst, src, pairs)
	}
}

// bits of the two class bytes, from the top: the order of the words of Block,
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
