package record

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

func newSigner(t testing.TB) ssh.Signer {
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

// fixture is a customer: a system key and a key that reads recordings.
type fixture struct {
	dir    string
	signer ssh.Signer
	age    *age.X25519Identity
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return fixture{dir: t.TempDir(), signer: newSigner(t), age: id}
}

func (f fixture) options(id string) Options {
	return Options{
		Dir: f.dir, ID: id, Session: "ses-test0001", Engineer: "ada", Case: "C-4711", From: "192.0.2.7",
		Signer: f.signer, Recipients: []age.Recipient{f.age.Recipient()},
	}
}

func (f fixture) start(t testing.TB, id string, change ...func(*Options)) *Recording {
	t.Helper()
	o := f.options(id)
	for _, c := range change {
		c(&o)
	}
	r, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSmoke(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-smoke001")
	must(t, r.Resize(0, 100, 30))
	must(t, r.Output(0, []byte("hello\r\n")))
	must(t, r.Note(Note{Kind: Command, Command: "ls"}))
	sum, err := r.Close("the engineer left")
	must(t, err)
	if sum.Segments != 1 || sum.Commands != 1 || sum.Output != 7 || sum.Head.Segment != 0 {
		t.Errorf("summary %+v", sum)
	}
}

func BenchmarkOutput(b *testing.B) {
	for _, bm := range []struct {
		name string
		size int
	}{{"64B", 64}, {"32KiB", 32 << 10}} {
		b.Run(bm.name, func(b *testing.B) {
			f := newFixture(b)
			r := f.start(b, "con-bench001")
			p := make([]byte, bm.size)
			b.SetBytes(int64(bm.size))
			b.ReportAllocs()
			for b.Loop() {
				must(b, r.Output(0, p))
			}
			_, err := r.Close("done")
			must(b, err)
		})
	}
}
