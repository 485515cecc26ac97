package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
)

// clock can be set forward while the relay runs.
type clock struct{ ahead atomic.Int64 }

func (c *clock) read() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func wantCode(t *testing.T, err error, code api.Code) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v (%T); want code %s", err, err, code)
	}
}

func system(t *testing.T) *identity.System {
	t.Helper()
	s, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// REQ G9: the first contact is authenticated both ways by the token.
func TestEnrolment(t *testing.T) {
	r := relaytest.New(t)
	ctx := t.Context()
	tok := r.Token("array-7")
	sys := system(t)
	resp, err := client.Enroll(ctx, sys, tok, "", "host7\x1b[31m", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.System != sys.ID() || resp.Vendor.System != "array-7" || resp.Vendor.RSS != r.Address || len(resp.Vendor.Recipients) != 1 || resp.Vendor.SupportCA == "" {
		t.Errorf("enrolment gives %+v", resp)
	}
	if _, err := client.Enroll(ctx, sys, tok, "", "", nil); err != nil {
		t.Errorf("the same system again, as after a lost answer: %v", err)
	}
	_, err = client.Enroll(ctx, system(t), tok, "", "", nil)
	wantCode(t, err, api.CodeTokenUsed)

	unknown := tok
	unknown.Secret = api.NewSecret()
	_, err = client.Enroll(ctx, system(t), unknown, "", "", nil)
	wantCode(t, err, api.CodeTokenUnknown)

	// The right id with another secret.
	guess := tok
	guess.Secret = tok.ID() + api.NewSecret()[8:]
	_, err = client.Enroll(ctx, system(t), guess, "", "", nil)
	wantCode(t, err, api.CodeTokenUnknown)

	c, err := client.ForSystem(sys, resp.Vendor, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if who, err := c.Login(ctx); err != nil || who != sys.ID() {
		t.Errorf("Login = %q, %v", who, err)
	}
}

func TestExpiredToken(t *testing.T) {
	now := &clock{}
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.Now = now.read }
	})
	tok := r.Token("array-7")
	now.ahead.Store(int64(2 * time.Hour))
	_, err := client.Enroll(t.Context(), system(t), tok, "", "", nil)
	wantCode(t, err, api.CodeTokenExpired)
}

// A token for another relay: the certificate that is shown is not the pinned
// one, so the secret is never sent.
func TestTokenOfAnotherRelay(t *testing.T) {
	a, b := relaytest.New(t), relaytest.New(t)
	tok := a.Token("array-7")
	_, err := client.Enroll(t.Context(), system(t), tok, b.Address, "", nil)
	var e *client.ConnectError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "certificate is not the expected one") || !strings.Contains(err.Error(), "Latchstring RSS CA") {
		t.Errorf("Enroll = %v; want one that says whose certificate came", err)
	}
	if _, err := client.Enroll(t.Context(), system(t), tok, "", "", nil); err != nil {
		t.Errorf("afterwards at the right relay: %v", err)
	}
}

func TestNamesAreTakenOnce(t *testing.T) {
	r := relaytest.New(t)
	first, vendor := r.Enroll("array-7")
	admin := relay.Local(r.Server)
	var tok relay.NewTokenResponse
	err := admin.Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: "array-7", Valid: time.Hour}, &tok)
	wantCode(t, err, api.CodeNameTaken)
	if err := admin.Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: "array-7", Valid: time.Hour, Replace: true}, &tok); err != nil {
		t.Fatal(err)
	}
	parsed, err := api.ParseToken(tok.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Enroll(t.Context(), system(t), parsed, "", "", nil); err != nil {
		t.Fatal(err)
	}
	c, err := client.ForSystem(first, vendor, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Login(t.Context())
	wantCode(t, err, api.CodeUnknownKey)
	for _, bad := range []string{"", "../x", "a b", strings.Repeat("x", 64), "ü"} {
		err := admin.Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: bad, Valid: time.Hour}, nil)
		wantCode(t, err, api.CodeBadRequest)
	}
}

