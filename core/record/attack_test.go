package record

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// file is segment n of a recording.
func (f fixture) file(id string, n int) string {
	return filepath.Join(f.path(id), segmentName(n, sealedExt))
}

func move(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.Rename(from, to))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}

// REQ E8. Each attack on a recording is noticed and named, also by somebody
// who has only the public key.
func TestAttacks(t *testing.T) {
	const id, n = "con-attack01", 5
	for _, tt := range []struct {
		name   string
		attack func(*testing.T, fixture)
		want   string
	}{
		{"drop the first", func(t *testing.T, f fixture) { must(t, os.Remove(f.file(id, 0))) }, "segment 0: it is missing"},
		{"drop one in the middle", func(t *testing.T, f fixture) { must(t, os.Remove(f.file(id, 2))) }, "segment 2: it is missing"},
		{"cut the tail", func(t *testing.T, f fixture) { must(t, os.Remove(f.file(id, n-1))) }, "ends without a closing record"},
		{"cut more of the tail", func(t *testing.T, f fixture) {
			must(t, os.Remove(f.file(id, n-1)))
			must(t, os.Remove(f.file(id, n-2)))
		}, "ends without a closing record"},
		{"drop one and close the gap", func(t *testing.T, f fixture) {
			for i := 2; i < n-1; i++ {
				move(t, f.file(id, i+1), f.file(id, i))
			}
		}, "segment 2: segment 3 stands in its place"},
		{"reorder", func(t *testing.T, f fixture) {
			move(t, f.file(id, 1), f.file(id, 9))
			move(t, f.file(id, 2), f.file(id, 1))
			move(t, f.file(id, 9), f.file(id, 2))
		}, "segment 1: segment 2 stands in its place"},
		{"duplicate", func(t *testing.T, f fixture) { copyFile(t, f.file(id, 1), f.file(id, 2)) }, "segment 2: segment 1 stands in its place"},
		{"add one behind the end", func(t *testing.T, f fixture) { copyFile(t, f.file(id, n-1), f.file(id, n)) }, "segment 5: segment 4 stands in its place"},
		{"swap with another recording", func(t *testing.T, f fixture) {
			f.made(t, "con-attack02", n)
			copyFile(t, f.file("con-attack02", 2), f.file(id, 2))
		}, "segment 2: it belongs to recording con-attack02"},
		{"another recording in its place", func(t *testing.T, f fixture) {
			f.made(t, "con-attack02", n)
			must(t, os.RemoveAll(f.path(id)))
			move(t, f.path("con-attack02"), f.path(id))
		}, "segment 0: it belongs to recording con-attack02"},
		{"forge with another key", func(t *testing.T, f fixture) {
			g := f
			g.dir, g.signer = t.TempDir(), newSigner(t)
			g.made(t, id, n)
			copyFile(t, g.file(id, 2), f.file(id, 2))
		}, "segment 2: signed by key"},
		{"another run of the same id", func(t *testing.T, f fixture) {
			g := f // an attacker who once had the key, and the signed pieces of then
			g.dir = t.TempDir()
			g.made(t, id, n)
			copyFile(t, g.file(id, 2), f.file(id, 2))
		}, "segment 2: it does not follow the segment before it"},
		{"an empty file", func(t *testing.T, f fixture) { must(t, os.WriteFile(f.file(id, 3), nil, 0o600)) }, "segment 3: it has no header"},
		{"a link", func(t *testing.T, f fixture) {
			move(t, f.file(id, 3), filepath.Join(f.dir, "x"))
			must(t, os.Symlink(filepath.Join(f.dir, "x"), f.file(id, 3)))
		}, "segment 3: "},
		{"everything", func(t *testing.T, f fixture) {
			for i := range n {
				must(t, os.Remove(f.file(id, i)))
			}
		}, "ends without a closing record"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.made(t, id, n)
			tt.attack(t, f)
			for _, ids := range [][]age.Identity{nil, {f.age}} {
				_, err := Verify(f.path(id), Check{Key: f.signer.PublicKey(), Identities: ids})
				noticed(t, err, tt.want)
			}
		})
	}
}

func noticed(t *testing.T, err error, want string) {
	t.Helper()
	var broken *BrokenError
	if !errors.As(err, &broken) || broken.ExitCode() != 4 {
		t.Fatalf("not noticed: %v", err)
	}
	var all []string
	for _, p := range broken.Problems {
		all = append(all, p.String())
	}
	if text := strings.Join(all, "\n"); !strings.Contains(text, want) {
		t.Errorf("it says\n%s\nand not %q", text, want)
	}
}

