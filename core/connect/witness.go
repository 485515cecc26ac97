package connect

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/connect/side"
	"github.com/latchstring/latchstring/core/record"
)

// newWitness makes the key that counter-signs the heads of the recording. It
// lives as long as the connection: the engineer's own key may need a touch for
// each signature.
func newWitness() (ssh.Signer, error) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make witness key: %w", err)
	}
	return ssh.NewSignerFromKey(priv)
}

// witnessing counter-signs what the system says of its recording.
type witnessing struct {
	key    ssh.Signer
	mu     sync.Mutex
	last   record.Head
	signed int
	over   bool // last was signed as the end
}

// errOver is a head that comes after the end was signed.
var errOver = errors.New("the system goes on with its recording after it said that it has ended")

// errOtherHead is a head that contradicts an earlier one: it is not signed.
var errOtherHead = errors.New("the system named two different states of its recording for the same moment")

// sign returns the counter-signature for the payload of a side.KindHead. Heads
// only go forward, and there is one recording a connection.
func (w *witnessing) sign(p []byte) ([]byte, error) { return w.counter(p, false) }

// end does the same for a side.KindEnd. After it nothing else is signed.
func (w *witnessing) end(p []byte) ([]byte, error) { return w.counter(p, true) }

func (w *witnessing) counter(p []byte, end bool) ([]byte, error) {
	h, err := side.ParseHead(p)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.signed > 0 && (h.Recording != w.last.Recording || h.Segment < w.last.Segment || h.Segment == w.last.Segment && h.Hash != w.last.Hash) {
		return nil, errOtherHead
	}
	if w.over && (h != w.last || !end) {
		return nil, errOver
	}
	sign := record.SignHead
	if end {
		sign = record.SignEnd
	}
	sig, err := sign(w.key, h)
	if err != nil {
		return nil, err
	}
	w.last, w.over = h, end
	w.signed++
	return side.EncodeCounter(side.Counter{Head: h, End: end, Signature: sig}), nil
}

// head is the last one that was signed, and whether as the end.
func (w *witnessing) head() (h record.Head, end, any bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.over, w.signed > 0
}
