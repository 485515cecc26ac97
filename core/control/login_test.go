package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// keeper is an API with logins: who types "right" gets a ticket.
type keeper struct {
	fake
	seen   [][]byte
	ended  chan error
	caller Caller
}

func (k *keeper) Login(ctx context.Context, by Caller, r LoginRequest, talk Conversation) (_ Ticket, err error) {
	k.caller = by
	defer func() {
		if k.ended != nil {
			k.ended <- err
		}
	}()
	if err := talk.Show(ctx, Notice{Label: "hello", Value: r.Method, URL: "https://idp.example/x"}); err != nil {
		return Ticket{}, err
	}
	answers, err := talk.Ask(ctx, []Field{{Name: "password", Label: "Password", Secret: true}})
	if err != nil {
		return Ticket{}, err
	}
	k.seen = append(k.seen, bytes.Clone(answers["password"]))
	if string(answers["password"]) != "right" {
		return Ticket{}, coded{}
	}
	return Ticket{User: "ada", Roles: []string{"admin"}, Method: r.Method}, nil
}

func (k *keeper) LoginMethods(context.Context, Caller) ([]string, error) {
	return []string{"infinibox", "sso"}, nil
}
func (k *keeper) Logout(context.Context, Caller) (bool, error) { return true, nil }
func (k *keeper) WhoAmI(context.Context, Caller) (Ticket, error) {
	return Ticket{User: "root", Method: "root"}, nil
}
func (k *keeper) WaitingLogins(context.Context, Caller) ([]WaitingLogin, error) {
	return []WaitingLogin{{ID: "ABCDEF"}}, nil
}
func (k *keeper) ConfirmLogin(_ context.Context, _ Caller, c Confirmation) (WaitingLogin, error) {
	if c.ID != "ABCDEF" || !c.Yes {
		return WaitingLogin{}, badRequest("no such login")
	}
	return WaitingLogin{ID: c.ID}, nil
}

// typist answers every question in the same way.
type typist struct {
	text  string
	err   error
	shown []Notice
	wait  chan struct{}
}

func (t *typist) Ask(ctx context.Context, fields []Field) (map[string][]byte, error) {
	if t.wait != nil {
		close(t.wait)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return map[string][]byte{fields[0].Name: []byte(t.text)}, t.err
}

func (t *typist) Show(_ context.Context, n Notice) error {
	t.shown = append(t.shown, n)
	return nil
}

func dialKeeper(t *testing.T) (*keeper, *Client) {
	t.Helper()
	k := &keeper{}
	c, err := Dial(t.Context(), serve(t, k))
	if err != nil {
		t.Fatal(err)
	}
	return k, c
}

func TestLoginOverTheSocket(t *testing.T) {
	k, c := dialKeeper(t)
	u := &typist{text: "right"}
	got, err := c.Login(t.Context(), Caller{UID: 4242}, LoginRequest{Method: "infinibox"}, u)
	if err != nil || got.User != "ada" || len(u.shown) != 1 || u.shown[0].Value != "infinibox" || u.shown[0].URL == "" {
		t.Errorf("%+v, %v, shown %+v", got, err, u.shown)
	}
	if k.caller.UID != uint32(os.Geteuid()) {
		t.Errorf("the caller is %+v: what a caller says of himself is believed", k.caller)
	}
	_, err = c.Login(t.Context(), Caller{}, LoginRequest{Method: "x"}, &typist{text: "wrong-c4n4ry"})
	var e *Error
	if !errors.As(err, &e) || e.Code != 3 || e.Hint() != "ask your security officer" || strings.Contains(err.Error(), "c4n4ry") {
		t.Errorf("%+v", err)
	}
	if _, err := c.Login(t.Context(), Caller{}, LoginRequest{Method: "x"}, &typist{err: errors.New("no terminal")}); err == nil || err.Error() != "no terminal" {
		t.Errorf("%v", err)
	}
	if out, err := c.Logout(t.Context(), Caller{}); err != nil || !out {
		t.Errorf("%v, %v", out, err)
	}
	if who, err := c.WhoAmI(t.Context(), Caller{}); err != nil || who.User != "root" {
		t.Errorf("%+v, %v", who, err)
	}
	if list, err := c.LoginMethods(t.Context(), Caller{}); err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := c.WaitingLogins(t.Context(), Caller{}); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if w, err := c.ConfirmLogin(t.Context(), Caller{}, Confirmation{ID: "ABCDEF", Yes: true}); err != nil || w.ID != "ABCDEF" {
		t.Errorf("%+v, %v", w, err)
	}
}

// A user who goes away ends his login on the other side too.
func TestLoginEnds(t *testing.T) {
	k, c := dialKeeper(t)
	k.ended = make(chan error, 2)
	ctx, cancel := context.WithCancel(t.Context())
	u := &typist{wait: make(chan struct{})}
	go func() { <-u.wait; cancel() }()
	if _, err := c.Login(ctx, Caller{}, LoginRequest{Method: "x"}, u); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	select {
	case err := <-k.ended:
		if err == nil {
			t.Error("let in")
		}
	case <-time.After(10 * time.Second):
		t.Error("the login goes on without anybody")
	}
}

// Whatever is sent instead of an answer.
func TestHostileAnswers(t *testing.T) {
	_, c := dialKeeper(t)
	post := func(path, body string) (int, string) {
		t.Helper()
		resp, err := c.http.Post("http://agent"+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var e Error
		json.NewDecoder(resp.Body).Decode(&e)
		return resp.StatusCode, e.Message
	}
	for _, tt := range []struct {
		path, body string
		status     int
	}{
		{"/v1/login/AAAA", `{"values":{"password":"cmlnaHQ="}}`, http.StatusNotFound},
		{"/v1/login", `{`, http.StatusBadRequest},
		{"/v1/login", strings.Repeat(" ", 10<<10), http.StatusBadRequest},
		{"/v1/consents", `"ABCDEF c4n4ry"`, http.StatusBadRequest},
	} {
		if status, says := post(tt.path, tt.body); status != tt.status || says == "" || strings.Contains(says, "c4n4ry") {
			t.Errorf("%s %.20q: %d, %q", tt.path, tt.body, status, says)
		}
	}
}

func TestLoginsAreBounded(t *testing.T) {
	l := new(logins)
	if _, _, err := l.begin(7); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.begin(7); err == nil {
		t.Error("two at once within a moment")
	}
	l.last[7] = time.Now().Add(-pause)
	id, _, err := l.begin(7)
	if err != nil {
		t.Fatal(err)
	}
	l.last[7] = time.Now().Add(-pause)
	if _, _, err := l.begin(7); err == nil {
		t.Error("three logins of one user")
	}
	if l.find(id, 8) != nil {
		t.Error("another user answers")
	}
	for uid := uint32(100); uid < 200; uid++ {
		l.begin(uid)
	}
	if len(l.all) != maxLogins {
		t.Errorf("%d logins at once", len(l.all))
	}
	if _, _, err := l.begin(0); err != nil {
		t.Errorf("root is kept out: %v", err)
	}
	l.end(id)
	if l.find(id, 7) != nil {
		t.Error("a login that has ended is answered")
	}
}
