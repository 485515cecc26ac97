package pake

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/bwesterb/go-ristretto"
)

// octets are bytes that JSON has in hexadecimal.
type octets []byte

func (o *octets) UnmarshalText(b []byte) (err error) {
	*o, err = hex.DecodeString(string(b))
	return err
}

type vectors struct {
	Runs []struct {
		Name               string
		PRS, CI, Sid, G, K octets
		ScalarA            octets `json:"ya"`
		ScalarB            octets `json:"yb"`
		ADa, ADb, ISK_IR   octets
		ShareA             octets `json:"Ya"`
		ShareB             octets `json:"Yb"`
		GeneratorString    octets `json:"generator_string"`
	}
	Multiply struct {
		S       octets `json:"s"`
		X       octets `json:"X"`
		SX      octets `json:"sX"`
		Invalid []octets
	}
	LvCat []struct {
		In  []octets
		Out octets
	} `json:"lv_cat"`
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/cpace-ristretto255-sha512.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Runs) != 2 || len(v.Multiply.Invalid) != 2 || len(v.LvCat) != 2 {
		t.Fatalf("vectors are missing: %d runs, %d invalid points", len(v.Runs), len(v.Multiply.Invalid))
	}
	return v
}

func scalar(t *testing.T, b []byte) *ristretto.Scalar {
	t.Helper()
	var s ristretto.Scalar
	if !s.SetBytesStrict((*[32]byte)(b)) {
		t.Fatalf("scalar %x is not reduced", b)
	}
	return &s
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%x, want\n%x", what, got, want)
	}
}

func TestVectorsOfTheDraft(t *testing.T) {
	for _, v := range load(t).Runs {
		t.Run(v.Name, func(t *testing.T) {
			in := Input{Password: v.PRS, Channel: v.CI, Session: v.Sid}
			if v.GeneratorString != nil {
				equal(t, "generator string", generatorString(in), v.GeneratorString)
			}
			var g ristretto.Point
			generator(&g, in)
			equal(t, "generator", g.Bytes(), v.G)

			a, err := newExchange(Initiator, in, scalar(t, v.ScalarA))
			if err != nil {
				t.Fatal(err)
			}
			b, err := newExchange(Responder, in, scalar(t, v.ScalarB))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "Ya", a.Share(), v.ShareA)
			equal(t, "Yb", b.Share(), v.ShareB)
			var k [32]byte
			if !multiply(&k, scalar(t, v.ScalarA), [32]byte(v.ShareB)) {
				t.Fatal("Yb is refused")
			}
			equal(t, "K", k[:], v.K)

			ka, err := a.Finish(v.ADa, v.ShareB, v.ADb)
			if err != nil {
				t.Fatal(err)
			}
			kb, err := b.Finish(v.ADb, v.ShareA, v.ADa)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "ISK of the initiator", ka.Key(), v.ISK_IR)
			equal(t, "ISK of the responder", kb.Key(), v.ISK_IR)
		})
	}
}

func TestVectorsOfMultiplication(t *testing.T) {
	m := load(t).Multiply
	var out [32]byte
	if !multiply(&out, scalar(t, m.S), [32]byte(m.X)) {
		t.Fatal("a valid element is refused")
	}
	equal(t, "s*X", out[:], m.SX)
	for _, bad := range m.Invalid {
		if multiply(&out, scalar(t, m.S), [32]byte(bad)) {
			t.Errorf("%x is taken for an element", bad)
		}
	}
}

func TestVectorsOfEncoding(t *testing.T) {
	for _, v := range load(t).LvCat {
		var in [][]byte
		for _, p := range v.In {
			in = append(in, p)
		}
		equal(t, "lv_cat", lvCat(in...), v.Out)
	}
	// prepend_len of 127 and of 128 bytes, as the draft lists them.
	long := make([]byte, 128)
	for i := range long {
		long[i] = byte(i)
	}
	equal(t, "127 bytes", lvCat(long[:127]), append([]byte{0x7f}, long[:127]...))
	equal(t, "128 bytes", lvCat(long), append([]byte{0x80, 0x01}, long...))
	for _, n := range []int{0, 127, 128, 16383, 16384} {
		if got := len(lvCat(make([]byte, n))); got != lenPrepended(n) {
			t.Errorf("length of %d bytes with their length: %d, reckoned %d", n, got, lenPrepended(n))
		}
	}
}
