package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/testdata/until"
)

func nothing(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return nil, errors.New("no certificate")
}

// Every answer says what a page may do, and that nobody keeps it.
func TestHeaders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/login", "/", "/nowhere", "/static/app.css", "/login/sso/callback?code=x"} {
		resp, err := w.c.Get(w.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || resp.Header.Get("X-Frame-Options") != "DENY" || resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %v", path, resp.Header)
		}
		if c := resp.Header.Get("Cache-Control"); c != "no-store" && path != "/static/app.css" {
			t.Errorf("%s: Cache-Control %q", path, c)
		}
	}
}

// No page has a script or style of its own, a field without a label, a picture
// without words, or an id twice; all of them load from here alone.
func TestMarkup(t *testing.T) {
	w := newWorld(t)
	_, _, login := w.get("/login")
	w.in()
	_, _, off := w.get("/")
	w.sess = control.Session{State: "open", ID: "ses-1", Since: w.now, Expires: w.now.Add(time.Hour), SecondsLeft: 3600, Link: &control.Link{Up: true, Since: w.now}, Connections: []control.Connection{
		{ID: "con-1", State: control.ConnectionWaiting, Engineer: "eve", Needs: 1, Until: w.now.Add(time.Minute)}, {ID: "con-2", State: control.ConnectionOpen, Engineer: "bob"}}}
	_, _, open := w.get("/")
	w.want(open, "Support asks to come in", "Deny: the engineer is turned away at once", "Who is in", "bob", "K7M-2Q9-XPT", "/connections/con-1/approve", "Stop")
	for name, page := range map[string]string{"login": login, "off": off, "open": open} {
		checkMarkup(t, name, page)
	}
}

func checkMarkup(t *testing.T, name, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, labelled := map[string]bool{}, map[string]bool{}
	var fields []string
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		a := map[string]string{}
		for _, attr := range n.Attr {
			a[attr.Key] = attr.Val
			if attr.Key == "style" || strings.HasPrefix(attr.Key, "on") {
				t.Errorf("%s: <%s> has %s", name, n.Data, attr.Key)
			}
		}
		if id := a["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: the id %s twice", name, id)
			}
			ids[id] = true
		}
		for _, key := range []string{"src", "href", "action"} {
			if v := a[key]; v != "" && !strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "#") {
				t.Errorf("%s: <%s> leads to %s", name, n.Data, v)
			}
		}
		switch n.Data {
		case "script":
			if a["src"] == "" {
				t.Errorf("%s: a script of its own", name)
			}
		case "style":
			t.Errorf("%s: a style of its own", name)
		case "img":
			if _, has := a["alt"]; !has {
				t.Errorf("%s: a picture without words", name)
			}
		case "label":
			labelled[a["for"]] = true
		case "input", "select", "textarea":
			inLabel := n.Parent != nil && n.Parent.Data == "label"
			if a["type"] != "hidden" && a["aria-label"] == "" && !inLabel {
				fields = append(fields, a["id"])
			}
		}
	}
	for _, id := range fields {
		if !labelled[id] {
			t.Errorf("%s: the field %q has no label", name, id)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		end func(w *world)
	}{
		"idle":     {func(w *world) { w.pass(idle + time.Second) }},
		"absolute": {func(w *world) { stay(w, longest) }},
		"revoked":  {func(w *world) { defer w.lock()(); clear(w.tickets) }},
		"logout":   {func(w *world) { w.post("/logout") }},
		"closed":   {func(w *world) { w.sessions.endAll() }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.in()
			tt.end(w)
			if _, at, _ := w.get("/"); at != "/login" {
				t.Errorf("at %s", at)
			}
			w.sessions.sweep()
			if n := len(w.sessions.list()); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			if name != "revoked" && len(w.tickets) != 0 {
				t.Errorf("the agent still knows %v", w.tickets)
			}
		})
	}
}

// stay is somebody who does something now and then.
func stay(w *world, d time.Duration) {
	w.t.Helper()
	for range int(d/(idle-time.Minute)) + 1 {
		w.pass(idle - time.Minute)
		if _, at, _ := w.get("/"); at != "/" {
			return
		}
	}
	w.t.Error("a session without an end")
}

// A page that is live is no person.
func TestLivePageDoesNotKeepASession(t *testing.T) {
	w := newWorld(t)
	w.in()
	for range 4 {
		w.pass(idle / 3)
		w.get("/state")
	}
	if _, at, _ := w.get("/"); at != "/login" {
		t.Errorf("at %s", at)
	}
}

// REQ B9
func TestLive(t *testing.T) {
	w := newWorld(t)
	w.in()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/events", nil)
	resp, err := w.c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if e, found := strings.CutPrefix(lines.Text(), "event: "); found {
				return e
			}
		}
		return "the end"
	}
	if e := next(); e != "change" {
		t.Fatal(e)
	}
	w.mu.Lock()
	w.sess = control.Session{State: "connected", ID: "ses-1", Connections: []control.Connection{{ID: "con-1", State: control.ConnectionOpen, Engineer: "eve@vendor"}}}
	w.mu.Unlock()
	w.tell <- control.Event{}
	if e := next(); e != "change" {
		t.Fatal(e)
	}
	_, _, part := w.get("/state")
	w.want(part, "eve@vendor", "Support is in")
	if strings.Contains(part, "<html") {
		t.Error("the live part is a whole page")
	}
	w.post("/logout")
	if e := next(); e != "bye" {
		t.Error(e)
	}
}

