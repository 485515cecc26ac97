package pake

import (
	"fmt"
	"testing"

	"github.com/bwesterb/go-ristretto"
)

// Who took part with one guess and keeps everything, his own scalar included,
// cannot try a second one at home: not even the right secret fits what he has.
func TestOneGuessARun(t *testing.T) {
	var y ristretto.Scalar
	y.Rand()
	guess := base
	guess.Password = []byte("GUESS0001")
	attacker, err := newExchange(Initiator, guess, &y)
	if err != nil {
		t.Fatal(err)
	}
	system := start(t, Responder, base)
	sent, answer := string(attacker.Share()), string(system.Share())
	tag := finish(t, system, "offer", sent, "claim").Tag()

	candidates := []string{string(base.Password), "GUESS0001"}
	for i := range 200 {
		candidates = append(candidates, fmt.Sprintf("GUESS%04d", i+2))
	}
	for _, c := range candidates {
		in := base
		in.Password = []byte(c)
		again, err := newExchange(Initiator, in, &y)
		if err != nil {
			t.Fatal(err)
		}
		// As if he had guessed so from the beginning, with the share that
		// belongs to it and with the one that he has sent.
		for _, share := range []string{string(again.Share()), sent} {
			e := &Exchange{role: Initiator, session: in.Session, share: [ShareSize]byte([]byte(share))}
			e.scalar.Set(&y)
			if finish(t, e, "claim", answer, "offer").Verify(tag) == nil {
				t.Errorf("candidate %s fits", c)
			}
		}
	}
}

// Who only listens sees shares that are as good as random: the same secret gives
// others each time, and none tells what it was made from.
func TestSharesTellNothing(t *testing.T) {
	seen := map[string]bool{}
	var g ristretto.Point
	generator(&g, base)
	for range 50 {
		s := string(start(t, Initiator, base).Share())
		if seen[s] || s == string(g.Bytes()) {
			t.Fatal("a share comes twice, or is the generator")
		}
		seen[s] = true
	}
}
