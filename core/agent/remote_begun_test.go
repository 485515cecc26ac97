package agent

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
)

// A session whose beginning cannot be written down is not announced, although
// connections are made meanwhile; nothing of it is left in the way of the next.
func TestNotBegun(t *testing.T) {
	for what, file := range map[string]func(w *world) string{
		"its record":    func(w *world) string { return w.root.Session() },
		"the audit log": func(w *world) string { return filepath.Join(w.root.Audit(), "head.json") },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			path := file(w)
			if err := os.Rename(path, path+".kept"); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
				t.Fatal(err)
			}
			if o, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{}); err == nil {
				t.Fatalf("opened: %+v", o)
			}
			if s := w.state(); s.State != "off" {
				t.Errorf("state %s", s.State)
			}
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			_ = os.Rename(path+".kept", path)
			if found, err := connect.Find(t.Context(), w.Engineer, w.System.ID()); err != nil || found.Session != nil {
				t.Errorf("the relay knows of %+v, %v", found.Session, err)
			}
			if n := len(w.events(audit.SessionOpened)); n > 0 {
				t.Errorf("%d sessions were opened", n)
			}
			w.on(control.OnRequest{})
			if n := len(w.events(audit.SessionOpened)); n != 1 {
				t.Errorf("%d sessions were opened", n)
			}
		})
	}
}
