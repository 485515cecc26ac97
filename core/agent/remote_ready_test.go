package agent

import (
	"testing"

	"github.com/latchstring/latchstring/core/control"
)

// When a transport is kept ready, and which.
func TestNextWay(t *testing.T) {
	w := newWorld(t)
	r := w.agent.remote.Load()
	want := func(when, transport string) {
		t.Helper()
		way, ok := r.nextWay()
		if ok != (transport != "") || ok && way.Transport != transport {
			t.Errorf("%s: %v %q, not %q", when, ok, way.Transport, transport)
		}
	}
	policy := func(text string) {
		t.Helper()
		writePolicy(t, w.root, text)
		w.agent.refreshPolicy()
	}
	want("at rest", "direct")
	o := w.on(control.OnRequest{})
	want("while one is open", "")
	if o.Session.State != "open" {
		t.Errorf("session %+v", o.Session)
	}
	if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	want("after it", "direct")
	policy(`remote_access = "locked_off"`)
	want("locked off", "")
	policy(``)
	want("unlocked", "direct")
	w.localConfig("REMOTE_SUPPORT_PROXY=https://proxy.example:3128\n")
	want("through a proxy", "https")
	w.localConfig("REMOTE_SUPPORT_PROXY=none\n")
	want("without one again", "direct")
	policy(`remote_access = "permanently_disabled"`)
	want("sealed", "")
}
