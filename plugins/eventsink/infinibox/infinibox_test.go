package infinibox

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
	fake "github.com/latchstring/latchstring/testdata/infinibox"
)

// array is a fake one with two management addresses.
func array(t *testing.T, o fake.Options) (*fake.Box, map[string]any) {
	box := fake.New(o)
	var addresses []string
	pin := ""
	for i := range 2 {
		srv := httptest.NewUnstartedServer(box.Node(i))
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		addresses = append(addresses, srv.Listener.Addr().String())
		pin = trust.ShowPin(sha256.Sum256(srv.Certificate().Raw))
	}
	return box, map[string]any{"addresses": addresses, "pin": pin, "event_user": "tech", "event_password": "tech-pass", "timeout": "2s"}
}

func sink(t *testing.T, settings map[string]any) *Sink {
	t.Helper()
	s := New()
	data, err := json.Marshal(map[string]any{"array": settings})
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Decode(s.Config(), data); err != nil {
		t.Fatal(err)
	}
	return s
}

var session = []eventsink.Event{
	{ID: "1", Code: "SUPPORT_SESSION_STARTED", Description: "Support session started", Data: map[string]string{"session_name": "s-1", "session_expiry_time": "2026-11-23T12:00:00Z", "case": "4711"}},
	{ID: "2", Code: "SUPPORT_CONNECTED", Description: "x"},
	{ID: "3", Code: "SUPPORT_DISCONNECTED", Description: "x"},
	{ID: "4", Code: "SUPPORT_SESSION_ENDED", Description: "x", Data: map[string]string{"session_name": "s-1"}},
}

func deliver(t *testing.T, s *Sink, events ...eventsink.Event) {
	t.Helper()
	for _, e := range events {
		e.Time = time.Now()
		if err := s.Deliver(t.Context(), e); err != nil {
			t.Fatalf("%s: %v", e.Code, err)
		}
	}
}

func seen(box *fake.Box) (out []string) {
	for _, e := range box.Events() {
		out = append(out, e.Code+": "+e.Description)
	}
	return out
}

// REQ E3, E4
func TestRegisteredCodes(t *testing.T) {
	box, set := array(t, fake.Options{})
	deliver(t, sink(t, set), session...)
	want := []string{
		"SUPPORT_SESSION_STARTED: Support session s-1 started, expires 2026-11-23T12:00:00Z",
		"SUPPORT_CONNECTED: Infinidat Support connected to the system",
		"SUPPORT_DISCONNECTED: Infinidat Support disconnected from the system",
		"SUPPORT_SESSION_ENDED: Support session s-1 ended",
	}
	if got := seen(box); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the array has\n%s", strings.Join(got, "\n"))
	}
	if n := box.Sessions(); n != 0 {
		t.Errorf("%d logins are left open", n)
	}
}

// REQ E3, K5, K7: an array that knows no such codes gets custom events with exactly
// these texts.
func TestOldFirmware(t *testing.T) {
	box, set := array(t, fake.Options{OldFirmware: true})
	deliver(t, sink(t, set), session...)
	want := []string{
		"CUSTOM_INFO_EVENT: Support session started",
		"CUSTOM_INFO_EVENT: Infinidat Support connected to the system",
		"CUSTOM_INFO_EVENT: Infinidat Support disconnected from the system",
		"CUSTOM_INFO_EVENT: Support session ended",
	}
	if got := seen(box); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the array has\n%s", strings.Join(got, "\n"))
	}
	if user := box.Events()[0].Username; user != "tech" {
		t.Errorf("written by %q", user)
	}
}

