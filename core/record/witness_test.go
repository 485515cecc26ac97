package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// witnessed starts a recording with a witness, whose key it returns.
func (f fixture) witnessed(t *testing.T, id string, change ...func(*Options)) (*Recording, ssh.Signer) {
	t.Helper()
	eng := newSigner(t)
	r := f.start(t, id, append(change, func(o *Options) { o.Witness = eng.PublicKey() })...)
	return r, eng
}

// REQ E1 E8. The engineer's client counter-signs the end, and the closing record
// holds that.
func TestWitnessedToTheEnd(t *testing.T) {
	f := newFixture(t)
	const id = "con-end00001"
	r, eng := f.witnessed(t, id)
	must(t, r.Output(0, []byte("secret of the house\r\n")))
	head, err := r.Finish("the engineer left")
	must(t, err)
	if again, err := r.Finish("for another reason"); err != nil || again != head {
		t.Errorf("again: %v, %v", again, err)
	}
	if err := r.Output(0, []byte("x")); err != ErrClosed {
		t.Errorf("output behind the end: %v", err)
	}
	if err := r.Note(Note{Kind: Command}); err != ErrClosed {
		t.Errorf("a note behind the end: %v", err)
	}
	sig, err := SignEnd(eng, head)
	must(t, err)
	must(t, r.WitnessEnd(head, sig))
	sum, err := r.Close("not this reason")
	must(t, err)
	if !sum.WitnessedEnd || sum.Witnessed != head.Segment+1 || sum.Unwitnessed != "" || sum.Reason != "the engineer left" || sum.Head.Segment != head.Segment+1 {
		t.Errorf("summary %+v", sum)
	}
	check := f.check()
	check.ToTheEnd = true
	rep, err := Verify(f.path(id), check)
	if err != nil || !rep.WitnessedEnd || rep.Witnessing.Text() != "counter-signed to the end" {
		t.Errorf("%v, %+v", err, rep)
	}
	if got, err := Summarize(f.path(id), f.age); err != nil || got.Witnessing != sum.Witnessing {
		t.Errorf("%v, %+v", err, got.Witnessing)
	}
}

// What does not hold is not taken, and the closing record says that the end is
// not counter-signed, and why.
func TestUnwitnessed(t *testing.T) {
	f := newFixture(t)
	const id = "con-end00002"
	r, eng := f.witnessed(t, id)
	must(t, r.Output(0, []byte("a")))
	r.expire()
	if r.settle(waitHead(r, 0)) != nil {
		t.Fatal("it is not sealed")
	}
	early := r.Head()
	sig, err := SignEnd(eng, early)
	must(t, err)
	if err := r.WitnessEnd(early, sig); err == nil || !strings.Contains(err.Error(), "not its end") {
		t.Errorf("an end before the end: %v", err)
	}
	plain, err := SignHead(eng, early)
	must(t, err)
	must(t, r.Witness(early, plain))
	must(t, r.Output(0, []byte("b")))
	head, err := r.Finish("cut")
	must(t, err)
	foreign, err := SignEnd(newSigner(t), head)
	must(t, err)
	plain, err = SignHead(eng, head)
	must(t, err)
	for name, s := range map[string][]byte{"of another key": foreign, "that says nothing of an end": plain, "of another head": sig, "of nobody": nil} {
		if err := r.WitnessEnd(head, s); err == nil {
			t.Errorf("a signature %s is taken", name)
		}
	}
	r.Unwitnessed("the signature of the engineer's client does not hold")
	sum, err := r.Close("")
	must(t, err)
	const want = "counter-signed up to segment 0, not to the end: the signature of the engineer's client does not hold"
	if sum.Witnessing.Text() != want {
		t.Errorf("summary: %s", sum.Witnessing.Text())
	}
	check := f.check()
	rep, err := Verify(f.path(id), check)
	if err != nil || rep.Witnessing.Text() != want {
		t.Errorf("%v, %s", err, rep.Witnessing.Text())
	}
	check.ToTheEnd = true
	_, err = Verify(f.path(id), check)
	noticed(t, err, want)
}

func waitHead(r *Recording, n int) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		for r.Head().Segment < n {
			time.Sleep(time.Millisecond)
		}
		close(done)
	}()
	return done
}

