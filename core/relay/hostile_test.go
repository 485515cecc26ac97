package relay_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

func TestOtherSystemsUploads(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

func TestTLSVersions(t *testing.T) {
	t.Parallel()
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

func TestOpenSSL(t *testing.T) {
	t.Parallel()
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

func TestHostileRequests(t *testing.T) {
	t.Parallel()
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

func TestAdminSocket(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t)
	path := filepath.Join(t.TempDir(), "rss.sock")
	if _, err := relay.Dial(path); !errors.Is(err, relay.ErrNotRunning) {
		t.Errorf("Dial of nothing: %v", err)
	}
	done := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { done <- r.Server.ServeAdmin(ctx, path) }()
	var admin *relay.Admin
	until.OK(t, "the relay can be administered", func() (err error) { admin, err = relay.Dial(path); return err })
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

func TestConnectErrors(t *testing.T) {
	t.Parallel()
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
