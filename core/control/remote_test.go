package control

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// remoteFake answers the methods of Remote with what it was asked.
type remoteFake struct {
	*fake
	asked []any
}

func (f *remoteFake) On(_ context.Context, by Caller, r OnRequest) (Opened, error) {
	r.Secret, r.ProxyPassword = []byte(string(r.Secret)), []byte(string(r.ProxyPassword)) // the server clears its own
	f.asked = append(f.asked, by, r)
	return Opened{Session: Session{State: "open", ID: "ses-1"}, Secret: "K7M-2Q9-XPT", Notes: []string{"n"}}, nil
}
func (f *remoteFake) Off(context.Context, Caller) (Ended, error) { return Ended{WasOpen: true}, nil }
func (f *remoteFake) Extend(_ context.Context, _ Caller, r ExtendRequest) (Session, error) {
	return Session{ID: r.By}, nil
}
func (f *remoteFake) Session(context.Context, Caller) (Session, error) {
	return Session{State: "off"}, nil
}
func (f *remoteFake) Secret(_ context.Context, _ Caller, r SecretRequest) (Secret, error) {
	return Secret{Secret: string(r.Given), Usable: r.New}, nil
}
func (f *remoteFake) Connections(context.Context, Caller) ([]Connection, error) {
	return []Connection{{ID: "con-1"}}, nil
}
func (f *remoteFake) Cut(_ context.Context, _ Caller, id string) error {
	if id != "con-1" {
		return NotFound("no %q", id)
	}
	return nil
}
func (f *remoteFake) Approve(_ context.Context, _ Caller, id string) (Connection, error) {
	return Connection{ID: id}, nil
}
func (f *remoteFake) Deny(context.Context, Caller, string) error { return coded{} }
func (f *remoteFake) Live(_ context.Context, _ Caller, id string, fn func(Frame) error) error {
	if id != "con-1" {
		return NotFound("no %q", id)
	}
	return errors.Join(fn(Frame{Channel: 1, Data: []byte("\x1b[1mx\x00")}), fn(Frame{Channel: 2}))
}

func TestRemoteRoundTrip(t *testing.T) {
	ctx := t.Context()
	api := &remoteFake{fake: &fake{}}
	c, err := Dial(ctx, serve(t, api))
	if err != nil {
		t.Fatal(err)
	}
	req := OnRequest{For: "8h", Case: "c", RSS: "r:1", Proxy: "https://p:1", ProxyPassword: []byte("pw"), Bind: "eth1", Secret: []byte("s\x00cret")}
	o, err := c.On(ctx, Caller{}, req)
	if err != nil || o.Secret != "K7M-2Q9-XPT" || o.Session.ID != "ses-1" {
		t.Errorf("On = %+v, %v", o, err)
	}
	if diff := cmp.Diff([]any{Self(), req}, api.asked); diff != "" {
		t.Error(diff)
	}
	if e, err := c.Off(ctx, Caller{}); err != nil || !e.WasOpen {
		t.Errorf("Off = %+v, %v", e, err)
	}
	if s, err := c.Extend(ctx, Caller{}, ExtendRequest{By: "2h"}); err != nil || s.ID != "2h" {
		t.Errorf("Extend = %+v, %v", s, err)
	}
	if s, err := c.Session(ctx, Caller{}); err != nil || s.State != "off" {
		t.Errorf("Session = %+v, %v", s, err)
	}
	if s, err := c.Secret(ctx, Caller{}, SecretRequest{New: true, Given: []byte("mine")}); err != nil || s.Secret != "mine" || !s.Usable {
		t.Errorf("Secret = %+v, %v", s, err)
	}
	if all, err := c.Connections(ctx, Caller{}); err != nil || len(all) != 1 {
		t.Errorf("Connections = %+v, %v", all, err)
	}
	if err := c.Cut(ctx, Caller{}, "con-1"); err != nil {
		t.Error(err)
	}
	var e *Error
	if err := c.Cut(ctx, Caller{}, "../x y"); !errors.As(err, &e) || e.Code != 2 || !strings.Contains(e.Message, `"../x y"`) {
		t.Errorf("Cut of nothing: %v", err)
	}
	if one, err := c.Approve(ctx, Caller{}, "con-1"); err != nil || one.ID != "con-1" {
		t.Errorf("Approve = %+v, %v", one, err)
	}
	if err := c.Deny(ctx, Caller{}, "con-1"); !errors.As(err, &e) || e.Code != 3 || e.Help == "" || e.Status != 0 && e.Status != http.StatusForbidden {
		t.Errorf("Deny: %v", err)
	}
	var frames []Frame
	if err := c.Live(ctx, Caller{}, "con-1", func(f Frame) error { frames = append(frames, f); return nil }); err != nil || len(frames) != 2 || string(frames[0].Data) != "\x1b[1mx\x00" {
		t.Errorf("Live: %+v, %v", frames, err)
	}
	if err := c.Live(ctx, Caller{}, "con-2", func(Frame) error { return nil }); !errors.As(err, &e) || e.Code != 2 {
		t.Errorf("Live of nothing: %v", err)
	}
}

// What is no request is refused, and not quoted: it may hold a secret.
func TestMalformedRequests(t *testing.T) {
	c, err := Dial(t.Context(), serve(t, &remoteFake{fake: &fake{}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"secret": "hunter2`, `{"secret": 7}`, `"hunter2"`, `{"case":"` + strings.Repeat("hunter2", 10_000) + `"}`} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://agent/v1/session/on", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		buf := make([]byte, 4096)
		n, _ := resp.Body.Read(buf)
		text.Write(buf[:n])
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest || strings.Contains(text.String(), "hunter2") {
			t.Errorf("%.30s: %d %s", body, resp.StatusCode, text.String())
		}
	}
}
