package s3store

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/latchstring/latchstring/core/relay/blob"
)

// fake is an S3 server in this process; change may alter requests, or answer
// them and return true.
func fake(t *testing.T, change func(http.ResponseWriter, *http.Request) bool) *Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("blobs"); err != nil {
		t.Fatal(err)
	}
	h := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if change == nil || !change(w, r) {
			h.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open("s3://blobs/rss/one?region=us-east-1&lookup=path&endpoint=" + srv.URL + "&ca=" + ca + "&credentials=" + keys(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keys(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	text := "[other]\naws_access_key_id = no\n[default]\naws_access_key_id = AKID\naws_secret_access_key=hunter2\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, s blob.Store, id string) []byte {
	t.Helper()
	f, size, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || int64(len(b)) != size {
		t.Fatalf("%d bytes of %d, %v", len(b), size, err)
	}
	return b
}

func TestStore(t *testing.T) {
	t.Parallel()
	s, ctx := fake(t, nil), t.Context()
	for range 3 {
		if err := s.Check(ctx); err != nil {
			t.Fatal(err)
		}
	}
	small, large := []byte("hello"), make([]byte, 12<<20)
	rand.Read(large)
	s.part = 5 << 20 // the smallest that S3 knows
	for id, data := range map[string][]byte{"rec-sys-con-0-ab": small, "bdl-1234": large} {
		path := file(t, data)
		if err := s.Adopt(ctx, id, path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the file is still where it came from: %v", err)
		}
		if err := s.Adopt(ctx, id, path); err != nil {
			t.Errorf("adopting again after a crash: %v", err)
		}
		if err := s.Adopt(ctx, id, file(t, data)); err != nil {
			t.Errorf("adopting the same again: %v", err)
		}
		if err := s.Adopt(ctx, id, file(t, append([]byte("x"), data...))); !errors.Is(err, fs.ErrExist) {
			t.Errorf("adopting something else: %v; want ErrExist", err)
		}
		if got := read(t, s, id); !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes that are not what was put", id, len(got))
		}
	}
	f, _, err := s.Open(ctx, "bdl-1234") // as a fetch goes on where it stopped
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tail := make([]byte, 100)
	if _, err := f.Seek(-100, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, tail); err != nil || !bytes.Equal(tail, large[len(large)-100:]) {
		t.Errorf("the end of a blob: %v", err)
	}
	for range 2 {
		if err := s.Delete(ctx, "bdl-1234"); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := s.Open(ctx, "bdl-1234"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing: %v", err)
	}
	if err := s.Adopt(ctx, "bdl-5678", filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Adopt of nothing: %v", err)
	}
	for _, id := range []string{"../outside", "", "a/b", "BDL-1", probe + "/x"} {
		if err := s.Adopt(ctx, id, file(t, small)); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Adopt(%q): %v; want ErrInvalid", id, err)
		}
	}
}

// Nodes that put the same name at the same time: one wins, whatever the order.
func TestOneWins(t *testing.T) {
	t.Parallel()
	s := fake(t, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[string]bool{}
	for _, text := range []string{"one", "two", "three", "four"} {
		path := file(t, []byte(text))
		wg.Go(func() {
			err := s.Adopt(t.Context(), "rec-sys-con-0-ab", path)
			if err != nil && !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			won[text] = err == nil
		})
	}
	wg.Wait()
	winner := string(read(t, s, "rec-sys-con-0-ab"))
	for text, ok := range won {
		if ok != (text == winner) {
			t.Errorf("%q is told %v, and %q is there", text, ok, winner)
		}
	}
}

// A store that ignores the condition is refused, one that fails is explained.
func TestCheck(t *testing.T) {
	t.Parallel()
	answer := func(status int, code string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(status)
			io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
			return true
		}
	}
	tests := map[string]struct {
		change func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		"no conditions": {func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("If-None-Match"); return false }, "overwrites objects"},
		"no bucket":     {answer(404, "NoSuchBucket"), "make it first"},
		"wrong keys":    {answer(403, "SignatureDoesNotMatch"), "are not accepted"},
		"full":          {answer(507, "XMinioStorageFull"), "no space left"},
	}
	for name, tt := range tests {
		s := fake(t, tt.change)
		err := s.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want an error with %q", name, err, tt.want)
		}
		if name == "full" && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v is not ENOSPC", name, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	good := keys(t)
	for address, want := range map[string]string{
		"s3://blobs/a/b?credentials=" + good:                           "",
		"s3://blobs?endpoint=s3.example.com:9000&credentials=" + good:  "",
		"s3://blobs?credentials=instance":                              "",
		"s3://blobs?credentials=chain":                                 "",
		"s3://blobs":                                                   "say where the keys are",
		"s3://AKID:hunter2@blobs?credentials=instance":                 "holds a user or a password",
		"s3://blobs?endpoint=https://a:hunter2@h&credentials=instance": "endpoint",
		"s3://blobs?endpoint=ftp://h&credentials=instance":             "endpoint",
		"s3://blobs?secret=hunter2&credentials=instance":               "unknown parameter",
		"s3://BLOBS?credentials=instance":                              "BUCKET",
		"s3://?credentials=instance":                                   "BUCKET",
		"s3://blobs?credentials=/absent/hunter2":                       "no such file",
		"s3://blobs?credentials=instance&ca=/absent":                   "authority",
		"s3://blobs?credentials=instance&lookup=x":                     "path or dns",
		"s3://blobs/%zz?hunter2":                                       "no URL",
	} {
		_, err := Open(address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", address, err, want)
		}
		if err != nil && !strings.Contains(address, "absent") && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the secret: %v", address, err)
		}
	}
}

// The keys are read again when they change, and nobody else may read them.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := keys(t)
	k := &keyFile{path: path}
	if v, err := k.Retrieve(); err != nil || v.AccessKeyID != "AKID" || v.SecretAccessKey != "hunter2" || k.IsExpired() {
		t.Fatalf("%v, expired %v", err, k.IsExpired())
	}
	if err := os.Chtimes(path, k.stamp, k.stamp.Add(1e9)); err != nil {
		t.Fatal(err)
	}
	if !k.IsExpired() {
		t.Error("a file that changed is not read again")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Retrieve(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("keys that others read: %v", err)
	}
	if err := os.Remove(path); err != nil || k.IsExpired() {
		t.Errorf("a file that is gone takes the keys away; %v", err)
	}
	for _, text := range []string{"", "[default]\naws_access_key_id=a\n", "[x]\naws_access_key_id=a\naws_secret_access_key=b\n"} {
		if _, err := readKeys(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
