package connect

import (
	"errors"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/connect/side"
	"github.com/latchstring/latchstring/core/record"
)

// A system that says that it is over, and goes on, gets no signature any more;
// nor one that says it of something else.
func TestEndIsSignedOnce(t *testing.T) {
	key, err := newWitness()
	if err != nil {
		t.Fatal(err)
	}
	w := &witnessing{key: key}
	at := func(n int, hash string) []byte {
		return side.EncodeHead(record.Head{Recording: "con-0123abcd", Segment: n, Hash: strings.Repeat(hash, 32)})
	}
	if _, err := w.sign(at(1, "0a")); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string][]byte{"another state": at(1, "0b"), "back": at(0, "0a")} {
		if _, err := w.end(p); !errors.Is(err, errOtherHead) {
			t.Errorf("%s is signed as the end: %v", name, err)
		}
	}
	for range 2 { // it may have been lost on its way
		if _, err := w.end(at(2, "0c")); err != nil {
			t.Fatal(err)
		}
	}
	for name, err := range map[string]error{
		"plain": second(w.sign(at(2, "0c"))), "more": second(w.sign(at(3, "0d"))), "a later end": second(w.end(at(3, "0d"))),
	} {
		if !errors.Is(err, errOver) {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
	if h, end, any := w.head(); h.Segment != 2 || !end || !any {
		t.Errorf("%v, %v, %v", h, end, any)
	}
}

func second[T any](_ T, err error) error { return err }