// Whatever 4xx refuses the code, the custom event goes; but not after a 401.
func TestEveryRefusalFallsBack(t *testing.T) {
	for _, status := range []int{400, 403, 404, 405, 409, 422} {
		box, set := array(t, fake.Options{})
		box.Knobs.Set(fake.Trouble{Status: status, Only: "events"})
		deliver(t, sink(t, set), session[1])
		if got := seen(box); len(got) != 1 || got[0] != "CUSTOM_INFO_EVENT: Infinidat Support connected to the system" {
			t.Errorf("%d: the array has %v", status, got)
		}
	}
	box, set := array(t, fake.Options{})
	set["event_password"] = "wrong"
	err := sink(t, set).Deliver(t.Context(), session[1])
	if !errors.Is(err, failure.BadLogin) || eventsink.IsPermanent(err) || len(box.Events()) != 0 || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		trouble fake.Trouble
		ok      bool
		perm    bool
	}{
		"first node down":   {fake.Trouble{Unavailable: []int{0}}, true, false},
		"both nodes down":   {fake.Trouble{Unavailable: []int{0, 1}}, false, false},
		"500":               {fake.Trouble{Status: 500}, false, false},
		"404 for all":       {fake.Trouble{Status: 404}, false, true},
		"403 for all":       {fake.Trouble{Status: 403}, false, false},
		"429 for all":       {fake.Trouble{Status: 429}, false, false},
		"redirected":        {fake.Trouble{Status: 302}, false, false},
		"reset":             {fake.Trouble{Reset: true}, false, false},
		"cut short":         {fake.Trouble{Truncate: true}, false, false},
		"no answer in time": {fake.Trouble{Delay: 2 * time.Second}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			box, set := array(t, fake.Options{})
			set["timeout"] = "300ms"
			if !strings.Contains(name, "time") {
				set["timeout"] = "5s"
			}
			box.Knobs.Set(c.trouble)
			err := sink(t, set).Deliver(t.Context(), session[1])
			if (err == nil) != c.ok || eventsink.IsPermanent(err) != c.perm {
				t.Errorf("%v (permanent %v)", err, eventsink.IsPermanent(err))
			}
			if err != nil && strings.Contains(err.Error(), "tech-pass") {
				t.Error("the password is in the error")
			}
		})
	}
}

// An array that is not the one that was pinned gets no password.
func TestWrongCertificate(t *testing.T) {
	box, set := array(t, fake.Options{})
	for _, pin := range []any{trust.ShowPin(sha256.Sum256([]byte("another"))), nil} {
		if set["pin"] = pin; pin == nil {
			delete(set, "pin")
		}
		err := sink(t, set).Deliver(t.Context(), session[1])
		if !errors.Is(err, failure.TLS) || eventsink.IsPermanent(err) {
			t.Errorf("pin %v: %v", pin, err)
		}
	}
	if len(box.Events()) != 0 {
		t.Error("the event went there")
	}
}

// The same event twice, since the host did not hear of the first, is one at the
// array. What an event says is no template and no line.
func TestTwiceAndHostileText(t *testing.T) {
	box, set := array(t, fake.Options{})
	s := sink(t, set)
	deliver(t, s, session[1], session[1])
	evil := eventsink.Event{ID: "9", Code: "SOMETHING", Level: "error", Description: "a\r\nb {name} \x1b[2J\u202e{text}", Data: map[string]string{"name": "value"}}
	deliver(t, s, evil)
	got := box.Events()
	if len(got) != 2 || got[1].Code != "CUSTOM_ERROR_EVENT" || got[1].Template != "{text}" || strings.ContainsAny(got[1].Data[0].Value, "\r\n\x1b") {
		t.Errorf("the array has %+v", got)
	}
}

func TestConformance(t *testing.T) {
	_, set := array(t, fake.Options{})
	broken := map[string]any{}
	for k, v := range set {
		broken[k] = v
	}
	broken["addresses"] = []string{"127.0.0.1:1"}
	plugintest.EventSink(t, func() eventsink.Sink { return New() }, plugintest.Options{
		Config: map[string]any{"array": set}, Broken: map[string]any{"array": broken},
	})
}

// REQ F3: failures of hardware keep their level at the array.
func TestHardware(t *testing.T) {
	box, set := array(t, fake.Options{})
	for i, level := range []string{"warning", "error", "critical", "info"} {
		deliver(t, sink(t, set), eventsink.Event{ID: fmt.Sprint("h", i), Code: "HARDWARE_FAILED", Level: level, Description: "Hardware failure: array md0 (raid1): it lacks a member {x}"})
		e := box.Events()[i]
		if e.Level != strings.ToUpper(level) || e.Description != "Hardware failure: array md0 (raid1): it lacks a member {x}" {
			t.Errorf("%+v", e)
		}
	}
}
