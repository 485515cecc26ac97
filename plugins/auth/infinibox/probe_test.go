package infinibox

import (
	"errors"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
	fake "github.com/latchstring/latchstring/testdata/infinibox"
)

// steps runs a probe and writes down what it shows.
func steps(t *testing.T, set map[string]any) (string, error) {
	t.Helper()
	var b strings.Builder
	err := method(t, set).Probe(t.Context(), func(s auth.Step) {
		b.WriteString(s.Name + ": " + s.Detail)
		if s.Err != nil {
			b.WriteString("FAILED " + s.Err.Error() + " (" + failure.From(s.Err).Hint + ")")
		}
		b.WriteString("\n")
	})
	return b.String(), err
}

// REQ B7
func TestProbe(t *testing.T) {
	l := newLab(t, fake.Options{})
	set := l.settings()
	if got, err := steps(t, set); err != nil || strings.Count(got, "it serves, certificate: pinned") != 2 || !strings.Contains(got, "do not reach the array") || !strings.Contains(got, "clocks: 0s apart") {
		t.Errorf("%s%v", got, err)
	}
	set["event_user"], set["event_password"] = "tech", "tech-pass"
	if got, err := steps(t, set); err != nil || !strings.Contains(got, "tech, with the role TECHNICIAN") || l.box.Sessions() != 0 {
		t.Errorf("%s%v, %d sessions", got, err, l.box.Sessions())
	}
	set["event_password"] = "c4n4ry"
	if got, err := steps(t, set); !errors.Is(err, auth.BadLogin) || !strings.Contains(got, "FAILED the array refuses the user for events") || strings.Contains(got, "c4n4ry") {
		t.Errorf("%s%v", got, err)
	}
	l.box.Knobs.Set(fake.Trouble{Unavailable: []int{0}})
	set["event_password"] = "tech-pass"
	if got, err := steps(t, set); !errors.Is(err, auth.Unreachable) || !strings.Contains(got, "503") || !strings.Contains(got, "with the role TECHNICIAN") {
		t.Errorf("%s%v", got, err)
	}
	l.box.Knobs.Set(fake.Trouble{Unavailable: []int{0, 1}})
	if got, err := steps(t, set); !errors.Is(err, auth.Unreachable) || strings.Contains(got, "events") {
		t.Errorf("%s%v", got, err)
	}
	l.box.Knobs.Set(fake.Trouble{})
	set["pin"] = strings.Repeat("00", 32)
	if got, err := steps(t, set); !errors.Is(err, auth.Unreachable) || !strings.Contains(got, "has a new certificate") {
		t.Errorf("%s%v", got, err)
	}
}