// Whoever has the key of the system can cut the tail of a recording off and
// close it anew. The engineer's signature of the end is then missing, and none
// that he gave before can be put in its place.
func TestCutTail(t *testing.T) {
	f := newFixture(t)
	const id = "con-end00003"
	r, eng := f.witnessed(t, id)
	var all []Head
	var signed [][]byte
	for n := range 4 {
		must(t, r.Output(0, []byte{byte('a' + n)}))
		r.expire()
		must(t, r.settle(waitHead(r, n)))
		sig, err := SignHead(eng, r.Head())
		must(t, err)
		must(t, r.Witness(r.Head(), sig))
		all, signed = append(all, r.Head()), append(signed, sig)
	}
	head, err := r.Finish("the engineer left")
	must(t, err)
	end, err := SignEnd(eng, head)
	must(t, err)
	must(t, r.WitnessEnd(head, end))
	sum, err := r.Close("")
	must(t, err)
	whole := f.path(id)

	for _, tt := range []struct {
		name    string
		keep    int // segments
		records bool
		counter *Counter
		want    string // "": it holds, not to the end
	}{
		{"with the last plain signature", 3, false, &Counter{Segment: 2, Signature: string(signed[2])}, ""},
		{"with none", 3, false, nil, ""},
		{"a plain one called the end", 3, false, &Counter{Segment: 2, End: true, Signature: string(signed[2])}, "the counter-signature of segment 2"},
		{"the end of another state", 3, false, &Counter{Segment: 2, End: true, Signature: string(end)}, "the counter-signature of segment 2"},
		{"the end that is not there", 3, false, &Counter{Segment: 4, End: true, Signature: string(end)}, "which comes later"},
		{"more behind the end", 5, true, &Counter{Segment: 4, End: true, Signature: string(end)}, "1 records stand behind the end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := f
			g.dir = t.TempDir()
			dir := g.path(id)
			must(t, os.Mkdir(dir, 0o700))
			c := &chain{id: id, dir: dir, signer: f.signer, recipients: []age.Recipient{f.age.Recipient()}, next: tt.keep, prev: append(all, head)[tt.keep-1].Hash}
			var total tally
			for n := range tt.keep {
				copyFile(t, filepath.Join(whole, segmentName(n, sealedExt)), filepath.Join(dir, segmentName(n, sealedExt)))
				s, err := readSegment(dir, n)
				must(t, err)
				total.output, total.notes, total.last = total.output+s.Output, total.notes+s.Notes, s.Last.UnixMicro()
			}
			p := &pending{n: tt.keep, tally: tally{first: total.last, last: total.last}, end: &End{Output: total.output, Notes: total.notes}}
			if tt.records {
				fr := frame{kind: frameOutput, micros: total.last, payload: []byte("x")}
				p.plain = appendFrame(nil, fr)
				p.tally.add(fr)
				p.end.Output++
			}
			_, err := c.seal([]*pending{p}, tt.counter)
			must(t, err)
			check := f.check()
			rep, err := Verify(dir, check)
			if tt.want != "" {
				noticed(t, err, tt.want)
				return
			}
			if err != nil || rep.WitnessedEnd {
				t.Fatalf("%v, %+v", err, rep)
			}
			check.ToTheEnd = true
			_, err = Verify(dir, check)
			noticed(t, err, "not to the end")
			check.ToTheEnd, check.Anchors = false, []Head{sum.Head}
			_, err = Verify(dir, check)
			noticed(t, err, "it was there when its head was kept")
		})
	}
}

// The signature of the end is that of the last segment but one: what was put
// behind it, and closed anew, has none.
func TestLongerThanSigned(t *testing.T) {
	f := newFixture(t)
	const id = "con-end00004"
	r, eng := f.witnessed(t, id)
	head, err := r.Finish("done")
	must(t, err)
	end, err := SignEnd(eng, head)
	must(t, err)
	must(t, r.WitnessEnd(head, end))
	_, err = r.Close("")
	must(t, err)
	must(t, os.Remove(f.file(id, 1)))
	c := &chain{id: id, dir: f.path(id), signer: f.signer, recipients: []age.Recipient{f.age.Recipient()}, next: 1, prev: head.Hash}
	_, err = c.seal([]*pending{{n: 1}}, &Counter{Segment: 0, End: true, Signature: string(end)})
	must(t, err)
	_, err = c.seal([]*pending{{n: 2, end: &End{Notes: 1}}}, nil)
	must(t, err)
	_, err = Verify(f.path(id), f.check())
	noticed(t, err, "segment 1: what is counter-signed is that segment 0 is the last, and more was recorded")
}

// A crash between the end and the closing record is told as one.
func TestCrashBeforeClosing(t *testing.T) {
	f := newFixture(t)
	const id = "con-end00005"
	r, _ := f.witnessed(t, id)
	_, err := r.Finish("done")
	must(t, err)
	r.crash()
	_, err = Recover(f.dir, f.recovery())
	must(t, err)
	rep, err := Verify(f.path(id), f.check())
	if err != nil || rep.WitnessedEnd || rep.Unwitnessed != Crashed {
		t.Errorf("%v, %+v", err, rep)
	}
}

// A disk that hangs when the last file is to be made, or the next, ends nobody's
// patience (REQ J2).
func TestHungOpen(t *testing.T) {
	for name, do := range map[string]func(*Recording) error{
		"close":  func(r *Recording) error { _, err := r.Close("cut"); return err },
		"finish": func(r *Recording) error { _, err := r.Finish("cut"); return err },
		"output": func(r *Recording) error { return r.Output(0, []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := "con-open-" + name
			hangs, back := make(chan struct{}), make(chan struct{})
			files := 0
			r := f.start(t, id, func(o *Options) {
				o.patience = 100 * time.Millisecond
				o.create = func(path string) (*os.File, error) {
					if files++; files > 1 {
						<-hangs
						defer close(back)
					}
					return createFile(path)
				}
			})
			r.expire() // so that another file is needed
			began := time.Now()
			if err := do(r); err == nil || !strings.Contains(err.Error(), "the disk does not answer") {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			close(hangs)
			<-back
			sum, err := r.Close("cut")
			if err == nil || sum.Failed == "" {
				t.Errorf("after it: %v, %+v", err, sum)
			}
			select {
			case <-r.let:
			case <-time.After(5 * time.Second):
				t.Fatal("it does not let go of the directory when the disk is back")
			}
			if _, err := Recover(f.dir, f.recovery()); err != nil {
				t.Error(err)
			}
			rep, err := Verify(f.path(id), f.check())
			if err != nil || rep.End == nil || rep.End.Failed == "" {
				t.Errorf("%v, %+v", err, rep)
			}
		})
	}
}
