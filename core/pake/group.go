package pake

import (
	"crypto/sha512"

	"github.com/bwesterb/go-ristretto"
)

// generator sets g to the element that password, channel and session stand
// for: calculate_generator of the draft.
func generator(g *ristretto.Point, in Input) {
	s := generatorString(in)
	g.DeriveDalek(s) // RFC 9496's element derivation over SHA-512
	clear(s)
}

// generatorString fills the first block of the hash with nothing but the
// password and zeros, so that its time does not tell how long the password is.
func generatorString(in Input) []byte {
	pad := max(0, sha512.BlockSize-lenPrepended(len(in.Password))-lenPrepended(len(dsi))-1)
	return lvCat([]byte(dsi), in.Password, make([]byte, pad), in.Channel, in.Session)
}

// multiply sets out to the encoding of s times the element that in encodes. It
// reports false for what encodes no element, and for the neutral one:
// scalar_mult_vfy of the draft.
func multiply(out *[ShareSize]byte, s *ristretto.Scalar, in [ShareSize]byte) bool {
	var p, q ristretto.Point
	if !p.SetBytes(&in) {
		return false
	}
	q.ScalarMult(&p, s)
	q.BytesInto(out)
	clearPoint(&q)
	return *out != [ShareSize]byte{}
}

func clearPoint(p *ristretto.Point) { *p = ristretto.Point{} }
