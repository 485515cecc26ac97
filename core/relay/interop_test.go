package relay_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"path"
	"testing"

	"github.com/bdragon300/tusgo"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// withBearer logs requests in with a token that was fetched before.
type withBearer struct {
	rt    http.RoundTripper
	token string
}

func (w withBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+w.token)
	return w.rt.RoundTrip(r)
}

// A tus client of others uploads in two parts, with a look at the offset
// between them.
func TestOtherTusClient(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	c, _, vendor := systemClient(t, r, "array-7")
	if _, err := c.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 300<<10)
	rand.Read(body)
	u := newUpload(t, c, string(body))
	base, err := url.Parse("https://" + r.Address + api.PathUpload)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(vendor.CACert))
	other := tusgo.NewClient(&http.Client{Transport: withBearer{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, bearer(t, c)}}, base)
	if _, err := other.UpdateCapabilities(); err != nil {
		t.Fatal(err)
	}
	up := tusgo.Upload{}
	if _, err := other.CreateUpload(&up, int64(len(body)), false, u.meta); err != nil {
		t.Fatal(err)
	}
	s := tusgo.NewUploadStream(other, &up)
	if _, err := io.Copy(s, bytes.NewReader(body[:100<<10])); err != nil {
		t.Fatal(err)
	}
	s = tusgo.NewUploadStream(other, &up)
	if _, err := s.Sync(); err != nil || s.Tell() != 100<<10 {
		t.Fatalf("offset %d, %v; want %d", s.Tell(), err, 100<<10)
	}
	if _, err := io.Copy(s, bytes.NewReader(body[100<<10:])); err != nil {
		t.Fatal(err)
	}
	if _, err := u.receipt(path.Base(up.Location)); err != nil {
		t.Error(err)
	}
}
