package e2e

import (
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/testdata/until"
)

// REQ I4. A policy that denies the transport of a session which is open ends it;
// one that denies another does not.
func TestDeniedTransportIsCut(t *testing.T) {
	w := newWorld(t)
	o, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w.enter(o.Secret)
	loads := len(w.all(audit.PolicyLoaded))
	w.file(filepath.Join(w.root.Policies(), "site.hcl"), []byte(`plugins { deny = ["transport/socks"] }`+"\n"))
	until.True(w.t, "it is in force", func() bool { return len(w.all(audit.PolicyLoaded)) > loads })
	if s, err := w.agent.Session(t.Context(), control.Self()); err != nil || s.State != "connected" {
		t.Fatalf("%+v, %v", s, err)
	}
	w.file(filepath.Join(w.root.Policies(), "site.hcl"), []byte(`plugins { deny = ["transport/direct"] }`+"\n"))
	until.True(w.t, "it is off", func() bool {
		s, err := w.agent.Session(t.Context(), control.Self())
		return err == nil && s.State == "off"
	})
	ended := w.all(audit.SessionEnded)
	if len(ended) != 1 || !strings.Contains(ended[0].Detail["reason"], "the plugin transport/direct is denied") || !strings.Contains(ended[0].Detail["reason"], "site.hcl:1") {
		t.Errorf("%+v", ended)
	}
}

// REQ H5. A bundle that could not be delivered is, while a session is open, and
// not while none is (REQ H6).
func TestQueueDuringSession(t *testing.T) {
	w := newWorld(t)
	q, err := deliver.OpenQueue(w.root.Queue())
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 100<<10)
	rand.Read(data)
	if _, err := q.Add(w.file(filepath.Join(t.TempDir(), "bundle"), data), deliver.Info{Filename: "b.tar.zst.age"}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.all(audit.BundleSent)); n != 0 {
		t.Fatalf("%d bundles left a machine that is off", n)
	}
	if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{}); err != nil {
		t.Fatal(err)
	}
	until.True(w.t, "it is delivered", func() bool { items, err := q.List(); return err == nil && len(items) == 0 })
	if sent := w.all(audit.BundleSent); len(sent) != 1 || sent[0].Actor != "agent" {
		t.Errorf("%+v", sent)
	}
}

func (w *world) all(what audit.Type) (all []audit.Record) {
	w.t.Helper()
	for r, err := range audit.Read(w.root.Audit()) {
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Type == what {
			all = append(all, r)
		}
	}
	return all
}
