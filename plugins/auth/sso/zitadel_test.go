package sso

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/latchstring/latchstring/sdk/auth"
)

// register tells the example about our clients; its list is global.
var register = sync.OnceFunc(func() {
	storage.RegisterClients(storage.WebClient("web", "s3cr3t", redirect), storage.DeviceClient("device", "s3cr3t"))
})

// newZitadel is the example provider of zitadel/oidc, with one user, ada.
func newZitadel(t *testing.T) *httptest.Server {
	t.Helper()
	register()
	file := filepath.Join(t.TempDir(), "users.json")
	// Its pages for devices take the user's name for his id.
	if err := os.WriteFile(file, []byte(`{"ada":{"ID":"ada","Username":"ada","Password":"pw","FirstName":"Ada","LastName":"Lovelace"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := storage.StoreFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var h http.Handler
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	h = exampleop.SetupServer(srv.URL, storage.NewStorage(users), slog.New(slog.DiscardHandler), false)
	return srv
}

func zitadelSettings(srv *httptest.Server, client string) map[string]any {
	// What its users belong to is in a claim that is an object.
	return map[string]any{
		"issuer": srv.URL, "client_id": client, "client_secret": "s3cr3t", "scopes": []string{"openid", "profile", storage.CustomScope}, "userinfo": true,
		"roles": storage.CustomClaim + ".other", "admins": []string{"stuff"}, "ca": authority(srv), "timeout": "10s",
	}
}

// browser follows redirects until they leave the provider.
func browser(t *testing.T, srv *httptest.Server) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: srv.Client().Transport, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

func TestZitadelCode(t *testing.T) { // not beside another: the example sets globals
	srv := newZitadel(t)
	u := &user{visit: func(address string) string {
		c := browser(t, srv)
		page, err := c.Get(address)
		if err != nil {
			t.Error(err)
			return ""
		}
		page.Body.Close()
		id := page.Request.URL.Query().Get("authRequestID")
		back, err := c.PostForm(srv.URL+"/login/username", url.Values{"id": {id}, "username": {"ada"}, "password": {"pw"}})
		if err != nil {
			t.Error(err)
			return ""
		}
		back.Body.Close()
		at, err := back.Location()
		if err != nil {
			t.Error(err)
			return ""
		}
		return at.RawQuery
	}}
	id, err := method(t, zitadelSettings(srv, "web"), "max_age", "10m").Authenticate(t.Context(), web(), u)
	if err != nil || id.User != "ada" || id.Evidence["issuer"] != srv.URL || id.Evidence["amr"] != "pwd" || id.Evidence["mfa"] != "" {
		t.Errorf("%+v, %v", id, err)
	}
	id, err = method(t, zitadelSettings(srv, "web"), "admins", []string{"others"}).Authenticate(t.Context(), web(), u)
	refused(t, id, err, auth.Denied, "not as an administrator")
}

func TestZitadelDevice(t *testing.T) {
	t.Parallel() // it wants 5 s between polls
	srv := newZitadel(t)
	for _, tt := range []struct{ action, says string }{{"allowed", ""}, {"denied", "says no"}} {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			u := &approver{t: t, action: tt.action, srv: srv}
			id, err := method(t, zitadelSettings(srv, "device")).Authenticate(t.Context(), cli(), u)
			if tt.says != "" {
				refused(t, id, err, auth.Denied, tt.says)
				return
			}
			if err != nil || id.User != "ada" || id.Evidence["flow"] != "device" {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
}

// approver types the code into the provider's page as soon as he sees it.
type approver struct {
	user
	t      *testing.T
	action string
	srv    *httptest.Server
}

func (a *approver) Show(_ context.Context, n auth.Notice) error {
	c := browser(a.t, a.srv)
	for _, form := range []struct {
		path   string
		values url.Values
	}{
		{"/device/login", url.Values{"user_code": {n.Value}, "username": {"ada"}, "password": {"pw"}}},
		{"/device/confirm", url.Values{"action": {a.action}}},
	} {
		resp, err := c.PostForm(a.srv.URL+form.path, form.values)
		if err != nil {
			return err
		}
		page, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			a.t.Errorf("%s: %s", resp.Status, page)
		}
	}
	return nil
}
