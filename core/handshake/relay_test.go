package handshake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// relay is ours turned bad: it sees every message of a handshake in clear and
// passes on what it likes.
type relay struct {
	// up and down get each message with its number in that direction, and
	// return what is passed on; nil passes nothing.
	up, down func(n int, m []byte) []byte

	pumps     sync.WaitGroup // done when both connections have ended
	mu        sync.Mutex
	said      []byte // all that went over it
	ups, dows [][]byte
}

// meet lets both sides meet over the relay.
func (r *relay) meet(t testing.TB, w *world, o ClientOptions) (e, s *Conn, ee, se error) {
	t.Helper()
	near, rn := net.Pipe()
	rf, far := net.Pipe()
	pump := func(from, to net.Conn, change func(int, []byte) []byte, keep *[][]byte) {
		r.pumps.Go(func() {
			defer to.Close()
			for n := 0; ; n++ {
				m, err := wholeMessage(from)
				if err != nil {
					return
				}
				r.mu.Lock()
				r.said = append(r.said, m...)
				*keep = append(*keep, bytes.Clone(m))
				if change != nil {
					m = change(n, m)
				}
				r.mu.Unlock()
				if _, err := to.Write(m); err != nil {
					return
				}
			}
		})
	}
	pump(rn, rf, r.up, &r.ups)
	pump(rf, rn, r.down, &r.dows)
	e, s, ee, se = w.meet(t, o, near, far)
	t.Cleanup(func() { rn.Close(); rf.Close(); r.pumps.Wait() })
	return
}

func wholeMessage(r io.Reader) ([]byte, error) {
	m := make([]byte, headSize)
	if _, err := io.ReadFull(r, m); err != nil {
		return nil, err
	}
	m = append(m, make([]byte, int(m[1])<<8|int(m[2]))...)
	_, err := io.ReadFull(r, m[headSize:])
	return m, err
}

// edit changes the JSON of the first message in one direction.
func edit(change func(map[string]any)) func(int, []byte) []byte {
	return func(n int, m []byte) []byte {
		if n != 0 {
			return m
		}
		var v map[string]any
		if err := json.Unmarshal(m[headSize:], &v); err != nil {
			panic(err)
		}
		change(v)
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return appendMessage(nil, kind(m[0]), b)
	}
}

func set(name string, value any) func(map[string]any) {
	return func(v map[string]any) { v[name] = value }
}

// enrol makes w's engineer an enrolled one.
func enrol(t testing.TB, w *world) ClientOptions {
	t.Helper()
	e, _ := w.must(t, w.client)
	o := w.client
	en := e.Enrolment()
	o.Secret, o.Enrolment = nil, &en
	return o
}

// Whatever field the relay changes, nobody gets in, and the engineer or the
// system says what was noticed. REQ A9
func TestRelayChangesAField(t *testing.T) {
	w := newWorld(t)
	otherCA := signer(t)
	mallory := signer(t)
	bobs := certificate(t, w.ca, mallory.PublicKey(), func(c *ssh.Certificate) { c.KeyId = "bob@vendor" })
	forged := certificate(t, otherCA, mallory.PublicKey(), nil)
	for _, c := range []struct {
		what             string
		up, down         func(map[string]any)
		engineer, system Code // expected of either; empty for any
	}{
		{what: "host key", down: set("host_key", formatKey(mallory.PublicKey())), engineer: CodeSecret},
		{what: "end of the session", down: set("expires", time.Now().Add(1000*time.Hour).UTC()), engineer: CodeSecret},
		{what: "policy", down: set("policy", "sha256:ff"), engineer: CodeSecret},
		{what: "session", down: set("session", "ses-OTHER"), engineer: CodeSecret},
		{what: "system", down: set("system", "sys-OTHER"), engineer: CodeSystem},
		{what: "nonce of the system", down: set("nonce", make([]byte, nonceSize)), engineer: CodeSecret},
		{what: "version of the system", down: set("v", 0), engineer: CodeVersion},
		{what: "a newer version of the system", down: set("v", 2), engineer: CodeVersion},
		{what: "an unknown member", down: set("compress", true), engineer: CodeMalformed},
		{what: "version of the engineer", up: set("v", 0), system: CodeVersion},
		{what: "mode", up: set("mode", "enrolled")},
		{what: "a mode that does not exist", up: set("mode", "open"), system: CodeMalformed},
		{what: "another engineer's good certificate", up: set("certificate", formatKey(bobs)), engineer: CodeSecret},
		{what: "a certificate of another CA", up: set("certificate", formatKey(forged)), engineer: CodeCertificate, system: CodeCertificate},
		{what: "the bare key", up: set("certificate", formatKey(mallory.PublicKey())), engineer: CodeCertificate},
		{what: "case", up: set("case", "CS-1"), engineer: CodeSecret},
		{what: "case with control characters", up: set("case", "\x1b]0;x\a"), engineer: CodeClaim},
		{what: "witness", up: set("witness", formatKey(mallory.PublicKey())), engineer: CodeSecret},
		{what: "nonce of the engineer", up: set("nonce", make([]byte, nonceSize)), engineer: CodeSecret},
		{what: "order of members only", up: func(map[string]any) {}, engineer: CodeSecret},
	} {
		for _, mode := range []string{ModeSecret, ModeEnrolled} {
			t.Run(c.what+" "+mode, func(t *testing.T) {
				if err := w.gate.Replace([]byte(theSecret)); err != nil {
					t.Fatal(err)
				}
				o := w.client
				if mode == ModeEnrolled {
					o = enrol(t, w)
				}
				r := &relay{}
				if c.up != nil {
					r.up = edit(c.up)
				}
				if c.down != nil {
					r.down = edit(c.down)
				}
				_, _, ee, se := r.meet(t, w, o)
				if se == nil {
					t.Fatalf("the system lets somebody in; the engineer: %v", ee)
				}
				if ee == nil {
					t.Fatalf("the engineer takes it for the system; that: %v", se)
				}
				if mode == ModeEnrolled {
					// The proof goes with the claim: the system notices first.
					if codeOf(ee) == "" && codeOf(se) == "" {
						t.Errorf("nobody says what it was: %v; %v", ee, se)
					}
					return
				}
				if c.engineer != "" && codeOf(ee) != c.engineer || c.system != "" && codeOf(se) != c.system {
					t.Errorf("engineer: %v (want %s); system: %v (want %s)", ee, c.engineer, se, c.system)
				}
			})
		}
	}
}

