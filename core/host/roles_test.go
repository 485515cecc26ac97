package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/sdk/failure"
)

// user answers a plugin's questions.
type user struct {
	pin    string
	err    error
	asked  []Field
	shown  []Notice
	handed []byte
}

func (u *user) Ask(_ context.Context, fields []Field) (map[string][]byte, error) {
	u.asked = append(u.asked, fields...)
	u.handed = []byte(u.pin)
	return map[string][]byte{"pin": u.handed}, u.err
}

func (u *user) Show(_ context.Context, n Notice) error {
	u.shown = append(u.shown, n)
	return nil
}

func (b *bench) auth(t *testing.T, name string) *Auth {
	t.Helper()
	a, err := b.Auth(name, Use{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestAuthenticate(t *testing.T) {
	b := newBench(t)
	a := b.auth(t, "good")
	u := &user{pin: "1234"}
	id, err := a.Authenticate(t.Context(), Login{Client: "cli"}, u)
	if err != nil {
		t.Fatal(err)
	}
	if id.User != "ada" || id.Roles[0] != "admin" || id.Method != "pin" || id.Evidence["client"] != "cli" || time.Until(id.Expires) < time.Minute {
		t.Errorf("identity %+v", id)
	}
	if len(u.shown) != 1 || u.shown[0].Value != "ABC" || u.asked[0].Label != "PIN[2J" || !u.asked[0].Secret {
		t.Errorf("shown %+v, asked %+v", u.shown, u.asked)
	}
	if string(u.handed) != "\x00\x00\x00\x00" {
		t.Error("the answer was not wiped")
	}
	_, err = a.Authenticate(t.Context(), Login{}, &user{pin: "0000"})
	if !errors.Is(err, failure.BadLogin) || !strings.Contains(err.Error(), "wrong PIN") {
		t.Errorf("wrong PIN: %v", err)
	}
	gaveUp := errors.New("gave up")
	if _, err = a.Authenticate(t.Context(), Login{}, &user{err: gaveUp}); !errors.Is(err, gaveUp) {
		t.Errorf("user gave up: %v", err)
	}
}

func TestHostileAuth(t *testing.T) {
	b := newBench(t)
	for name, want := range map[string]string{
		"no-result": "it ended a login without a result",
		"escape":    "a name, method or role that is no plain text",
		"endless":   "a login of more than 100 turns",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.auth(t, name).Authenticate(t.Context(), Login{}, &user{})
			if !errors.As(err, new(*MisbehaviorError)) || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
			if b.audit.has(audit.PluginMisbehave, "auth/"+name) == nil {
				t.Error("not recorded")
			}
		})
	}
}

func TestDeliver(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeouts.Dial = 500 * time.Millisecond })
	s, err := b.EventSink("good", Use{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(t.Context(), Event{ID: "1", Code: "X", Time: time.Now()}); err != nil {
		t.Error(err)
	}
	h, err := b.EventSink("hang", Use{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Deliver(t.Context(), Event{ID: "1", Code: "X"}); !errors.As(err, new(*StuckError)) {
		t.Errorf("hanging sink: %v", err)
	}
}
