package e2e

import (
	"path/filepath"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/testdata/until"
)

// count counts what the audit log says of the transport.
func (w *world) count(what audit.Type) (n int) {
	w.t.Helper()
	for r, err := range audit.Read(w.root.Audit()) {
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Type == what && r.Subject == "transport/direct" {
			n++
		}
	}
	return n
}

// The transport of a session was started before it was wanted, and the next one
// is when it is over; a policy that locks ends what waits.
func TestReady(t *testing.T) {
	w := newWorld(t)
	taken := 0
	for try := 0; taken < 2; try++ {
		if try == 10 {
			t.Fatal("each session starts a transport of its own")
		}
		until.True(w.t, "a transport is started", func() bool { return w.count(audit.PluginStarted) > w.count(audit.PluginExited) })
		before := w.count(audit.PluginStarted) // it may still need a moment to be ready
		if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{}); err != nil {
			t.Fatal(err)
		}
		if w.count(audit.PluginStarted) == before {
			taken++
		}
		if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
			t.Fatal(err)
		}
	}
	w.file(filepath.Join(w.root.Policies(), "site.hcl"), []byte(`remote_access = "locked_off"`+"\n"))
	until.True(w.t, "none waits where none is allowed", func() bool { return w.count(audit.PluginExited) == w.count(audit.PluginStarted) })
}
