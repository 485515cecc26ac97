package relay_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
)

type upload struct {
	t      *testing.T
	c      *client.Client
	body   []byte
	sum    string
	length int64
	meta   map[string]string
}

func newUpload(t *testing.T, c *client.Client, body string) *upload {
	sum := sha256.Sum256([]byte(body))
	hexSum := hex.EncodeToString(sum[:])
	return &upload{t: t, c: c, body: []byte(body), sum: hexSum, length: int64(len(body)),
		meta: map[string]string{api.MetaSHA256: hexSum, api.MetaFilename: "b.tar.zst.age"}}
}

func (u *upload) create() (string, error) {
	u.t.Helper()
	req, err := http.NewRequestWithContext(u.t.Context(), "POST", u.c.URL(api.PathUpload, nil), nil)
	if err != nil {
		u.t.Fatal(err)
	}
	var meta []string
	for k, v := range u.meta {
		meta = append(meta, k+" "+base64.StdEncoding.EncodeToString([]byte(v)))
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Upload-Metadata", strings.Join(meta, ","))
	req.Header.Set("Upload-Length", fmt.Sprint(u.length))
	resp, err := u.c.Do(req, true)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	return filepath.Base(resp.Header.Get("Location")), nil
}

func (u *upload) patch(id string, from, to int) error {
	u.t.Helper()
	return u.do("PATCH", id, from, u.body[from:to])
}

func (u *upload) do(method, id string, offset int, body []byte) error {
	u.t.Helper()
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.c.URL(api.PathUpload+id, nil), bytes.NewReader(body))
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", fmt.Sprint(offset))
	resp, err := u.c.Do(req, true)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (u *upload) receipt(id string) (api.SignedReceipt, error) {
	var s api.SignedReceipt
	err := u.c.JSON(u.t.Context(), "GET", api.ReceiptPath(id), nil, true, nil, &s)
	return s, err
}

func systemClient(t *testing.T, r *relaytest.Relay, name string) (*client.Client, *identity.System, identity.Vendor) {
	t.Helper()
	sys, v := r.Enroll(name)
	c, err := client.ForSystem(sys, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, sys, v
}

func TestUploadAndFetch(t *testing.T) {
	t.Parallel()
	t.Run("directory", func(t *testing.T) { uploadAndFetch(t) })
	t.Run("bucket", func(t *testing.T) { uploadAndFetch(t, inBucket(t)) })
}

func uploadAndFetch(t *testing.T, change ...func(*relaytest.Relay)) {
	r := relaytest.New(t, change...)
	c, sys, vendor := systemClient(t, r, "array-7")
	u := newUpload(t, c, "hello bundle")
	u.meta[api.MetaAnchor] = "12 " + strings.Repeat("ab", 32)
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.patch(id, 0, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := u.receipt(id); err == nil {
		t.Error("there is a receipt for half a bundle")
	}
	_, err = newUpload(t, c, "hello bundle").create()
	wantCode(t, err, api.CodeUploadExists)
	if err := u.patch(id, 5, 12); err != nil {
		t.Fatal(err)
	}
	signed, err := u.receipt(id)
	if err != nil {
		t.Fatal(err)
	}
	key, err := vendor.ReceiptPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := signed.Verify(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := receipt.Covers(sys.ID(), u.sum, 12); err != nil || receipt.Anchor != u.meta[api.MetaAnchor] || receipt.Bundle != id {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
	_, err = newUpload(t, c, "hello bundle").create()
	wantCode(t, err, api.CodeBundleExists)
	if err := u.do("HEAD", id, 0, nil); err != nil {
		t.Errorf("HEAD of a bundle: %v", err)
	}
	wantCode(t, u.do("DELETE", id, 0, nil), api.CodeForbidden)

	e := r.Engineer("ada", "bundles")
	bundles, err := e.Bundles(t.Context(), "array-7")
	if err != nil || len(bundles) != 1 || bundles[0].ID != id || bundles[0].SystemName != "array-7" {
		t.Fatalf("Bundles = %+v, %v", bundles, err)
	}
	var got bytes.Buffer
	if _, err := e.Content(t.Context(), id, 0, &got); err != nil || got.String() != "hello bundle" {
		t.Errorf("content %q, %v", got.String(), err)
	}
	got.Reset()
	if _, err := e.Content(t.Context(), id, 6, &got); err != nil || got.String() != "bundle" {
		t.Errorf("rest of the content %q, %v", got.String(), err)
	}
	systems, err := e.Systems(t.Context(), "ARRAY")
	if err != nil || len(systems) != 1 || systems[0].LastSeen.IsZero() {
		t.Errorf("Systems = %+v, %v", systems, err)
	}
	if systems, err := e.Systems(t.Context(), "nothing"); err != nil || len(systems) != 0 {
		t.Errorf("Systems of nothing = %+v, %v", systems, err)
	}
	// Everything that happened is in the event log, in a chain.
	var types []audit.Type
	body, err := relay.Local(r.Server).Stream(t.Context(), "/admin/audit")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	for dec := json.NewDecoder(body); ; {
		var rec audit.Record
		if dec.Decode(&rec) != nil {
			break
		}
		types = append(types, rec.Type)
	}
	want := []audit.Type{audit.RelayStarted, audit.TokenCreated, audit.SystemEnrolled, audit.BundleReceived, audit.EngineerAdded, audit.BundleFetched}
	if fmt.Sprint(types) != fmt.Sprint(want) {
		t.Errorf("events %v; want %v", types, want)
	}
}

func TestLyingMetadata(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, "hello")
	u.meta[api.MetaSHA256] = strings.Repeat("0", 64)
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, u.patch(id, 0, 5), api.CodeHashMismatch)
	wantCode(t, u.do("HEAD", id, 0, nil), api.CodeNotFound)
	entries, err := os.ReadDir(r.Loaded.Places.Intake)
	if err != nil || len(entries) != 0 {
		t.Errorf("left in the intake: %v, %v", entries, err)
	}
	u = newUpload(t, c, "hello")
	id, err = u.create()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.do("PATCH", id, 0, []byte("hello and more")); err == nil {
		t.Error("more bytes than announced were taken")
	}
	wantCode(t, u.do("PATCH", id, 3, []byte("lo")), api.CodeOffsetMismatch)
}

func TestBadMetadata(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	other, _ := r.Enroll("array-8")
	tests := []struct {
		name   string
		change func(*upload)
		code   api.Code
	}{
		{"no hash", func(u *upload) { delete(u.meta, api.MetaSHA256) }, api.CodeBadRequest},
		{"upper case hash", func(u *upload) { u.meta[api.MetaSHA256] = strings.ToUpper(u.sum) }, api.CodeBadRequest},
		{"hash with a path", func(u *upload) { u.meta[api.MetaSHA256] = "../../../../etc/passwd" }, api.CodeBadRequest},
		{"no name", func(u *upload) { delete(u.meta, api.MetaFilename) }, api.CodeBadRequest},
		{"name with a path", func(u *upload) { u.meta[api.MetaFilename] = "../../x" }, api.CodeBadRequest},
		{"bad anchor", func(u *upload) { u.meta[api.MetaAnchor] = "1 x" }, api.CodeBadRequest},
		{"another system", func(u *upload) { u.meta["system"] = other.ID() }, api.CodeForbidden},
		{"empty", func(u *upload) { u.length = 0 }, api.CodeBadRequest},
	}
	for _, tt := range tests {
		u := newUpload(t, c, "hello")
		tt.change(u)
		if _, err := u.create(); err == nil {
			t.Errorf("%s: accepted", tt.name)
		} else {
			wantCode(t, err, tt.code)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	free.Store(1 << 30)
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) {
			c.Limits = setup.Limits{MaxBundle: 100, MaxStored: 150, MaxOpen: 2, KeepFree: 1000, UnfinishedFor: 7}
		}
		r.Change = func(o *relay.Options) { o.Free = func() (int64, error) { return free.Load(), nil } }
	})
	c, _, _ := systemClient(t, r, "array-7")
	_, err := newUpload(t, c, strings.Repeat("x", 101)).create()
	if err == nil || !strings.Contains(err.Error(), "at most 100") {
		t.Errorf("too large: %v", err)
	}
	free.Store(1050)
	_, err = newUpload(t, c, strings.Repeat("x", 60)).create()
	wantCode(t, err, api.CodeNoSpace)
	free.Store(1 << 30)
	for i := range 2 {
		if _, err := newUpload(t, c, strings.Repeat(fmt.Sprint(i), 50)).create(); err != nil {
			t.Fatal(err)
		}
	}
	u := newUpload(t, c, "third")
	_, err = u.create()
	wantCode(t, err, api.CodeBusy)
	// Space that was promised to others counts.
	free.Store(1110)
	other, _, _ := systemClient(t, r, "array-8")
	_, err = newUpload(t, other, strings.Repeat("y", 20)).create()
	wantCode(t, err, api.CodeNoSpace)
	free.Store(1 << 30)
	for i := range 2 {
		u := newUpload(t, other, strings.Repeat(fmt.Sprint(i), 70))
		id, err := u.create()
		if err != nil {
			t.Fatal(err)
		}
		if err := u.patch(id, 0, 70); err != nil {
			t.Fatal(err)
		}
	}
	_, err = newUpload(t, other, strings.Repeat("z", 70)).create()
	wantCode(t, err, api.CodeQuota)
}

func TestImport(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	r.Enroll("array-7")
	admin := relay.Local(r.Server)
	send := func(system, body string) (api.Bundle, error) {
		var b api.Bundle
		err := admin.Call(t.Context(), "POST", "/admin/bundles?filename=..%2Fcarried.age&system="+system, strings.NewReader(body), &b)
		return b, err
	}
	b, err := send("array-7", "carried by hand")
	if err != nil || b.Via != "import" || b.Filename != "carried.age" {
		t.Fatalf("import: %+v, %v", b, err)
	}
	if again, err := send("array-7", "carried by hand"); err != nil || again.ID != b.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	_, err = send("nobody", "x")
	wantCode(t, err, api.CodeNotFound)
	_, err = send("array-7", "")
	wantCode(t, err, api.CodeBadRequest)
	var got bytes.Buffer
	if _, err := r.Engineer("ada", "bundles").Content(t.Context(), b.ID, 0, &got); err != nil || got.String() != "carried by hand" {
		t.Errorf("content %q, %v", got.String(), err)
	}
}

// bearer takes the token of a logged-in client from a request that it makes.
func bearer(t *testing.T, c *client.Client) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "HEAD", c.URL(api.PathUpload+"none", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Do(req, true) // there is no such upload; the header is what counts
	return strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
}
