package infinibox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type client struct {
	t    *testing.T
	url  string
	http *http.Client
}

func start(t *testing.T, o Options) (*Box, *client) {
	t.Helper()
	b := New(o)
	srv := httptest.NewTLSServer(b)
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.Jar, _ = cookiejar.New(nil)
	return b, &client{t, srv.URL, c}
}

// do returns the status and the result of a call.
func (c *client) do(method, path string, body any) (int, map[string]any) {
	c.t.Helper()
	var buf bytes.Buffer
	if body != nil {
		json.NewEncoder(&buf).Encode(body)
	}
	req, _ := http.NewRequest(method, c.url+"/api/rest/"+path, &buf)
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var v map[string]any
	json.NewDecoder(resp.Body).Decode(&v)
	return resp.StatusCode, v
}

func TestLogin(t *testing.T) {
	for _, tt := range []struct {
		name, password string
		status         int
		role           string
	}{
		{"admin", "123456", 200, "ADMIN"},
		{"ADMIN", "123456", 200, "ADMIN"},
		{"ldap-admin", "ldap-pass", 200, "ADMIN"},
		{"reader", "reader-pass", 200, "READ_ONLY"},
		{"admin", "wrong", 401, ""},
		{"gone", "gone-pass", 401, ""},
		{"nobody", "", 401, ""},
	} {
		b, c := start(t, Options{})
		status, v := c.do("POST", "users/login", map[string]string{"username": tt.name, "password": tt.password})
		if status != tt.status {
			t.Errorf("login %s: status %d, want %d", tt.name, status, tt.status)
			continue
		}
		if status != 200 {
			if s, _ := c.do("GET", "system", nil); s != 401 {
				t.Errorf("system without login: %d", s)
			}
			continue
		}
		roles := v["result"].(map[string]any)["roles"].([]any)
		if len(roles) != 1 || roles[0] != tt.role {
			t.Errorf("login %s: roles %v", tt.name, roles)
		}
		if s, _ := c.do("GET", "system", nil); s != 200 || b.Sessions() != 1 {
			t.Errorf("system after login: %d, %d sessions", s, b.Sessions())
		}
		if c.do("POST", "users/logout", map[string]any{}); b.Sessions() != 0 {
			t.Error("the session outlives the logout")
		}
	}
}

func TestSessionExpires(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	_, c := start(t, Options{SessionTTL: time.Minute, Now: func() time.Time { return now }})
	c.do("POST", "users/login", map[string]string{"username": "admin", "password": "123456"})
	now = now.Add(59 * time.Second)
	if s, _ := c.do("GET", "system", nil); s != 200 {
		t.Fatalf("status %d", s)
	}
	now = now.Add(61 * time.Second)
	if s, _ := c.do("GET", "system", nil); s != 401 {
		t.Errorf("expired session: status %d", s)
	}
}

func TestEvents(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	b, c := start(t, Options{Visibility: 10 * time.Second, Now: func() time.Time { return now }})
	c.do("POST", "users/login", map[string]string{"username": "admin", "password": "123456"})
	status, v := c.do("POST", "events/custom", map[string]any{
		"description_template": "test events - {param}", "data": []Datum{{"param", "string", "bla"}},
	})
	e, _ := v["result"].(map[string]any)
	if status != 200 || e["description"] != "test events - bla" || e["code"] != "CUSTOM_INFO_EVENT" {
		t.Errorf("custom event: %d %v", status, e)
	}
	if s, _ := c.do("POST", "events", map[string]any{"code": "SUPPORT_CONNECTED"}); s != 200 {
		t.Errorf("registered event: %d", s)
	}
	if s, _ := c.do("POST", "events", map[string]any{"code": "MADE_UP"}); s != 400 {
		t.Errorf("unknown event: %d", s)
	}
	if s, _ := c.do("POST", "events/custom", map[string]any{"description_template": strings.Repeat("x", 100_001)}); s != 400 {
		t.Errorf("too large an event: %d", s)
	}
	if _, v := c.do("GET", "events", nil); len(v["result"].([]any)) != 0 {
		t.Error("events are seen at once")
	}
	now = now.Add(10 * time.Second)
	_, v = c.do("GET", "events?code=eq:SUPPORT_CONNECTED", nil)
	if list := v["result"].([]any); len(list) != 1 || len(b.Events()) != 2 {
		t.Errorf("events after the delay: %v", list)
	}
	_, v = c.do("GET", "events?sort=-id&page_size=1&page=2", nil)
	if list := v["result"].([]any); len(list) != 1 || list[0].(map[string]any)["id"] != 1.0 {
		t.Errorf("second page: %v", list)
	}
}

func TestOldFirmware(t *testing.T) {
	_, c := start(t, Options{OldFirmware: true})
	c.do("POST", "users/login", map[string]string{"username": "admin", "password": "123456"})
	if s, _ := c.do("POST", "events", map[string]any{"code": "SUPPORT_CONNECTED"}); s != 400 {
		t.Errorf("old firmware knows SUPPORT_CONNECTED: %d", s)
	}
}

func TestKnobs(t *testing.T) {
	b, c := start(t, Options{})
	b.Knobs.Set(Trouble{Unavailable: []int{0}})
	if s, v := c.do("GET", "system/ready", nil); s != 503 || v["error"] == nil {
		t.Errorf("unavailable: %d %v", s, v)
	}
	rec := httptest.NewRecorder()
	b.Node(1).ServeHTTP(rec, httptest.NewRequest("GET", "/api/rest/system/ready", nil))
	if rec.Code != 200 {
		t.Errorf("the other node: %d", rec.Code)
	}
	b.Knobs.Set(Trouble{Status: 500})
	if s, v := c.do("GET", "system/ready", nil); s != 500 || v != nil {
		t.Errorf("html 500: %d %v", s, v)
	}
	b.Knobs.Set(Trouble{Reset: true})
	if _, err := c.http.Get(c.url + "/api/rest/system/ready"); err == nil {
		t.Error("a reset connection answered")
	}
	b.Knobs.Set(Trouble{Truncate: true})
	resp, err := c.http.Get(c.url + "/api/rest/system/ready")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("truncated answer: %v", err)
	}
}

func TestMailTarget(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // the port is shut
	_, c := start(t, Options{SMTP: l.Addr().String()})
	c.do("POST", "users/login", map[string]string{"username": "admin", "password": "123456"})
	_, v := c.do("GET", "notifications/targets?name=eq:infinidat-smtp", nil)
	if list := v["result"].([]any); len(list) != 1 {
		t.Fatalf("targets: %v", list)
	}
	s, v := c.do("POST", "notifications/targets/1/test", map[string]any{"recipients": []string{"a@example.com"}})
	if s != 409 || !strings.Contains(v["error"].(map[string]any)["message"].(string), "refused") {
		t.Errorf("mail to a shut port: %d %v", s, v)
	}
}