// upload speaks tus by hand, to send what our client never would.
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
	r := relaytest.New(t)
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
	want := []audit.Type{audit.TokenCreated, audit.SystemEnrolled, audit.BundleReceived, audit.EngineerAdded, audit.BundleFetched}
	if fmt.Sprint(types) != fmt.Sprint(want) {
		t.Errorf("events %v; want %v", types, want)
	}
}

// What the metadata says is checked against the bytes.
func TestLyingMetadata(t *testing.T) {
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

// A system cannot touch, or even see, what another one sends.
func TestOtherSystemsUploads(t *testing.T) {
	r := relaytest.New(t)
	alice, _, _ := systemClient(t, r, "alice")
	mallory, _, _ := systemClient(t, r, "mallory")
	u := newUpload(t, alice, "hello")
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	evil := newUpload(t, mallory, "evil!")
	for _, method := range []string{"HEAD", "PATCH", "DELETE"} {
		wantCode(t, evil.do(method, id, 0, evil.body), api.CodeNotFound)
	}
	if err := u.patch(id, 0, 5); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"HEAD", "PATCH", "DELETE"} {
		wantCode(t, evil.do(method, id, 0, evil.body), api.CodeNotFound)
	}
	_, err = evil.receipt(id)
	wantCode(t, err, api.CodeNotFound)
	_, err = mallory.Bundles(t.Context(), "")
	wantCode(t, err, api.CodeForbidden)
	_, err = mallory.Content(t.Context(), id, 0, io.Discard)
	wantCode(t, err, api.CodeForbidden)
}