// REQ B1, B3
func TestOpen(t *testing.T) {
	w := newWorld(t)
	w.in()
	_, _, page := w.post("/session/on", "for", "2h", "case", "CS-1", "own", "1", "secret", "mine & yours", "proxy", "socks5", "proxy_address", "p.example.com", "proxy_port", "1080",
		"proxy_login", "1", "proxy_user", "a@b", "proxy_password", "pw%")
	w.want(page, "Remote support is on", "give the secret to support by telephone", "It ends after 2h already.")
	got := w.asked[0]
	if got.For != "2h" || got.Case != "CS-1" || string(got.Secret) != "mine & yours" || got.Proxy != "socks5://a%40b@p.example.com:1080" || string(got.ProxyPassword) != "pw%" {
		t.Errorf("%+v", got)
	}
	// That it is on is no news any more when somebody else has ended it.
	w.mu.Lock()
	was := w.sess
	w.sess = control.Session{State: "off"}
	w.mu.Unlock()
	if _, _, page = w.get("/state"); strings.Contains(page, "Remote support is on") {
		t.Error("it says that it is on while it is off")
	}
	w.mu.Lock()
	w.sess = was
	w.mu.Unlock()
	_, _, page = w.post("/session/off")
	w.want(page, "2 connections were cut", "Remote support is off")
	for _, tt := range [][]string{
		{"own", "1"}, {"proxy", "https"}, {"proxy", "carrier-pigeon"}, {"proxy", "socks5", "proxy_address", "p:1", "proxy_login", "1"},
	} {
		if _, _, page := w.post("/session/on", tt...); !strings.Contains(page, `class="message error"`) {
			t.Errorf("%v is taken", tt)
		}
	}
	if len(w.asked) != 1 {
		t.Errorf("%d requests", len(w.asked))
	}
	// What was typed is there again, but for secrets.
	_, _, page = w.post("/session/on", "case", "refuse", "for", "8h", "own", "1", "secret", "c4n4ry")
	w.want(page, "log in again", `value="refuse"`, `value="8h" selected`)
	if strings.Contains(page, "c4n4ry") {
		t.Error("a secret is in the page")
	}
}

// REQ B7
func TestTestConnection(t *testing.T) {
	w := newWorld(t)
	w.in()
	_, _, page := w.post("/session/test", "proxy", "https", "proxy_address", "p:1", "own", "1", "secret", "mine")
	w.want(page, "The test went well. Nothing was opened.", "proxy reached", "https://p:1", `value="p:1"`)
	_, _, page = w.post("/session/test", "rss", "other.example.com")
	w.want(page, "The test failed. Nothing was opened.", "It is another one.", "Look at it.")
	if len(w.asked) != 0 {
		t.Errorf("%+v", w.asked)
	}
	w.pass(testLife)
	if _, _, page = w.get("/"); strings.Contains(page, "another one") {
		t.Error("an old test is shown")
	}
}

func TestConnections(t *testing.T) {
	w := newWorld(t)
	w.in()
	for _, verb := range []string{"approve", "deny", "cut"} {
		if code, at, _ := w.post("/connections/con-1/" + verb); code != http.StatusOK || at != "/" {
			t.Errorf("%s: %d at %s", verb, code, at)
		}
	}
	if code, _, _ := w.post("/connections/con-1/promote"); code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
	if got := strings.Join(w.did, ", "); got != "approve con-1, deny con-1, cut con-1" {
		t.Error(got)
	}
	// What the agent does not admit is not done.
	w.mu.Lock()
	w.no = coded{"refused by policy: not you"}
	w.mu.Unlock()
	_, _, page := w.post("/connections/con-1/approve")
	w.want(page, "Refused by policy: not you.")
	if len(w.did) != 3 {
		t.Errorf("%q", w.did)
	}
}