// Every byte of every message: changed, the handshake fails on both sides.
func TestRelayFlipsEachByte(t *testing.T) {
	w := newWorld(t)
	enrolled := enrol(t, w)
	for _, o := range []ClientOptions{w.client, enrolled} {
		var lengths [2][]int
		w.hangUp = false
		plain := &relay{}
		e, s, ee, se := plain.meet(t, w, o)
		if ee != nil || se != nil {
			t.Fatal(ee, se)
		}
		e.Close()
		s.Close()
		plain.pumps.Wait() // all that was said is noted
		plain.mu.Lock()
		for i, ms := range [][][]byte{plain.ups, plain.dows} {
			for _, m := range ms {
				lengths[i] = append(lengths[i], len(m))
			}
		}
		plain.mu.Unlock()
		tried := 0
		w.hangUp = true
		for way := range lengths {
			for number, length := range lengths[way] {
				// All of what is short, a sample of the JSON.
				step := max(1, length/40)
				for at := headSize; at < length; at += step {
					w.gate.Replace([]byte(theSecret))
					flip := func(n int, m []byte) []byte {
						if n == number {
							m[at] ^= 1 << (at % 8)
						}
						return m
					}
					r := &relay{}
					if way == 0 {
						r.up = flip
					} else {
						r.down = flip
					}
					e, s, ee, se := r.meet(t, w, o)
					// The last message of either side may be found out
					// after the other was already sure.
					if ee == nil && se == nil {
						t.Fatalf("way %d, message %d, byte %d is not noticed", way, number, at)
					}
					if ee == nil && se != nil && way == 1 || se == nil && ee != nil && way == 0 {
						t.Fatalf("way %d, message %d, byte %d: engineer %v, system %v", way, number, at, ee, se)
					}
					for _, c := range []*Conn{e, s} {
						if c != nil {
							c.Close()
						}
					}
					tried++
				}
			}
		}
		if tried < 150 {
			t.Errorf("only %d bytes were tried", tried)
		}
	}
}

