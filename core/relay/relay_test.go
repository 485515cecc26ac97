package relay_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

// REQ B12: a system is found by its name and by its serial number, which the
// relay's operator says, with the token or later.
func TestSystemsAreFoundBySerialNumber(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	admin := relay.Local(r.Server)
	var tok relay.NewTokenResponse
	if err := admin.Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: "array-7", Serial: "IBOX4242", Valid: time.Hour}, &tok); err != nil {
		t.Fatal(err)
	}
	parsed, err := api.ParseToken(tok.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Enroll(t.Context(), system(t), parsed, "", "", nil); err != nil {
		t.Fatal(err)
	}
	found := func(q string) (names []string) {
		t.Helper()
		var list api.SystemList
		if err := admin.Call(t.Context(), "GET", "/admin/systems?q="+q, nil, &list); err != nil {
			t.Fatal(err)
		}
		for _, s := range list.Systems {
			names = append(names, s.Name)
		}
		return names
	}
	for q, want := range map[string]int{"ibox42": 1, "array": 1, "IBOX9": 0} {
		if got := found(q); len(got) != want {
			t.Errorf("%s: found %v, want %d", q, got, want)
		}
	}
	var sys api.System
	if err := admin.Call(t.Context(), "POST", "/admin/systems/array-7/serial", relay.SerialRequest{Serial: "9000"}, &sys); err != nil || sys.Serial != "9000" {
		t.Fatalf("%+v, %v", sys, err)
	}
	if len(found("ibox42")) != 0 || len(found("9000")) != 1 {
		t.Error("the old number is found, or the new one is not")
	}
	// Another enrolment keeps it, unless its token says another.
	if err := admin.Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: "array-7", Valid: time.Hour, Replace: true}, &tok); err != nil {
		t.Fatal(err)
	}
	if parsed, err = api.ParseToken(tok.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Enroll(t.Context(), system(t), parsed, "", "", nil); err != nil {
		t.Fatal(err)
	}
	if got := found("9000"); len(got) != 2 { // the one that was replaced is retired
		t.Errorf("after another enrolment: %v", got)
	}
	for _, bad := range []string{"../x", "a b", strings.Repeat("9", 64)} {
		wantCode(t, admin.Call(t.Context(), "POST", "/admin/systems/array-7/serial", relay.SerialRequest{Serial: bad}, nil), api.CodeBadRequest)
		wantCode(t, admin.Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: "other", Serial: bad, Valid: time.Hour}, nil), api.CodeBadRequest)
	}
}

// upload speaks tus by hand, to send what our client never would.
// What the metadata says is checked against the bytes.
// A system cannot touch, or even see, what another one sends.
// Bearer tokens and nonces: forged, expired, replayed, of another relay, of
// somebody who was removed.
func TestLogins(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// A real full disk: a small tmpfs.
// Everything survives a restart: an upload goes on, a bundle stays, a complete
// upload that was not accepted becomes a bundle.
// A crash between moving the bytes and writing the record.
// REQ A4: nothing older than TLS 1.2.
// REQ A16: the certificate can be had with openssl, and is the same after a
// restart.
// Hostile clients at the level of bytes.
// An upload that stalls is cut; what arrived is kept.
// Wrong addresses and wrong servers, each with its own words.
