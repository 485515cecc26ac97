package revoke

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

func newKey(t testing.TB) ssh.Signer {
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

func sign(t testing.TB, ca ssh.Signer, number uint64, what ...string) []byte {
	t.Helper()
	l := List{Number: number, Issued: time.Now()}
	for _, w := range what {
		l.Revoked = append(l.Revoked, Entry{What: w, Since: time.Now().UTC(), Reason: "laptop stolen"})
	}
	raw, err := Sign(ca, l)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestFind(t *testing.T) {
	ca, key := newKey(t), newKey(t).PublicKey()
	cert := &ssh.Certificate{Key: key, Serial: 1<<63 + 7, KeyId: "ada"}
	for _, what := range []string{"serial:9223372036854775815", "name:ada", "key:" + ssh.FingerprintSHA256(key)} {
		l, err := Parse(sign(t, ca, 1, "name:bob", what), ca.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		if e, found := l.Find(cert); !found || e.What != what || e.Reason != "laptop stolen" {
			t.Errorf("%s: %+v, %v", what, e, found)
		}
	}
	l, err := Parse(sign(t, ca, 1, "name:ad", "name:adaa", "serial:7", "key:"+ssh.FingerprintSHA256(ca.PublicKey())), ca.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	if e, found := l.Find(cert); found {
		t.Errorf("%+v names it", e)
	}
	if _, found := (*List)(nil).Find(cert); found {
		t.Error("no list names it")
	}
}

// A list that a relay replays, forges, changes or makes of two is not taken, and
// the one that is known stays.
func TestHostileCarrier(t *testing.T) {
	ca := newKey(t)
	b := Open(filepath.Join(t.TempDir(), "revocations.json"))
	if l, err := b.Current(ca.PublicKey()); l != nil || err != nil {
		t.Fatalf("at first: %v, %v", l, err)
	}
	five, seven := sign(t, ca, 5, "name:ada"), sign(t, ca, 7, "name:ada", "name:bob")
	for i, raw := range [][]byte{five, seven, seven} {
		if _, changed, err := b.Take(raw, ca.PublicKey()); err != nil || changed != (i < 2) {
			t.Fatalf("%d: %v, %v", i, changed, err)
		}
	}
	other := newKey(t)
	as, err := identity.Sign(ca, "latchstring-request", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		raw  []byte
		want error
	}{
		"an older one":               {five, ErrOlder},
		"another of that number":     {sign(t, ca, 7), ErrOther},
		"forged":                     {sign(t, other, 8), nil},
		"changed":                    {[]byte(strings.Replace(string(seven), "bob", "eve", 1)), nil},
		"with another number":        {[]byte(strings.Replace(string(seven), `\"number\":7`, `\"number\":9`, 1)), nil},
		"nothing":                    {nil, nil},
		"something behind it":        {append(append([]byte{}, sign(t, ca, 8)...), "{}"...), nil},
		"a signature of another use": {[]byte(`{"list":"{}","signature":` + quote(string(as)) + `}`), nil},
		"too large":                  {[]byte(`{"list":"` + strings.Repeat("x", MaxFile) + `"}`), nil},
	} {
		_, changed, err := b.Take(tt.raw, ca.PublicKey())
		if err == nil || changed || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v", name, changed, err)
		}
	}
	l, err := Open(b.Path()).Current(ca.PublicKey())
	if err != nil || l == nil || l.Number != 7 || len(l.Revoked) != 2 {
		t.Errorf("what is known is %+v, %v", l, err)
	}
	// What is around the list was not signed, and makes no other of it.
	if _, changed, err := b.Take([]byte(strings.Replace(string(seven), `{"list":`, `{ "list": `, 1)), ca.PublicKey()); err != nil || changed {
		t.Errorf("the same in other spaces: %v, %v", changed, err)
	}
	// Another vendor begins anew.
	if l, err := b.Current(other.PublicKey()); l != nil || err != nil {
		t.Errorf("of another vendor: %v, %v", l, err)
	}
	if _, _, err := b.Take(sign(t, other, 1), other.PublicKey()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(b.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"` }

func TestSignRefuses(t *testing.T) {
	for name, l := range map[string]List{
		"no number": {Issued: time.Now()}, "no time": {Number: 1},
		"a word":   {Number: 1, Issued: time.Now(), Revoked: []Entry{{What: "ada"}}},
		"a serial": {Number: 1, Issued: time.Now(), Revoked: []Entry{{What: "serial:0x7"}}},
		"a key":    {Number: 1, Issued: time.Now(), Revoked: []Entry{{What: "key:SHA256:short"}}},
		"a name":   {Number: 1, Issued: time.Now(), Revoked: []Entry{{What: "name:a\nb"}}},
		"a reason": {Number: 1, Issued: time.Now(), Revoked: []Entry{{What: "name:a", Reason: "\x1b[2J"}}},
		"too much": {Number: 1, Issued: time.Now(), Revoked: make([]Entry, maxEntries+1)},
	} {
		if _, err := Sign(newKey(t), l); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	ca := newKey(f)
	f.Add(sign(f, ca, 3, "name:ada"))
	f.Add([]byte(`{"list":"{}","signature":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if l, err := Parse(raw, ca.PublicKey()); err == nil && l.check() != nil {
			t.Errorf("took %+v", l)
		}
	})
}