// REQ A13
func TestRedirect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Redirect(ctx, l, "9000", discard()) }()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND"} {
		for _, path := range []string{"/", "/login?x=1", "/a%2Fb/..;c"} {
			req, err := http.NewRequest(method, "http://"+l.Addr().String()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusPermanentRedirect || resp.Header.Get("Location") != "https://127.0.0.1:9000"+path || len(resp.Cookies()) != 0 {
				t.Errorf("%s %s: %d to %s", method, path, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
	req, _ := http.NewRequest("GET", "http://"+l.Addr().String()+"/", nil)
	req.Host = "evil.example/@x"
	if resp, err := c.Do(req); err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("a strange host: %d to %s", resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBounds(t *testing.T) {
	w := newWorld(t)
	w.logs = func(ctx context.Context, _ control.LoginRequest, talk control.Conversation) (control.Ticket, error) {
		_, err := talk.Ask(ctx, []control.Field{{Name: "pin"}})
		return control.Ticket{}, err
	}
	// Each without a cookie: a stranger who fills what he can.
	refused := 0
	for range maxTalksOne + 3 {
		w.pass(time.Minute) // the pace is tested below
		w.c.Jar = nil
		resp, err := w.c.PostForm(w.url+"/login/start", url.Values{"method": {"pin"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 || len(w.sessions.list()) > maxUnknown {
		t.Errorf("%d were refused, %d sessions", refused, len(w.sessions.list()))
	}
	now := time.Unix(0, 0)
	p := newPace(func() time.Time { return now })
	ok := 0
	for range 100 {
		if _, fine := p.reserve("192.0.2.7"); fine {
			ok++
		}
	}
	if ok > burstOne+int(paceWait/paceOne) {
		t.Errorf("%d at once", ok)
	}
	if _, fine := p.reserve("192.0.2.8"); !fine {
		t.Error("one address keeps out another")
	}
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("user=ada&password=a%2Bb+c&x"))
	f.Add([]byte("a=%&b=%zz&=c&a=2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := parseForm(append([]byte(nil), b...))
		want, err := url.ParseQuery(string(b))
		if err != nil || len(want) > 60 { // ours leaves out what is malformed
			return
		}
		for k, v := range got {
			if want.Get(k) != string(v) {
				t.Errorf("%q: %q, not %q", k, v, want.Get(k))
			}
		}
	})
}

// A login that waits for a second person goes on when he has spoken; whoever had
// the cookie of before gets nothing of it.
func TestWaitingForConsent(t *testing.T) {
	w := newWorld(t)
	agreed := make(chan error)
	w.logs = func(ctx context.Context, r control.LoginRequest, talk control.Conversation) (control.Ticket, error) {
		ticket, err := byPasswordOnly(ctx, r, talk)
		if err != nil {
			return ticket, err
		}
		if err := talk.Show(ctx, control.Notice{Label: "A second person must agree", Value: "carol, on this machine: remote-support login confirm K7Q2MA"}); err != nil {
			return ticket, err
		}
		select {
		case err := <-agreed:
			return ticket, err
		case <-ctx.Done():
			return ticket, ctx.Err()
		}
	}
	for _, no := range []error{nil, errors.New("carol did not agree to this login")} {
		_, at, page := w.post("/login", "user", "ada", "password", "right & proper%+")
		w.want(page, "A second person must agree", "login confirm K7Q2MA", "One moment")
		if at != "/login" {
			t.Fatalf("in before anybody agreed: at %s", at)
		}
		agreed <- no
		until.True(t, "it is decided", func() bool {
			_, at, page = w.get("/login")
			return !strings.Contains(page, "One moment")
		})
		if no == nil && at != "/" || no != nil && !strings.Contains(page, "Carol did not agree") {
			t.Errorf("%v: at %s: %s", no, at, page)
		}
		w.post("/logout")
	}
	// Who goes away ends what he began.
	w.post("/login", "user", "ada", "password", "right & proper%+")
	_, _, page := w.post("/login/cancel")
	w.want(page, "Switch to Challenge Authentication")
	if len(w.tickets) != 0 {
		t.Errorf("%v", w.tickets)
	}
}

// What the browser brings back counts where it is waited for, and once.
func TestCallback(t *testing.T) {
	w := newWorld(t)
	got := make(chan string, 1)
	w.logs = func(ctx context.Context, r control.LoginRequest, talk control.Conversation) (control.Ticket, error) {
		if !strings.HasSuffix(r.Redirect, callbackPath) || !strings.HasPrefix(r.Redirect, "https://127.0.0.1") {
			return control.Ticket{}, errors.New("redirect " + r.Redirect)
		}
		if err := talk.Show(ctx, control.Notice{Label: "Log in at the identity provider", URL: "https://idp.example.com/a?state=s1&nonce=n", Expires: time.Now().Add(time.Minute)}); err != nil {
			return control.Ticket{}, err
		}
		answers, err := talk.Ask(ctx, []control.Field{{Name: callbackField, Secret: true}})
		if err != nil {
			return control.Ticket{}, err
		}
		got <- string(answers[callbackField])
		return control.Ticket{User: "ada", Method: "sso"}, nil
	}
	_, _, page := w.post("/login/start", "method", "sso")
	w.want(page, `http-equiv="refresh" content="0; url=https://idp.example.com/a?state=s1&amp;nonce=n"`, "being sent")
	if _, _, page = w.get("/login"); strings.Contains(page, "http-equiv=\"refresh\"") {
		t.Error("whoever comes back by himself is sent away again")
	}
	if code, _, page := w.get(callbackPath + "?state=s2&code=c"); code != http.StatusBadRequest || !strings.Contains(page, "another login") {
		t.Errorf("%d: %s", code, page)
	}
	_, at, page := w.get(callbackPath + "?state=s1&code=c%2F1")
	if at != "/" || <-got != "state=s1&code=c%2F1" {
		t.Errorf("at %s", at)
	}
	w.want(page, "You logged in by single sign-on", "disabled")
	if _, at, _ := w.get(callbackPath + "?state=s1&code=c%2F1"); at != "/" {
		t.Errorf("at %s", at)
	}
}
