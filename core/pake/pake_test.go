package pake

import (
	"bytes"
	"errors"
	"math/big"
	"testing"
)

var base = Input{Password: []byte("K7M2Q9XPT"), Channel: []byte("latchstring v1 system"), Session: []byte("once")}

func start(t *testing.T, r Role, in Input) *Exchange {
	t.Helper()
	e, err := New(r, in)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func finish(t *testing.T, e *Exchange, own, share, peer string) *Keys {
	t.Helper()
	k, err := e.Finish([]byte(own), []byte(share), []byte(peer))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestBothSidesAgree(t *testing.T) {
	a, b := start(t, Initiator, base), start(t, Responder, base)
	sa, sb := string(a.Share()), string(b.Share())
	ka, kb := finish(t, a, "claim", sb, "offer"), finish(t, b, "offer", sa, "claim")
	if !bytes.Equal(ka.Key(), kb.Key()) {
		t.Error("the keys differ")
	}
	if err := ka.Verify(kb.Tag()); err != nil {
		t.Error(err)
	}
	if err := kb.Verify(ka.Tag()); err != nil {
		t.Error(err)
	}
	if ka.Verify(ka.Tag()) == nil || kb.Verify(kb.Tag()) == nil {
		t.Error("a tag that is sent back is taken")
	}
	if err := ka.Verify(nil); !errors.Is(err, ErrConfirm) {
		t.Errorf("no tag at all: %v", err)
	}
	if _, err := a.Finish(nil, []byte(sb), nil); err == nil {
		t.Error("a run can be finished twice: a second guess for nothing")
	}
}

// Whatever one side sees differently, no tag fits. REQ A9
func TestAnyDifferenceIsNoticed(t *testing.T) {
	for _, c := range []struct {
		what     string
		in       Input
		ada, adb string
	}{
		{"password", Input{[]byte("K7M2Q9XPU"), base.Channel, base.Session}, "claim", "offer"},
		{"channel", Input{base.Password, []byte("latchstring v1 other"), base.Session}, "claim", "offer"},
		{"session", Input{base.Password, base.Channel, []byte("twice")}, "claim", "offer"},
		{"data of the initiator", base, "Claim", "offer"},
		{"data of the responder", base, "claim", "offer2"},
		{"data moved from one to the other", base, "claimo", "ffer"},
	} {
		t.Run(c.what, func(t *testing.T) {
			a, b := start(t, Initiator, base), start(t, Responder, c.in)
			sa, sb := string(a.Share()), string(b.Share())
			ka, kb := finish(t, a, "claim", sb, "offer"), finish(t, b, c.adb, sa, c.ada)
			if ka.Verify(kb.Tag()) == nil || kb.Verify(ka.Tag()) == nil {
				t.Error("not noticed")
			}
			if bytes.Equal(ka.Key(), kb.Key()) {
				t.Error("the keys are equal")
			}
		})
	}
}

// prime is the order of the field: 2^255 - 19.
var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// encodings that RFC 9496 refuses, made from a good one.
func encodings(good []byte) map[string][]byte {
	le := func(n *big.Int) []byte {
		b := n.FillBytes(make([]byte, 32))
		for i := range 16 {
			b[i], b[31-i] = b[31-i], b[i]
		}
		return b
	}
	s := new(big.Int).SetBytes(le(new(big.Int).SetBytes(good))) // turned round
	high := bytes.Clone(good)
	high[31] |= 0x80
	return map[string][]byte{
		"neutral element": make([]byte, 32),
		"negative":        le(new(big.Int).Sub(prime, s)),
		"high bit":        high,
		"one":             le(big.NewInt(1)),
		"the order":       le(prime),
		"above the order": le(new(big.Int).Add(prime, big.NewInt(2))),
		"minus one":       le(new(big.Int).Sub(prime, big.NewInt(1))),
		"all bits":        bytes.Repeat([]byte{0xff}, 32),
		"too short":       good[:31],
		"too long":        append(bytes.Clone(good), 0),
		"empty":           nil,
	}
}

func TestInvalidSharesEndTheRun(t *testing.T) {
	for what, bad := range encodings(start(t, Initiator, base).Share()) {
		for _, role := range []Role{Initiator, Responder} {
			e := start(t, role, base)
			if _, err := e.Finish([]byte("x"), bad, []byte("y")); !errors.Is(err, ErrShare) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	e := start(t, Initiator, base)
	if _, err := e.Finish([]byte("x"), e.Share(), []byte("x")); !errors.Is(err, ErrShare) {
		t.Errorf("our own share come back: %v", err)
	}
}

func TestMemoryIsCleared(t *testing.T) {
	e := start(t, Initiator, base)
	k := finish(t, e, "a", string(start(t, Responder, base).Share()), "b")
	if e.scalar.IsNonZeroI() != 0 {
		t.Error("the scalar is still there")
	}
	k.Clear()
	if k.isk != [KeySize]byte{} || bytes.ContainsFunc(k.mac[:], func(r rune) bool { return r != 0 }) {
		t.Error("a key is still there")
	}
	e = start(t, Initiator, base)
	e.Clear()
	if _, err := e.Finish(nil, start(t, Responder, base).Share(), nil); err == nil || e.scalar.IsNonZeroI() != 0 {
		t.Error("a run that was given up goes on")
	}
}

func TestNoEmptyPassword(t *testing.T) {
	if _, err := New(Initiator, Input{Channel: base.Channel}); err == nil {
		t.Error("a run without a password")
	}
}

func FuzzFinish(f *testing.F) {
	f.Add(make([]byte, 32), []byte("offer"))
	f.Add(bytes.Repeat([]byte{2}, 32), []byte{})
	f.Fuzz(func(t *testing.T, share, ad []byte) {
		e, err := New(Initiator, base)
		if err != nil {
			t.Fatal(err)
		}
		k, err := e.Finish([]byte("claim"), share, ad)
		if (k == nil) == (err == nil) {
			t.Fatalf("keys %v, error %v", k, err)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		x, _ := New(Initiator, base)
		y, _ := New(Responder, base)
		sx, sy := x.Share(), y.Share()
		kx, _ := x.Finish(nil, sy, nil)
		ky, _ := y.Finish(nil, sx, nil)
		if kx.Verify(ky.Tag()) != nil || ky.Verify(kx.Tag()) != nil {
			b.Fatal("the sides disagree")
		}
	}
}
