package infinibox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/plugintest"
	array "github.com/latchstring/latchstring/testdata/infinibox"
)

// lab is an array, and settings with which it is reached.
func lab(t *testing.T, o array.Options) (*array.Box, *httptest.Server, settings) {
	t.Helper()
	box := array.New(o)
	srv := httptest.NewTLSServer(box)
	t.Cleanup(srv.Close)
	sum := sha256.Sum256(srv.Certificate().Raw)
	return box, srv, settings{
		Addresses: []string{srv.Listener.Addr().String()}, Username: "reader", Password: config.NewSecret("reader-pass"), Fingerprint: hex.EncodeToString(sum[:]), Events: 1200,
	}
}

func TestConformance(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector { return New() })
}

func TestConformanceWithAnArray(t *testing.T) {
	_, _, s := lab(t, array.Options{})
	plugintest.Collector(t, func() collect.Collector { return New() }, plugintest.Options{Short: true, Config: map[string]any{
		"addresses": s.Addresses, "username": s.Username, "password": "reader-pass", "fingerprint": s.Fingerprint,
	}})
}

func run(t *testing.T, s settings, req collect.Request) *sinktest.Sink {
	t.Helper()
	sink := sinktest.New(t)
	if err := (&Collector{s}).Collect(t.Context(), req, sink); err != nil {
		t.Fatal(err)
	}
	for name, g := range sink.Items {
		if strings.Contains(g.Text+g.Failed+g.Absent, "reader-pass") {
			t.Errorf("%s holds the password", name)
		}
	}
	return sink
}

// emit makes the array log events.
func emit(t *testing.T, srv *httptest.Server, n int) {
	t.Helper()
	for range n {
		req, err := http.NewRequest("POST", srv.URL+"/api/rest/events/custom", strings.NewReader(`{"description_template": "disk 7 is slow"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("admin", "123456")
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
	}
}

func TestCollect(t *testing.T) {
	now := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	box, srv, s := lab(t, array.Options{Now: func() time.Time { return now }})
	emit(t, srv, 5)
	now = now.Add(time.Hour)
	emit(t, srv, 1005)
	got := run(t, s, collect.Request{Since: now.Add(-time.Minute)})
	var events []struct{ Description string }
	if err := json.Unmarshal([]byte(got.Find("events.json").Text), &events); err != nil || len(events) != 1005 || events[0].Description != "disk 7 is slow" {
		t.Errorf("%d events, %v", len(events), err)
	}
	var system struct {
		Serial int `json:"serial_number"`
	}
	if err := json.Unmarshal([]byte(got.Find("system.json").Text), &system); err != nil || system.Serial != 4242 {
		t.Errorf("system: %+v, %v", system, err)
	}
	if g := got.Find("settings/sso.json"); !g.Config || !strings.Contains(g.Text, "https://idp.example.com/sso/saml") {
		t.Errorf("%+v", g)
	}
	for _, name := range []string{"health.json", "components/nodes.json", "settings/notification-targets.json"} {
		if g := got.Find(name); g.Text == "" || g.Failed != "" {
			t.Errorf("%s: %+v", name, g)
		}
	}
	if g := got.Find("settings/ldap.json"); g.Absent == "" {
		t.Errorf("what the firmware does not know is absent: %+v", g)
	}
	if n := box.Sessions(); n != 0 {
		t.Errorf("%d logins were left behind", n)
	}
	s.Events = 3
	if err := json.Unmarshal([]byte(run(t, s, collect.Request{}).Find("events.json").Text), &events); err != nil || len(events) != 3 {
		t.Errorf("%d events of 3, %v", len(events), err)
	}
}

func TestAnotherAddressAnswers(t *testing.T) {
	_, srv, s := lab(t, array.Options{})
	dead := httptest.NewTLSServer(http.NotFoundHandler())
	dead.Close()
	s.Addresses = []string{dead.Listener.Addr().String(), srv.Listener.Addr().String()}
	if g := run(t, s, collect.Request{}).Find("system.json"); g.Text == "" {
		t.Errorf("%+v", g)
	}
}

// Each way in which an array cannot be asked is one failed item that says so.
func TestTrouble(t *testing.T) {
	for _, c := range []struct {
		name, want string
		do         func(*array.Box, *settings)
	}{
		{"wrong password", "401", func(_ *array.Box, s *settings) { s.Password = config.NewSecret("wrong") }},
		{"wrong certificate", "fingerprint", func(_ *array.Box, s *settings) { s.Fingerprint = strings.Repeat("ab", 32) }},
		{"certificate that nobody trusts", "certificate", func(_ *array.Box, s *settings) { s.Fingerprint = "" }},
		{"no service", "503", func(b *array.Box, _ *settings) { b.Knobs.Set(array.Trouble{Unavailable: []int{0}}) }},
		{"HTML", "500", func(b *array.Box, _ *settings) { b.Knobs.Set(array.Trouble{Status: 500}) }},
		{"cut", "", func(b *array.Box, _ *settings) { b.Knobs.Set(array.Trouble{Truncate: true}) }},
		{"reset", "", func(b *array.Box, _ *settings) { b.Knobs.Set(array.Trouble{Reset: true}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			box, _, s := lab(t, array.Options{})
			c.do(box, &s)
			got := run(t, s, collect.Request{})
			if g := got.Find("system.json"); len(got.Items) != 1 || g.Failed == "" || !strings.Contains(g.Failed, c.want) {
				t.Errorf("%+v", g)
			}
		})
	}
}

// The password is not carried to where somebody else points.
func TestNoRedirect(t *testing.T) {
	asked := false
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	srv := httptest.NewTLSServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	sum := sha256.Sum256(srv.Certificate().Raw)
	s := settings{Addresses: []string{srv.Listener.Addr().String()}, Username: "u", Password: config.NewSecret("reader-pass"), Fingerprint: hex.EncodeToString(sum[:])}
	if g := run(t, s, collect.Request{}).Find("system.json"); asked || g.Failed == "" {
		t.Errorf("followed: %v, %+v", asked, g)
	}
}

func TestSettings(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", `{"addresses": ["a"]}`: "username", `{"fingerprint": "zz"}`: "fingerprint", `{"events": -1}`: "events",
		`{"addresses": ["a"], "username": "u", "password": "p", "fingerprint": "` + strings.Repeat("AB:", 31) + `AB"}`: "",
	} {
		var s settings
		err := config.Decode(&s, []byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