// Every single byte counts, also those of the signature.
func TestEveryByteCounts(t *testing.T) {
	f := newFixture(t)
	f.made(t, "con-bytes001", 3)
	path := f.file("con-bytes001", 1)
	good, err := os.ReadFile(path)
	must(t, err)
	check := Check{Key: f.signer.PublicKey()}
	parts, err := parseSegment(good)
	must(t, err)
	for i := range good {
		if i > len(good)-len(parts.sealed)+50 && i%7 > 0 {
			continue // one hash covers them all
		}
		bad := append([]byte(nil), good...)
		bad[i] ^= []byte{0x01, 0x20}[i%2] // another letter, the other case
		must(t, os.WriteFile(path, bad, 0o600))
		if _, err := Verify(f.path("con-bytes001"), check); err == nil {
			t.Fatalf("byte %d (%q) was changed unnoticed", i, good[i])
		}
	}
	for name, bad := range map[string][]byte{"cut": good[:len(good)-1], "longer": append(append([]byte(nil), good...), 0)} {
		must(t, os.WriteFile(path, bad, 0o600))
		if _, err := Verify(f.path("con-bytes001"), check); err == nil {
			t.Errorf("%s: unnoticed", name)
		}
	}
	must(t, os.WriteFile(path, good, 0o600))
	if _, err := Verify(f.path("con-bytes001"), check); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// Whoever holds the key of the system can make a shorter recording that holds
// by itself. Heads that were kept elsewhere (in the passport, by the engineer)
// tell it.
func TestRollback(t *testing.T) {
	f := newFixture(t)
	const id = "con-roll0001"
	sum := f.made(t, id, 5)
	must(t, os.RemoveAll(f.path(id)))
	f.made(t, id, 3)
	check := f.check()
	if _, err := Verify(f.path(id), check); err != nil {
		t.Fatalf("by itself it holds: %v", err)
	}
	check.Anchors = []Head{sum.Head}
	_, err := Verify(f.path(id), check)
	noticed(t, err, "segment 4: it was there when its head was kept")
	must(t, os.RemoveAll(f.path(id)))
	f.made(t, id, 5)
	_, err = Verify(f.path(id), check)
	noticed(t, err, "segment 4: it is not what it was")
}

// A counter-signature cannot be moved to where it does not belong: it is under
// the signature of the header.
func TestSegmentNamesWitnessOnly(t *testing.T) {
	f := newFixture(t)
	eng := newSigner(t)
	c := &chain{id: "con-wit00002", dir: f.path("con-wit00002"), signer: f.signer, recipients: []age.Recipient{f.age.Recipient()}, prev: zeroHash}
	must(t, os.MkdirAll(c.dir, 0o700))
	sig, err := SignHead(eng, Head{Recording: c.id, Segment: 0, Hash: zeroHash}) // of another chain
	must(t, err)
	first := &pending{begin: &Begin{Session: "ses-x", Witness: keyLine(eng.PublicKey())}}
	_, err = c.seal([]*pending{first}, nil)
	must(t, err)
	_, err = c.seal([]*pending{{n: 1, end: &End{}}}, &Counter{Segment: 0, Signature: string(sig)})
	must(t, err)
	_, err = Verify(c.dir, Check{Key: f.signer.PublicKey()})
	noticed(t, err, "segment 1: the counter-signature of segment 0")
}

// The oldest version is read for ever: testdata/con-golden01 was made by the
// first one.
func TestGolden(t *testing.T) {
	const dir = "testdata/con-golden01"
	id, err := age.ParseX25519Identity("AGE-SECRET-KEY-" + "1N36XTNHX8FXG3LXEV42CYNS8SCJ4770EL2803RUCWHQGDJZ28SJQVAPF7N")
	must(t, err)
	if os.Getenv("RECORD_MAKE_GOLDEN") != "" {
		must(t, os.RemoveAll(dir))
		f := fixture{dir: "testdata", signer: fixedSigner(t), age: id}
		eng := newSigner(t)
		sealed := make(chan Segment, 4)
		r := f.start(t, "con-golden01", func(o *Options) {
			o.Witness = eng.PublicKey()
			o.Ship = func(s Segment) { sealed <- s }
			o.Now = stepClock(0, time.Second, time.Millisecond, time.Millisecond, time.Second)
		})
		must(t, r.Resize(0, 100, 30))
		must(t, r.Note(Note{Kind: Shell}))
		r.expire()
		head := (<-sealed).Head
		sig, err := SignHead(eng, head)
		must(t, err)
		must(t, r.Witness(head, sig))
		must(t, r.Output(0, []byte("hello\r\n")))
		must(t, r.Note(Note{Kind: File, Path: "/tmp/x\xff", Direction: Download, Size: 3, SHA256: "ab"}))
		_, err = r.Close("done")
		must(t, err)
	}
	rep, err := Verify(dir, Check{Key: fixedSigner(t).PublicKey(), Identities: []age.Identity{id}})
	must(t, err)
	if rep.Segments != 2 || rep.Witnessed != 1 || !rep.Content || rep.Begin.Engineer != "ada" {
		t.Errorf("report %+v", rep)
	}
	rd, err := Open(dir, id)
	must(t, err)
	out, notes := read(t, rd)
	if out[0] != "hello\r\n" || len(notes) != 3 || notes[1].Path != "/tmp/x\xff" {
		t.Errorf("output %q, notes %+v", out[0], notes)
	}
}

func FuzzParseSegment(f *testing.F) {
	fx := newFixture(f)
	fx.made(f, "con-fuzz0001", 2)
	for i := range 2 {
		b, err := os.ReadFile(fx.file("con-fuzz0001", i))
		must(f, err)
		f.Add(b)
	}
	f.Add([]byte("{}\n-----END SSH SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSegment(b)
		if err == nil && s.size() != int64(len(b)) {
			t.Errorf("%d of %d bytes are accounted for", s.size(), len(b))
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add(appendFrame(nil, frame{kind: frameOutput, channel: 1, micros: 2, payload: []byte("x")}))
	f.Add(appendFrame(nil, frame{kind: frameResize, payload: []byte{1, 0, 2, 0}}))
	f.Add(appendFrame(nil, frame{kind: frameNote, payload: []byte(`{"kind":"exit"}`)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, ok := sound(b)
		if ok > len(b) {
			t.Fatal("more than there is")
		}
		_, _ = eachRecord(b, func(Record, error) bool { return true })
	})
}