func TestHostileIDs(t *testing.T) {
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	e := r.Engineer("ada", "bundles")
	secret := filepath.Join(r.Loaded.Places.Intake, "..", "secret.info")
	if err := os.WriteFile(secret, []byte(`{"ID":"../secret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUpload(t, c, "x")
	for _, id := range []string{"..%2Fsecret", "../secret", "%2e%2e/secret", ".", "secret", "bdl-" + strings.Repeat("0", 19) + "%2F", "%00", strings.Repeat("a", 3000)} {
		for _, path := range []string{api.PathUpload + id, api.PathUpload + id + "/content", api.PathUpload + id + "/receipt"} {
			for who, cl := range map[string]*client.Client{"system": c, "engineer": e} {
				req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+r.Address+path, nil)
				if err != nil {
					continue
				}
				if strings.HasSuffix(path, id) {
					req.Method = "HEAD"
				}
				req.Header.Set("Tus-Resumable", "1.0.0")
				resp, err := cl.Do(req, true)
				if err == nil {
					resp.Body.Close()
					t.Errorf("%s %s as %s: %s", req.Method, path, who, resp.Status)
				}
			}
		}
	}
	wantCode(t, u.do("PATCH", "..%2fsecret", 0, []byte("x")), api.CodeNotFound)
}

// Bearer tokens and nonces: forged, expired, replayed, of another relay, of
// somebody who was removed.
func TestLogins(t *testing.T) {
	now := &clock{}
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.Now = now.read }
	})
	c, sys, _ := systemClient(t, r, "array-7")
	anonymous, err := client.New(client.Options{Address: r.Address, Trust: client.Trust{Pin: ptr(r.Loaded.Pin())}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(bearer string) error {
		req, err := http.NewRequestWithContext(t.Context(), "GET", anonymous.URL(api.PathSystems, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		resp, err := anonymous.Do(req, false)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	login := func(kind api.Kind, pin api.Pin, nonce string, signer *identity.System) (api.TokenResponse, error) {
		sig, err := signer.Sign(identity.NamespaceRSS, api.LoginStatement(kind, pin, nonce))
		if err != nil {
			t.Fatal(err)
		}
		var tok api.TokenResponse
		err = anonymous.JSON(t.Context(), "POST", api.PathToken, nil, false, api.TokenRequest{Kind: kind, Nonce: nonce,
			PublicKey: identity.FormatKey(sys.PublicKey()), Signature: string(sig)}, &tok)
		return tok, err
	}
	nonce := func() string {
		var ch api.ChallengeResponse
		if err := anonymous.JSON(t.Context(), "POST", api.PathChallenge, nil, false, struct{}{}, &ch); err != nil {
			t.Fatal(err)
		}
		return ch.Nonce
	}
	wantCode(t, call(""), api.CodeUnauthorized)
	for _, forged := range []string{"x", ".", "e30.e30", strings.Repeat("A", 9000)} {
		wantCode(t, call(forged), api.CodeUnauthorized)
	}
	n := nonce()
	tok, err := login(api.KindSystem, r.Loaded.Pin(), n, sys)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, call(tok.Token), api.CodeForbidden) // logged in, but no engineer
	_, err = login(api.KindSystem, r.Loaded.Pin(), n, sys)
	wantCode(t, err, api.CodeBadNonce)
	_, err = login(api.KindSystem, r.Loaded.Pin(), "AAAA", sys)
	wantCode(t, err, api.CodeBadNonce)
	// A hostile relay passes our challenge on: the statement names another.
	_, err = login(api.KindSystem, api.Pin{}, nonce(), sys)
	wantCode(t, err, api.CodeBadSignature)
	_, err = login(api.KindSystem, r.Loaded.Pin(), nonce(), system(t))
	wantCode(t, err, api.CodeBadSignature)
	_, err = login(api.KindEngineer, r.Loaded.Pin(), nonce(), sys)
	wantCode(t, err, api.CodeUnknownKey)
	late := nonce()
	now.ahead.Add(int64(20 * time.Minute))
	_, err = login(api.KindSystem, r.Loaded.Pin(), late, sys)
	wantCode(t, err, api.CodeBadNonce)
	wantCode(t, call(tok.Token), api.CodeUnauthorized) // expired

	// The client notices by itself and logs in anew.
	if _, err := newUpload(t, c, "hello").create(); err != nil {
		t.Fatal(err)
	}
	now.ahead.Add(int64(20 * time.Minute))
	if _, err := newUpload(t, c, "hello again").create(); err != nil {
		t.Errorf("after the login expired: %v", err)
	}
	if err := relay.Local(r.Server).Call(t.Context(), "POST", "/admin/systems/array-7/retire", nil, nil); err != nil {
		t.Fatal(err)
	}
	_, err = newUpload(t, c, "third").create()
	wantCode(t, err, api.CodeUnknownKey)
}

func ptr[T any](v T) *T { return &v }

func TestEngineers(t *testing.T) {
	r := relaytest.New(t)
	admin := relay.Local(r.Server)
	e := r.Engineer("ada", "access")
	_, err := e.Bundles(t.Context(), "")
	wantCode(t, err, api.CodeForbidden)
	f := r.Engineer("bob", "bundles")
	if _, err := f.Bundles(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := admin.Call(t.Context(), "POST", "/admin/engineers/bob/revoke", nil, nil); err != nil {
		t.Fatal(err)
	}
	_, err = f.Bundles(t.Context(), "") // the token of the login is still young
	wantCode(t, err, api.CodeUnknownKey)
	wantCode(t, admin.Call(t.Context(), "POST", "/admin/engineers/bob/revoke", nil, nil), api.CodeNotFound)
	key := identity.FormatKey(system(t).PublicKey())
	for _, bad := range []relay.AddEngineerRequest{
		{Name: "", Key: key, Roles: []string{"bundles"}}, {Name: "x y", Key: key, Roles: []string{"bundles"}},
		{Name: "x", Key: "ssh-rsa AAAA", Roles: []string{"bundles"}}, {Name: "x", Key: key, Roles: []string{"root"}}, {Name: "x", Key: key},
	} {
		wantCode(t, admin.Call(t.Context(), "POST", "/admin/engineers", bad, nil), api.CodeBadRequest)
	}
	wantCode(t, admin.Call(t.Context(), "POST", "/admin/engineers", relay.AddEngineerRequest{Name: "ada", Key: key, Roles: []string{"bundles"}}, nil), api.CodeNameTaken)
}

func TestLimits(t *testing.T) {
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

// A real full disk: a small tmpfs.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	r := relaytest.New(t, func(r *relaytest.Relay) {
		intake := setup.At(r.Root).Intake
		if err := os.MkdirAll(intake, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", intake, "tmpfs", 0, "size=256k"); err != nil {
			t.Skipf("cannot mount a tmpfs: %v", err)
		}
		t.Cleanup(func() { syscall.Unmount(intake, syscall.MNT_DETACH) })
		r.Change = func(o *relay.Options) { o.Free = func() (int64, error) { return 1 << 40, nil } } // somebody else fills it
	})
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, strings.Repeat("x", 1<<20))
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, u.patch(id, 0, 1<<20), api.CodeNoSpace)
	if err := u.do("HEAD", id, 0, nil); err != nil {
		t.Errorf("what arrived is not kept: %v", err)
	}
	if err := syscall.Mount("", r.Loaded.Places.Intake, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(filepath.Join(r.Loaded.Places.Intake, id))
	if err != nil || fi.Size() == 0 {
		t.Fatalf("stored %v, %v", fi, err)
	}
	if err := u.patch(id, int(fi.Size()), 1<<20); err != nil {
		t.Errorf("going on when there is space again: %v", err)
	}
	if _, err := u.receipt(id); err != nil {
		t.Error(err)
	}
}

// Everything survives a restart: an upload goes on, a bundle stays, a complete
// upload that was not accepted becomes a bundle.
func TestRestart(t *testing.T) {
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	half, whole, lying := newUpload(t, c, "half and half"), newUpload(t, c, "complete"), newUpload(t, c, "lying")
	lying.meta[api.MetaSHA256] = half.sum[1:] + "0"
	var ids []string
	for _, u := range []*upload{half, whole, lying} {
		id, err := u.create()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := half.patch(ids[0], 0, 6); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	// The process died after the last byte and before it was accepted.
	for i, u := range []*upload{whole, lying} {
		if err := os.WriteFile(filepath.Join(r.Loaded.Places.Intake, ids[i+1]), u.body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.Start()
	if err := half.patch(ids[0], 6, 13); err != nil {
		t.Fatal(err)
	}
	for i, u := range []*upload{half, whole} {
		if _, err := u.receipt(ids[i]); err != nil {
			t.Errorf("receipt of upload %d: %v", i, err)
		}
	}
	_, err := lying.receipt(ids[2])
	wantCode(t, err, api.CodeNotFound)
	r.Stop()
	r.Start()
	if _, err := half.receipt(ids[0]); err != nil {
		t.Errorf("after one more restart: %v", err)
	}
}

// A crash between moving the bytes and writing the record.
func TestCrashWhileAccepting(t *testing.T) {
	r := relaytest.New(t)
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, "bytes that moved")
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	r.Stop()
	p := r.Loaded.Places
	if err := os.WriteFile(filepath.Join(p.Blobs, id), u.body, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(p.Intake, id)); err != nil {
		t.Fatal(err)
	}
	r.Start()
	if _, err := u.receipt(id); err != nil {
		t.Errorf("the bundle was not finished: %v", err)
	}
	if entries, _ := os.ReadDir(p.Intake); len(entries) != 0 {
		t.Errorf("left in the intake: %v", entries)
	}
}

func TestImport(t *testing.T) {
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

// REQ A4: nothing older than TLS 1.2.
func TestTLSVersions(t *testing.T) {
	r := relaytest.New(t)
	for v, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", r.Address, &tls.Config{InsecureSkipVerify: true, MinVersion: v, MaxVersion: v})
		if (err == nil) != good {
			t.Errorf("TLS %x: %v", v, err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// REQ A16: the certificate can be had with openssl, and is the same after a
// restart.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed (Debian package openssl)")
	}
	r := relaytest.New(t)
	fetch := func() string {
		cmd := exec.Command("sh", "-c", `"$0" s_client -showcerts -connect "$1" </dev/null 2>/dev/null | "$0" x509`, openssl, r.Address)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if block, _ := pem.Decode(out); block == nil {
			t.Fatalf("no certificate in %s", out)
		}
		return string(out)
	}
	before := fetch()
	r.Stop()
	r.Start()
	if fetch() != before {
		t.Error("after a restart it is another certificate")
	}
}

// Hostile clients at the level of bytes.
func TestHostileRequests(t *testing.T) {
	r := relaytest.New(t)
	raw := func(request string) string {
		t.Helper()
		c, err := tls.Dial("tcp", r.Address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(15 * time.Second))
		go io.WriteString(c, request)
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSpace(line)
	}
	tests := []struct{ name, request, want string }{
		{"huge headers", "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		{"huge body", "POST /v1/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 99993\r\n\r\n{\"secret\":\"" + strings.Repeat("a", 99980) + "\"}", "HTTP/1.1 413"},
		{"no JSON", "POST /v1/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 400"},
		{"unknown member", "POST /v1/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{\"admin\":1 }", "HTTP/1.1 400"},
		{"unknown path", "GET /admin/systems HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"},
		{"method override", "POST /v1/bundles/ HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 401"},
	}
	for _, tt := range tests {
		if got := raw(tt.request); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

// An upload that stalls is cut; what arrived is kept.
func TestStalledUpload(t *testing.T) {
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.StallTimeout = 200 * time.Millisecond }
	})
	c, _, _ := systemClient(t, r, "array-7")
	u := newUpload(t, c, strings.Repeat("x", 1000))
	id, err := u.create()
	if err != nil {
		t.Fatal(err)
	}
	pr, pw := io.Pipe()
	defer pw.Close()
	go pw.Write(u.body[:10])
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", c.URL(api.PathUpload+id, nil), pr)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 1000
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", "0")
	start := time.Now()
	if _, err := c.Do(req, true); err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("a stalled upload: %v after %s", err, time.Since(start))
	}
	if err := u.patch(id, 10, 1000); err != nil {
		t.Errorf("going on: %v", err)
	}
}

func TestAdminSocket(t *testing.T) {
	r := relaytest.New(t)
	path := filepath.Join(t.TempDir(), "rss.sock")
	if _, err := relay.Dial(path); !errors.Is(err, relay.ErrNotRunning) {
		t.Errorf("Dial of nothing: %v", err)
	}
	done := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { done <- r.Server.ServeAdmin(ctx, path) }()
	var admin *relay.Admin
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var err error
		if admin, err = relay.Dial(path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v; want mode 0600", fi.Mode(), err)
	}
	var list relay.EngineerList
	if err := admin.Call(t.Context(), "GET", "/admin/engineers", nil, &list); err != nil || list.Address != r.Address {
		t.Errorf("engineers %+v, %v", list, err)
	}
	body, err := admin.Stream(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, err := io.ReadAll(body); err != nil || !strings.Contains(string(b), "latchstring_rss_bundles_total 0\n") {
		t.Errorf("metrics %s, %v", b, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Wrong addresses and wrong servers, each with its own words.
func TestConnectErrors(t *testing.T) {
	a, b := relaytest.New(t), relaytest.New(t)
	sys, vendor := a.Enroll("array-7")
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "220 mail ESMTP\r\n")
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(a.Address)
	tests := []struct {
		name, address, want string
		temporary           bool
	}{
		{"another relay", b.Address, "not issued by the vendor", false},
		{"another name", "localhost:" + port, "certificate is for another name", false},
		{"nothing there", "127.0.0.1:1", "connection refused", true},
		{"no such name", "relay.invalid:443", "cannot be resolved", true},
		{"no TLS", plain.Addr().String(), "does not speak TLS", false},
	}
	for _, tt := range tests {
		v := vendor
		v.RSS = tt.address
		c, err := client.ForSystem(sys, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Login(t.Context())
		var e *client.ConnectError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || e.Hint() == "" {
			t.Errorf("%s: %v; want one with %q and a hint", tt.name, err, tt.want)
		}
		if client.Temporary(err) != tt.temporary {
			t.Errorf("%s: Temporary = %v", tt.name, !tt.temporary)
		}
	}
}
