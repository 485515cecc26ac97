package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// fake is an agent whose methods are answered by hand. What is not overridden is
// not called.
type fake struct {
	control.Service
	mu      sync.Mutex
	tickets map[string]control.Ticket // by browser
	sess    control.Session
	asked   []control.OnRequest
	did     []string
	logs    func(ctx context.Context, r control.LoginRequest, talk control.Conversation) (control.Ticket, error)
	no      error // by Admit
	tell    chan control.Event
	pages   ownPages
	taped   taped
}

type coded struct{ msg string }

func (c coded) Error() string { return c.msg }
func (c coded) ExitCode() int { return 3 }

func (f *fake) lock() func() { f.mu.Lock(); return f.mu.Unlock }

func (f *fake) Admit(by control.Caller, what string) error {
	defer f.lock()()
	if _, in := f.tickets[by.Browser]; !in && what != "GET /v1/status" {
		return errors.New("not logged in")
	}
	if what == "GET /v1/status" {
		return nil
	}
	return f.no
}
func (f *fake) LoginMethods(context.Context, control.Caller) ([]string, error) {
	return []string{"challenge", "infinibox", "pin", "sso"}, nil
}
func (f *fake) Login(ctx context.Context, by control.Caller, r control.LoginRequest, talk control.Conversation) (control.Ticket, error) {
	t, err := f.logs(ctx, r, talk)
	defer f.lock()()
	if err == nil {
		f.tickets[by.Browser] = t
	}
	return t, err
}
func (f *fake) Logout(_ context.Context, by control.Caller) (bool, error) {
	defer f.lock()()
	_, in := f.tickets[by.Browser]
	delete(f.tickets, by.Browser)
	return in, nil
}
func (f *fake) WhoAmI(_ context.Context, by control.Caller) (control.Ticket, error) {
	defer f.lock()()
	t, in := f.tickets[by.Browser]
	if !in {
		return t, errors.New("not logged in")
	}
	return t, nil
}
func (f *fake) Status(context.Context, control.Caller) (control.Status, error) {
	return control.Status{System: control.System{RSS: "rss.example.com:443"}}, nil
}
func (f *fake) Session(context.Context, control.Caller) (control.Session, error) {
	defer f.lock()()
	return f.sess, nil
}
func (f *fake) Secret(context.Context, control.Caller, control.SecretRequest) (control.Secret, error) {
	return control.Secret{Secret: "K7M-2Q9-XPT", Usable: true, TriesLeft: 3, Spoken: []string{"Kilo"}}, nil
}
func (f *fake) On(_ context.Context, _ control.Caller, r control.OnRequest) (control.Opened, error) {
	defer f.lock()()
	f.asked = append(f.asked, r)
	if r.Case == "refuse" {
		return control.Opened{}, coded{"refused by policy: the login is 20m old, and no more than 15m are allowed; log in again"}
	}
	f.sess = control.Session{State: "open", ID: "ses-1", By: "web:192.0.2.7(ada)"}
	return control.Opened{Session: f.sess, Notes: []string{"it ends after 2h already"}}, nil
}
func (f *fake) Test(_ context.Context, _ control.Caller, r control.OnRequest, fn func(control.Step)) error {
	if r.Secret != nil {
		return errors.New("the secret is in the test")
	}
	fn(control.Step{Name: "proxy reached", Detail: "at " + r.Proxy, Took: time.Millisecond})
	if r.RSS != "" {
		fn(control.Step{Name: "certificate", Error: "it is another one", Hint: "look at it"})
		return errors.New("it is another one")
	}
	return nil
}
func (f *fake) Off(context.Context, control.Caller) (control.Ended, error) {
	defer f.lock()()
	f.sess = control.Session{State: "off"}
	return control.Ended{WasOpen: true, Session: "ses-1", Connections: 2}, nil
}
func (f *fake) Approve(_ context.Context, _ control.Caller, id string) (control.Connection, error) {
	defer f.lock()()
	f.did = append(f.did, "approve "+id)
	return control.Connection{}, nil
}
func (f *fake) Deny(_ context.Context, _ control.Caller, id string) error {
	defer f.lock()()
	f.did = append(f.did, "deny "+id)
	return nil
}
func (f *fake) Cut(_ context.Context, _ control.Caller, id string) error {
	defer f.lock()()
	f.did = append(f.did, "cut "+id)
	return nil
}
func (f *fake) Watch(ctx context.Context, _ control.Caller, fn func(control.Event) error) error {
	for {
		select {
		case e := <-f.tell:
			if err := fn(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// byPasswordOnly lets in who types "right".
func byPasswordOnly(ctx context.Context, r control.LoginRequest, talk control.Conversation) (control.Ticket, error) {
	answers, err := talk.Ask(ctx, []control.Field{{Name: "user"}, {Name: "password", Secret: true}})
	if err != nil {
		return control.Ticket{}, err
	}
	if string(answers["password"]) != "right & proper%+" {
		return control.Ticket{}, errors.New("auth/infinibox: wrong user name or password")
	}
	return control.Ticket{User: string(answers["user"]), Roles: []string{"admin"}, Method: r.Method}, nil
}

// world is a server with a browser at it.
type world struct {
	*fake
	*Server
	t   *testing.T
	now time.Time
	url string
	c   *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Unix(1_800_000_000, 0), fake: &fake{tickets: map[string]control.Ticket{}, logs: byPasswordOnly, sess: control.Session{State: "off"}, tell: make(chan control.Event)}}
	var err error
	w.Server, err = New(Options{API: w.fake, Name: "sa", Certificate: nothing, Now: func() time.Time { defer w.lock()(); return w.now },
		Peer: func(net.Conn) (uint32, int32, bool) { return 65534, 0, false }})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(w.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(w.sessions.endAll)
	w.url, w.c = srv.URL, srv.Client()
	w.c.Jar, _ = cookiejar.New(nil)
	return w
}

func (w *world) pass(d time.Duration) {
	defer w.lock()()
	w.now = w.now.Add(d)
}

func (w *world) get(path string) (int, string, string) {
	w.t.Helper()
	resp, err := w.c.Get(w.url + path)
	return w.read(resp, err)
}

func (w *world) post(path string, pairs ...string) (int, string, string) {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := w.c.PostForm(w.url+path, form)
	return w.read(resp, err)
}

func (w *world) read(resp *http.Response, err error) (int, string, string) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, resp.Request.URL.Path, string(b)
}

func (w *world) in() {
	w.t.Helper()
	if _, at, page := w.post("/login", "user", "ada", "password", "right & proper%+"); at != "/" {
		w.t.Fatalf("at %s: %s", at, page)
	}
}

func (w *world) want(got string, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			w.t.Errorf("no %q in\n%s", text, got)
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