// A relay that connects by itself has one guess a connection, counted on disk
// before it is answered, three in all, and however many connections it makes at
// once. REQ A9
func TestRelayGuesses(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	counted, answered := 0, 0
	gate, err := New([]byte(theSecret), GateOptions{
		Counter: func() error {
			mu.Lock()
			defer mu.Unlock()
			counted++
			return nil
		},
		Burnt: func() { w.burnt.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.gate = gate
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			o := w.client
			o.Secret = typed("ABC-DEF-GHJ")
			r := &relay{down: func(n int, m []byte) []byte {
				if kind(m[0]) == kindAnswer {
					mu.Lock()
					defer mu.Unlock()
					if answered++; answered > counted {
						t.Error("an answer went out before it was counted")
					}
				}
				return m
			}}
			_, _, ee, se := r.meet(t, w, o)
			for _, err := range []error{ee, se} {
				switch codeOf(err) {
				case CodeSecret, CodeBusy, CodeBurnt:
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if answered > Tries || counted > Tries {
		t.Errorf("%d guesses were answered, %d counted", answered, counted)
	}
	// Those that were turned away because others were under way come again.
	o := w.client
	o.Secret = typed("ABC-DEF-GHJ")
	for range Tries {
		near, far := net.Pipe()
		w.meet(t, o, near, far)
	}
	near, far := net.Pipe()
	_, _, _, se := w.meet(t, w.client, near, far)
	if codeOf(se) != CodeBurnt || counted != Tries || w.burnt.Load() != 1 {
		t.Errorf("then the right one: %v, %d counted, burnt %d times", se, counted, w.burnt.Load())
	}
	if gate.secret != nil {
		t.Error("the secret is still in memory")
	}
}

// A guesser that hangs up as soon as it has the answer does not get away with it.
func TestHangingUpIsCounted(t *testing.T) {
	w := newWorld(t)
	for i := range Tries {
		r := &relay{up: func(n int, m []byte) []byte {
			if kind(m[0]) == kindProof {
				return nil
			}
			return m
		}}
		r.down = func(n int, m []byte) []byte { return m }
		near, rn := net.Pipe()
		rf, far := net.Pipe()
		go func() { // passes on until the answer, then is gone
			for range 2 {
				m, _ := wholeMessage(rn)
				rf.Write(m)
			}
		}()
		go func() {
			m, _ := wholeMessage(rf)
			rn.Write(m)
			wholeMessage(rf)
			rf.Close()
			rn.Close()
		}()
		_, _, _, se := w.meet(t, w.client, near, far)
		var e *Error
		if !errors.As(se, &e) || !e.Attempt {
			t.Fatalf("%d: %v", i, se)
		}
	}
	if usable, _ := w.gate.State(); usable || w.burnt.Load() != 1 {
		t.Error("three guesses, and the secret is still good")
	}
}

// What cannot be a guess costs no try.
func TestNoiseIsNotCounted(t *testing.T) {
	w := newWorld(t)
	for _, up := range []func(int, []byte) []byte{
		func(n int, m []byte) []byte { return appendMessage(nil, kindClaim, []byte("{}")) },
		func(n int, m []byte) []byte {
			if kind(m[0]) == kindShare {
				clear(m[headSize:]) // the neutral element
			}
			return m
		},
		edit(set("certificate", "ssh-ed25519 AAAA")),
	} {
		_, _, _, se := (&relay{up: up}).meet(t, w, w.client)
		if se == nil {
			t.Fatal("let in")
		}
	}
	if w.counted.Load() != 0 {
		t.Errorf("%d counted", w.counted.Load())
	}
}

// If the attempt cannot be written down there is no answer.
func TestNoAnswerWithoutCount(t *testing.T) {
	w := newWorld(t)
	var err error
	w.gate, err = New([]byte(theSecret), GateOptions{Counter: func() error { return errors.New("disk full") }})
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{}
	_, _, ee, se := r.meet(t, w, w.client)
	if se == nil || ee == nil || codeOf(ee) != CodeInternal {
		t.Errorf("engineer: %v, system: %v", ee, se)
	}
	for _, m := range r.dows {
		if kind(m[0]) == kindAnswer {
			t.Error("there was an answer")
		}
	}
	// And the attempt is free again.
	if g := w.gate; g.open != 0 || g.wrong != 0 {
		t.Errorf("%d open, %d wrong", g.open, g.wrong)
	}
}

// A relay that stands in for the system learns nothing: it cannot finish, and
// the engineer's proof never leaves him.
func TestRelayPlaysTheSystem(t *testing.T) {
	w := newWorld(t)
	fake := newWorld(t)
	fake.ca, fake.server.SupportCA = w.ca, w.ca.PublicKey()
	gate, err := New([]byte("a guess of the relay"), GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fake.gate = gate
	for _, o := range []ClientOptions{w.client, enrol(t, w)} {
		r := &relay{}
		_, _, ee, se := r.meet(t, fake, o)
		if se == nil || ee == nil {
			t.Fatal("the relay is taken for the system")
		}
		if o.Secret != nil {
			if codeOf(ee) != CodeSecret {
				t.Error(ee)
			}
			for _, m := range r.ups {
				if kind(m[0]) == kindProof {
					t.Error("the engineer proved himself to the relay")
				}
			}
		}
	}
}

// What one run sent is worth nothing in another.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	for _, o := range []ClientOptions{w.client, enrol(t, w)} {
		first := &relay{}
		e, s, ee, se := first.meet(t, w, o)
		if ee != nil || se != nil {
			t.Fatal(ee, se)
		}
		e.Close()
		s.Close()
		// All of the engineer's side again.
		near, far := net.Pipe()
		done := make(chan error, 1)
		go func() {
			_, err := w.gate.Accept(t.Context(), far, w.server)
			done <- err
		}()
		go io.Copy(io.Discard, near)
		for _, m := range first.ups {
			near.Write(m)
		}
		near.Close()
		if err := <-done; err == nil {
			t.Error("the system takes a recording for the engineer")
		}
		// All of the system's side again.
		near, far = net.Pipe()
		go io.Copy(io.Discard, far)
		go func() {
			for _, m := range first.dows {
				far.Write(m)
			}
			far.Close()
		}()
		if _, err := Connect(t.Context(), near, o); err == nil {
			t.Error("the engineer takes a recording for the system")
		}
		w.gate.Replace([]byte(theSecret))
	}
}

// Two engineers at once: the relay crosses the lines.
func TestTwoSessionsAreMixed(t *testing.T) {
	w := newWorld(t)
	w.hangUp = true
	for number := range 3 {
		w.gate.Replace([]byte(theSecret))
		kept := map[int]chan []byte{0: make(chan []byte, 1), 1: make(chan []byte, 1)}
		cross := func(me int) func(int, []byte) []byte {
			return func(n int, m []byte) []byte {
				if n != number {
					return m
				}
				kept[me] <- bytes.Clone(m)
				select {
				case other := <-kept[1-me]:
					return other
				case <-time.After(5 * time.Second):
					return m
				}
			}
		}
		var all sync.WaitGroup
		errs := make([][2]error, 2)
		for me := range 2 {
			all.Go(func() {
				o := w.client
				o.Case = []string{"CS-1", "CS-2"}[me]
				r := &relay{up: cross(me)}
				_, _, ee, se := r.meet(t, w, o)
				errs[me] = [2]error{ee, se}
			})
		}
		all.Wait()
		for me, e := range errs {
			if e[1] == nil || number < 2 && e[0] == nil {
				t.Errorf("message %d, engineer %d: %v, %v", number, me, e[0], e[1])
			}
		}
	}
}

// The engineer gets his own messages back, and the system its own.
func TestReflection(t *testing.T) {
	w := newWorld(t)
	r := &relay{}
	r.down = func(n int, m []byte) []byte {
		if kind(m[0]) == kindAnswer { // the engineer's share with any proof
			copy(m[headSize:], r.ups[1][headSize:])
		}
		return m
	}
	if _, _, ee, _ := r.meet(t, w, w.client); ee == nil {
		t.Error("the engineer talks to himself")
	}
	e, s := w.must(t, w.client)
	near, far := net.Pipe()
	// A sealed message comes back to who sent it.
	e.raw, s.raw = near, far
	go e.Send(Request{Open: true})
	m, err := wholeMessage(far)
	if err != nil {
		t.Fatal(err)
	}
	go far.Write(m)
	var q Request
	if err := e.Receive(&q); err == nil {
		t.Error("the engineer takes his own message")
	}
}

// Sealed messages: changed, doubled, left out, swapped, cut.
func TestSealedMessages(t *testing.T) {
	for what, meddle := range map[string]func(ms [][]byte) [][]byte{
		"doubled":  func(ms [][]byte) [][]byte { return [][]byte{ms[0], ms[0]} },
		"left out": func(ms [][]byte) [][]byte { return [][]byte{ms[1], ms[2]} },
		"swapped":  func(ms [][]byte) [][]byte { return [][]byte{ms[1], ms[0]} },
		"changed":  func(ms [][]byte) [][]byte { ms[0][headSize+3] ^= 4; return ms },
		"cut":      func(ms [][]byte) [][]byte { return [][]byte{ms[0], ms[1][:len(ms[1])-1]} },
		"shorter": func(ms [][]byte) [][]byte {
			return [][]byte{appendMessage(nil, kindSealed, ms[0][headSize:len(ms[0])-1])}
		},
		"of another type": func(ms [][]byte) [][]byte { ms[0][0] = byte(kindRefuse); return ms },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			e, s := w.must(t, w.client)
			near, far := net.Pipe()
			e.raw = near
			go func() {
				for i := range 3 {
					e.Send(Reply{Type: Waiting, Why: string(rune('a' + i))})
				}
			}()
			var ms [][]byte
			for range 3 {
				m, err := wholeMessage(far)
				if err != nil {
					t.Fatal(err)
				}
				ms = append(ms, m)
			}
			in, out := net.Pipe()
			s.raw = out
			go func() {
				for _, m := range meddle(ms) {
					in.Write(m)
				}
				in.Close()
			}()
			var err error
			n := 0
			for ; err == nil; n++ {
				var r Reply
				err = s.Receive(&r)
				if err == nil && r.Why != string(rune('a'+n)) {
					t.Errorf("message %d is %q", n, r.Why)
				}
			}
			if n > 2 {
				t.Errorf("%d messages, %v", n, err)
			}
		})
	}
}
