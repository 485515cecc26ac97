package handshake

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzOffer: whatever a relay writes instead of a system, the engineer's side
// ends with an error.
func FuzzOffer(f *testing.F) {
	w := newWorld(f)
	o := w.server.Offer
	o.V, o.Nonce = Version, make([]byte, nonceSize)
	b, err := json.Marshal(o)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(appendMessage(nil, kindOffer, b))
	f.Add(appendMessage(appendMessage(nil, kindOffer, b), kindAnswer, make([]byte, shareSize+proofSize)))
	f.Add(appendMessage(nil, kindRefuse, []byte(`{"code":"burnt","reason":"x"}`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		near, far := net.Pipe()
		go io.Copy(io.Discard, far)
		go func() {
			far.Write(in)
			far.Close()
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := Connect(ctx, near, w.client); err == nil {
			t.Fatal("the engineer takes it for a system")
		}
	})
}

// FuzzClaim: whatever arrives, the system lets nobody in and counts no more
// than it answers.
func FuzzClaim(f *testing.F) {
	w := newWorld(f)
	c := Claim{V: Version, Mode: ModeSecret, Certificate: formatKey(w.cert), Witness: formatKey(w.client.Witness), Nonce: make([]byte, nonceSize)}
	b, err := json.Marshal(c)
	if err != nil {
		f.Fatal(err)
	}
	claim := appendMessage(nil, kindClaim, b)
	f.Add(claim)
	f.Add(appendMessage(claim, kindShare, make([]byte, shareSize)))
	f.Add(appendMessage(appendMessage(claim, kindShare, bytes.Repeat([]byte{2}, shareSize)), kindProof, make([]byte, proofSize)))
	c.Mode, c.Enrolment = ModeEnrolled, "enr-1"
	if b, err = json.Marshal(c); err != nil {
		f.Fatal(err)
	}
	f.Add(appendMessage(appendMessage(appendMessage(nil, kindClaim, b), kindShare, make([]byte, shareSize)), kindProof, make([]byte, proofSize)))
	f.Fuzz(func(t *testing.T, in []byte) {
		near, far := net.Pipe()
		go io.Copy(io.Discard, near)
		go func() {
			near.Write(in)
			near.Close()
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := w.gate.Accept(ctx, far, w.server); err == nil {
			t.Fatal("the system lets it in")
		}
	})
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`{"code":"burnt","reason":"x"}`))
	f.Add([]byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
	ca := signer(f).PublicKey()
	f.Fuzz(func(t *testing.T, in []byte) {
		if o, err := parseOffer(in); err == nil && o.check() != nil {
			t.Error("an offer that does not hold")
		}
		if c, err := parseClaim(in); err == nil && !printable(c.Case, 200) {
			t.Error("a case that is no text")
		}
		if e := parseRefusal(in); !printable(e.Error(), 1024) {
			t.Errorf("%q", e.Error())
		}
		if _, err := checkCertificate(string(in), ca, nil, time.Now()); err == nil {
			t.Error("a certificate of nobody")
		}
	})
}
