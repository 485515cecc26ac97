package agent

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

// REQ E1 E8. The recording of a connection is counter-signed to its end, whoever
// ends it, as long as the engineer's program is there; and where it is not, the
// recording, the event and the passport say that.
func TestEndIsCounterSigned(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, want string
		end        func(string)
	}{
		{"cut", "counter-signed to the end", func(id string) {
			began := time.Now()
			if err := w.agent.Cut(t.Context(), control.Self(), id); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > farewell {
				t.Errorf("the cut took %s", took)
			}
		}},
		{"off", "counter-signed to the end", func(string) {
			if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
				t.Error(err)
			}
		}},
		{"gone", "not counter-signed: the engineer's client was gone", func(id string) {
			w.Stop() // and nothing comes back
			defer w.Start()
			until.True(w.t, "the connection is seen to be lost", func() bool { return w.state().Connections[0].State == control.ConnectionLost })
			if err := w.agent.Cut(t.Context(), control.Self(), id); err != nil {
				t.Error(err)
			}
		}},
		{"left", "counter-signed to the end", nil},
	} {
		if w.state().State == "off" {
			w.on(control.OnRequest{})
		}
		until.True(w.t, tt.name+": the link is up", func() bool { return w.state().Link.Up })
		told, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{})
		if err != nil {
			t.Fatal(err)
		}
		conn, c := w.enter(told.Secret)
		if _, err := run(c, "true"); err != nil {
			t.Error(err)
		}
		id := w.state().Connections[0].ID
		if tt.end == nil {
			if conn.Close(); !conn.WitnessedEnd() {
				t.Error("the engineer's program has not signed the end when it leaves")
			}
		} else {
			tt.end(id)
		}
		var closed *audit.Record
		until.True(w.t, tt.name+": it is closed", func() bool {
			for _, r := range w.events(audit.ConnectionClosed) {
				if r.Subject == id {
					closed = &r
				}
			}
			return closed != nil
		})
		rep, err := record.Verify(filepath.Join(w.root.Recordings(), id), record.Check{Key: w.System.PublicKey()})
		// A head may have been counter-signed before the connection was lost.
		if got := rep.Witnessing.Text(); err != nil || got != tt.want && (tt.name != "gone" || rep.WitnessedEnd || rep.Unwitnessed != "the engineer's client was gone") {
			t.Errorf("%s: %v, %s", tt.name, err, got)
		}
		if got := closed.Detail["counter-signed"]; got != rep.Witnessing.Text() {
			t.Errorf("%s: the event says %q", tt.name, got)
		}
	}
	if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	all := w.events(audit.SessionEnded)
	p, err := record.ReadPassport(all[len(all)-1].Detail["passport"], w.System.PublicKey())
	if err != nil || len(p.Connections) != 2 {
		t.Fatalf("%v, %+v", err, p.Connections)
	}
	for i, want := range []bool{false, true} {
		if v := p.Connections[i]; v.WitnessedEnd != want {
			t.Errorf("the passport says of %d: %s", i, v.Witnessing.Text())
		}
	}
}
