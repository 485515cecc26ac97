package challenge

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/plugins/auth/challenge/code"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
)

// 10,000 guesses: half of them signed by keys that are made up, half of them the
// right response with one character changed. None gets in.
func TestTenThousandGuesses(t *testing.T) {
	key, set := vendor(t)
	m := method(t, set)
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	for i := range 10_000 {
		p := &caller{answer: func(challenge string, _ int) string {
			if i%2 == 0 {
				_, made, _ := ed25519.GenerateKey(rand.Reader)
				signer, err := ssh.NewSignerFromKey(made)
				if err != nil {
					t.Fatal(err)
				}
				return engineer(t, signer, challenge)
			}
			text := []byte(engineer(t, key, challenge))
			for n := mathrand.IntN(len(text)); ; n = mathrand.IntN(len(text)) {
				if d := digits[mathrand.IntN(len(digits))]; text[n] != ' ' && text[n] != '\n' && text[n] != '-' && text[n] != d {
					text[n] = d
					return string(text)
				}
			}
		}}
		id, err := m.Authenticate(t.Context(), auth.Request{Host: "sa"}, p)
		if id.User != "" || !errors.Is(err, auth.BadLogin) && !errors.Is(err, failure.Cancelled) {
			t.Fatalf("guess %d: %+v, %v", i, id, err)
		}
		if i%2 == 0 && !errors.Is(err, code.ErrUnknown) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
}
