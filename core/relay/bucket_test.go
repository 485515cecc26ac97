package relay_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/blob/s3store"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// inBucket makes a relay keep its blobs in an S3 store.
func inBucket(t *testing.T) func(*relaytest.Relay) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("blobs"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(srv.Close)
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("aws_access_key_id=a\naws_secret_access_key=b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := s3store.Open("s3://blobs/rss?region=us-east-1&lookup=path&endpoint=" + srv.URL + "&credentials=" + keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return func(r *relaytest.Relay) {
		before := r.Change
		r.Change = func(o *relay.Options) {
			if o.Blobs = s; before != nil {
				before(o)
			}
		}
	}
}
