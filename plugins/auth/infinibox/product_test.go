package infinibox

import (
	"errors"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/sdk/auth"
	fake "github.com/latchstring/latchstring/testdata/infinibox"
)

// REQ C1: an InfiniGuard, by what is published of the InfiniBox inside of it.
func TestInfiniGuard(t *testing.T) {
	l := newLab(t, fake.Options{Guard: true})
	box := l.box
	set := func(product string) map[string]any {
		s := l.settings()
		s["product"] = product
		return s
	}
	for _, product := range []string{auto, infiniGuard} {
		id, err := method(t, set(product)).Authenticate(t.Context(), auth.Request{}, &person{user: "admin", password: "123456"})
		if err != nil || id.Evidence["product"] != infiniGuard || id.Evidence["array"] != "iguard-lab" || id.Evidence["serial"] != "" {
			t.Errorf("%s: %+v, %v", product, id, err)
		}
	}
	m := method(t, set(infiniGuard))
	if _, err := m.Authenticate(t.Context(), auth.Request{}, &person{user: "reader", password: "reader-pass"}); !errors.Is(err, auth.Denied) || !strings.Contains(err.Error(), "the InfiniGuard knows this user") {
		t.Error(err)
	}
	box.Knobs.Set(fake.Trouble{Status: 503})
	if _, err := m.Authenticate(t.Context(), auth.Request{}, &person{user: "admin", password: "123456"}); !errors.Is(err, auth.Unreachable) || !strings.Contains(err.Error(), "the InfiniGuard is not available") {
		t.Error(err)
	}
	box.Knobs.Set(fake.Trouble{})
	if box.Sessions() != 0 {
		t.Errorf("%d sessions are left", box.Sessions())
	}
	// Test Connection says when it is something else.
	wrong := set(infiniBox)
	wrong["event_user"], wrong["event_password"] = "admin", "123456"
	if got, err := steps(t, wrong); !errors.Is(err, auth.Config) || !strings.Contains(got, "what answers there is an infiniguard") {
		t.Errorf("%s, %v", got, err)
	}
}
