package sanitize

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/latchstring/latchstring/core/sanitize/scan"
)

// What a stream remembers of pseudonyms is what it would be told, however the
// entries push each other out, and it is counted alike.
func TestStandIns(t *testing.T) {
	s, err := New(Options{Key: &Key{3}})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var buf bytes.Buffer
	var ids []scan.Ident
	add := func(text string, what scan.What) {
		ids = append(ids, scan.Ident{Start: buf.Len(), End: buf.Len() + len(text), What: what})
		buf.WriteString(text)
	}
	const letters = "abcdefghij-.XYZ0123456789:@"
	for range 4000 {
		n := 2 + r.IntN(12)
		if r.IntN(20) == 0 {
			n = 40 + r.IntN(60)
		}
		word := make([]byte, n)
		for i := range word {
			word[i] = letters[r.IntN(len(letters))]
		}
		for _, what := range []scan.What{scan.Host, scan.User, scan.Email, scan.MAC, scan.IPv6} {
			add(string(word), what)
		}
	}
	for _, text := range []string{"localhost", "de:ad:be:ef:00:01", "DE-AD-BE-EF-00-01", "2001:db8::1", "ff02::1", "web.example.com", "WEB.example.com"} {
		for _, what := range []scan.What{scan.Host, scan.MAC, scan.IPv6} {
			add(text, what)
		}
	}
	st := newStream(s)
	st.mapper = s.mapper
	copy(st.buf, buf.Bytes())
	if buf.Len() > bufferSize {
		st.buf = append(buf.Bytes(), make([]byte, 128)...)
	}
	changed := 0
	for range 20000 {
		id := ids[r.IntN(len(ids))]
		if r.IntN(2) == 0 {
			id = ids[r.IntN(len(ids))%50]
		}
		text := st.buf[id.Start:id.End]
		want := s.appendPseudonym(nil, text, id)
		st.out = st.out[:0]
		st.pseudonym(id)
		if !bytes.Equal(st.out, want) {
			t.Fatalf("%v %q: %q, want %q", id.What, text, st.out, want)
		}
		if !bytes.Equal(text, want) {
			changed++
		}
	}
	counted := 0
	for _, n := range st.tally.idents {
		counted += n
	}
	if counted != changed {
		t.Errorf("counted %d, changed %d", counted, changed)
	}
}
