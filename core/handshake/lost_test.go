package handshake

import (
	"context"
	"errors"
	"net"
	"testing"
)

// A line that breaks is told from a refusal, and whether a try may be gone by it.
func TestBrokenLine(t *testing.T) {
	for stage, c := range map[string]struct {
		messages int // that the system says until it breaks
		guess    bool
	}{
		"before the offer": {0, false},
		"after the claim":  {1, true},
	} {
		w := newWorld(t)
		near, relay := net.Pipe()
		behind, far := net.Pipe()
		go w.gate.Accept(context.Background(), far, w.server)
		go func() {
			for range c.messages {
				b, err := readMessage(behind, kindOffer)
				if err != nil {
					return
				}
				relay.Write(appendMessage(nil, kindOffer, b))
				readMessage(relay, kindClaim)
				readMessage(relay, kindShare)
			}
			relay.Close()
			behind.Close()
		}()
		_, err := Connect(t.Context(), near, w.client)
		var lost *LostError
		if !errors.As(err, &lost) || lost.Guess != c.guess || lost.Hint() == "" {
			t.Errorf("%s: %v", stage, err)
		}
	}
}
