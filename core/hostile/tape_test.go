package hostile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net"
	"testing"
)

// A search that finds nothing proves something only if it finds what is there.
func TestTapeFinds(t *testing.T) {
	const needle = "K7M2Q9XPT-canary"
	for what, text := range map[string]string{
		"plain":     "xx" + needle + "yy",
		"backwards": "yranac-TPX9Q2M7K",
		"digits":    hex.EncodeToString([]byte("abc" + needle)),
		"lower":     "xk7m2q9xpt-canaryx",
		"utf16":     string(utf16([]byte("a" + needle))),
	} {
		tp := &tape{}
		tp.add(tp.reel("x"), []byte(text))
		if tp.find(needle) == "" {
			t.Errorf("%s is not found", what)
		}
	}
	for before := range 7 {
		for after := range 4 {
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
				tp := &tape{}
				tp.add(tp.reel("x"), []byte(enc.EncodeToString([]byte("abcdefg"[:before]+needle+"xyz"[:after]))))
				if tp.find(needle) == "" {
					t.Errorf("in base64 behind %d, before %d bytes it is not found", before, after)
				}
			}
		}
	}
	tp := &tape{}
	tp.add(tp.reel("x"), bytes.Repeat([]byte("nothing of the kind "), 1000))
	if where := tp.find(needle); where != "" {
		t.Errorf("found %s", where)
	}
}

// Both directions are kept, and in pieces.
func TestTaped(t *testing.T) {
	a, b := net.Pipe()
	tp := &tape{}
	c := tp.conn(a, "a line")
	go func() {
		b.Write([]byte("sec"))
		b.Write([]byte("ret-one"))
		b.Read(make([]byte, 16))
	}()
	for range 2 {
		c.Read(make([]byte, 16))
	}
	c.Write([]byte("secret-two"))
	if tp.find("secret-one") == "" || tp.find("secret-two") == "" || tp.size() != 20 {
		t.Errorf("%d bytes are kept", tp.size())
	}
}

// Units are read back as they were, and frames begin behind the sealed message.
func TestUnits(t *testing.T) {
	var b []byte
	b = append(b, message(claim, []byte("{}"))...)
	b = append(b, message(share, make([]byte, 32))...)
	b = append(b, message(sealed, make([]byte, 40))...)
	b = append(b, frame(data, 7, []byte("hello"))...)
	b = append(b, frame(ack, 9, nil)...)
	in := reader{r: bytes.NewReader(b), up: true}
	var got []byte
	for _, want := range []struct {
		kind  byte
		frame bool
		n     int
	}{{claim, false, 0}, {share, false, 1}, {sealed, false, 2}, {data, true, 0}, {ack, true, 1}} {
		u, err := in.next()
		if err != nil || u.kind != want.kind || u.frame != want.frame || u.n != want.n || !u.up {
			t.Fatalf("%+v, %v, want %+v", u, err, want)
		}
		if u.frame && u.kind == data && (u.position() != 7 || string(u.payload()) != "hello") {
			t.Errorf("%+v", u)
		}
		got = append(got, u.b...)
	}
	if !bytes.Equal(got, b) {
		t.Error("it was changed")
	}
	if _, err := in.next(); err == nil {
		t.Error("something behind the end")
	}
}

// A case that fails, or cannot be made, does not hold; nor does one after which
// the relay has seen what it must not.
func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(*world) (string, error)
		want Verdict
	}{
		"good":      {func(*world) (string, error) { return "fine", nil }, Holds},
		"broken":    {func(*world) (string, error) { return "", errNoAnswer }, Broken},
		"untested":  {func(*world) (string, error) { return "", untested{errNoAnswer} }, NotTested},
		"leaked":    {func(w *world) (string, error) { w.tape.add(w.tape.reel("x"), []byte(w.told)); return "fine", nil }, Broken},
		"smuggled":  {func(w *world) (string, error) { w.let++; return "fine", nil }, Broken},
		"a visitor": {func(w *world) (string, error) { err := w.honest(); w.let = 0; return "fine", err }, Broken},
	} {
		t.Run(name, func(t *testing.T) {
			r := Case{Name: name, run: c.run}.do(t.Context(), t.TempDir())
			if r.Verdict != c.want {
				t.Errorf("%s: %s", r.Verdict, r.Happened)
			}
		})
	}
}
