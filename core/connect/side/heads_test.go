package side

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/record"
)

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// line is a stream with an engineer's program at its other end.
type line struct {
	lost   chan struct{}
	answer func(kind byte, p []byte)
	broken bool
}

func (l *line) Lost() <-chan struct{} { return l.lost }

func (l *line) Send(kind byte, p []byte) error {
	if l.broken {
		return errors.New("no connection")
	}
	go l.answer(kind, p)
	return nil
}

// REQ E1 E8. What becomes of the end of a recording for each way in which the
// engineer's program can behave.
func TestEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(h *Heads, l *line, own, foreign ssh.Signer, head record.Head)
		want   string
	}{
		{"signs", func(h *Heads, _ *line, own, _ ssh.Signer, head record.Head) {
			sig, _ := record.SignEnd(own, head)
			h.Side(KindWitness, EncodeCounter(Counter{Head: head, End: true, Signature: sig}))
		}, "counter-signed to the end"},
		{"forges", func(h *Heads, _ *line, _, foreign ssh.Signer, head record.Head) {
			sig, _ := record.SignEnd(foreign, head)
			h.Side(KindWitness, EncodeCounter(Counter{Head: head, End: true, Signature: sig}))
		}, "not counter-signed: what the engineer's client signed does not hold"},
		{"signs another head", func(h *Heads, _ *line, own, _ ssh.Signer, head record.Head) {
			head.Hash = strings.Repeat("0a", 32)
			sig, _ := record.SignEnd(own, head)
			h.Side(KindWitness, EncodeCounter(Counter{Head: head, End: true, Signature: sig}))
		}, "not counter-signed: what the engineer's client signed does not hold"},
		{"signs no end", func(h *Heads, _ *line, own, _ ssh.Signer, head record.Head) {
			sig, _ := record.SignHead(own, head)
			h.Side(KindWitness, EncodeCounter(Counter{Head: head, End: true, Signature: sig}))
		}, "not counter-signed: what the engineer's client signed does not hold"},
		{"answers as to any head", func(h *Heads, _ *line, own, _ ssh.Signer, head record.Head) {
			sig, _ := record.SignHead(own, head)
			h.Side(KindWitness, EncodeCounter(Counter{Head: head, Signature: sig}))
		}, "not counter-signed: the engineer's client did not answer within 200ms"},
		{"says rubbish", func(h *Heads, _ *line, _, _ ssh.Signer, _ record.Head) {
			h.Side(KindWitness, []byte("rubbish"))
			h.Side(7, nil)
		}, "not counter-signed: the engineer's client did not answer within 200ms"},
		{"is killed", func(_ *Heads, l *line, _, _ ssh.Signer, _ record.Head) { close(l.lost) }, "not counter-signed: the engineer's client was gone"},
		{"was gone", nil, "not counter-signed: the engineer's client was gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			own, foreign, system := newKey(t), newKey(t), newKey(t)
			id, err := age.GenerateX25519Identity()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			rec, err := record.Start(record.Options{Dir: dir, ID: "con-0123abcd", Session: "ses-x", Engineer: "ada", Signer: system, Recipients: []age.Recipient{id.Recipient()}, Witness: own.PublicKey()})
			if err != nil {
				t.Fatal(err)
			}
			h := NewHeads(rec, slog.New(slog.DiscardHandler))
			h.wait = 200 * time.Millisecond
			l := &line{lost: make(chan struct{}), broken: tt.answer == nil}
			if tt.want == "counter-signed to the end" {
				h.wait = EndWait
			}
			l.answer = func(kind byte, p []byte) {
				head, err := ParseHead(p)
				if kind != KindEnd || err != nil {
					t.Errorf("kind %d, %v", kind, err)
				}
				tt.answer(h, l, own, foreign, head)
			}
			sum, err := h.Close(l, "the engineer left")
			if err != nil || sum.Witnessing.Text() != tt.want {
				t.Errorf("%v, %s", err, sum.Witnessing.Text())
			}
			rep, err := record.Verify(filepath.Join(dir, "con-0123abcd"), record.Check{Key: system.PublicKey()})
			if err != nil || rep.Witnessing.Text() != tt.want || rep.End.Reason != "the engineer left" {
				t.Errorf("verify: %v, %s, %+v", err, rep.Witnessing.Text(), rep.End)
			}
		})
	}
}
