package link

import (
	"bytes"
	"crypto/tls"
	"io"
	"testing"
	"time"
)

// TLS can be left where both want that and nobody stands between.
func TestPasses(t *testing.T) {
	for name, c := range map[string]struct {
		version uint16
		change  func(*testRelay, *Dialer)
		want    bool
	}{
		"both want it":               {tls.VersionTLS13, func(*testRelay, *Dialer) {}, true},
		"the client does not":        {tls.VersionTLS13, func(_ *testRelay, d *Dialer) { d.Pass = false }, false},
		"the relay does not":         {tls.VersionTLS13, func(r *testRelay, _ *Dialer) { r.accept.Pass = false }, false},
		"an older TLS":               {tls.VersionTLS12, func(*testRelay, *Dialer) {}, false},
		"frames, the client's wish":  {tls.VersionTLS13, func(_ *testRelay, d *Dialer) { d.StayFramed = true }, false},
		"frames, the relay's wish":   {tls.VersionTLS13, func(r *testRelay, _ *Dialer) { r.accept.AllowRaw = false }, false},
		"frames, where TLS is ended": {tls.VersionTLS13, func(r *testRelay, d *Dialer) { between(t, r, d) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t, func(cfg *tls.Config) { cfg.MaxVersion = c.version })
			r.accept.Pass = true
			d := Dialer{Pass: true}
			c.change(r, &d)
			near, far := r.link(t, d)
			if near.Passes() != c.want || far.Passes() != c.want {
				t.Fatalf("near %v, far %v, want %v", near.Passes(), far.Passes(), c.want)
			}
			exchange(t, near, far)
			if !c.want {
				return
			}
			for _, way := range []struct{ from, to *Conn }{{near, far}, {far, near}} {
				if _, err := way.from.Write([]byte("the last word")); err != nil {
					t.Fatal(err)
				}
				if err := way.from.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				way.from.Below().SetWriteDeadline(time.Time{})
				if _, err := way.from.Below().Write([]byte("below")); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(way.to)
				if err != nil || string(got) != "the last word" {
					t.Fatalf("within TLS: %q, %v", got, err)
				}
				b := make([]byte, 5)
				if _, err := io.ReadFull(io.MultiReader(bytes.NewReader(way.to.Rest()), way.to.Below()), b); err != nil || string(b) != "below" {
					t.Errorf("below: %q, %v", b, err)
				}
			}
		})
	}
}

// Who asked and does not leave it after all loses nothing.
func TestStays(t *testing.T) {
	r := newRelay(t)
	r.accept.Pass = true
	near, far := r.link(t, Dialer{Pass: true})
	exchange(t, near, far)
	near.Stay()
	far.Stay()
	exchange(t, near, far)
	if near.Passes() {
		t.Error("it could still be left")
	}
}

// between leads a client over a box that inspects TLS.
func between(t *testing.T, r *testRelay, d *Dialer) {
	t.Helper()
	box := newAuthority(t, "Corporate Inspection CA")
	c, err := r.client(t, inspector(t, box, r)).TrustToo(box.pool)
	if err != nil {
		t.Fatal(err)
	}
	d.Client = c
}
