package agent

import (
	"context"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
)

// notice is how long the agent goes on when somebody asks for a restart, so that
// he gets an answer, with what belongs to the page.
const notice = 2 * time.Second

// restart is what makes Run end so that its process starts anew.
type restart struct {
	mu    sync.Mutex
	stop  func() // nil when not running
	asked bool
}

func (r *restart) arm(stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = stop
}

// Restart implements [control.Pages]: an open session ends as by `off`, with its
// events and its recordings closed, and [Agent.Run] returns (REQ B11). It needs
// no fresh login, as ending a session does not.
func (a *Agent) Restart(_ context.Context, by control.Caller) error {
	if err := a.outsider(by, "restart the service"); err != nil {
		return err
	}
	a.again.mu.Lock()
	defer a.again.mu.Unlock()
	if a.again.stop == nil {
		return control.ErrNotRunning
	}
	if a.again.asked {
		return nil // it is on its way
	}
	if _, err := a.Append(audit.Event{Type: audit.AgentRestarting, Actor: by.Actor()}); err != nil {
		return err
	}
	a.again.asked = true
	time.AfterFunc(notice, a.again.stop)
	return nil
}

// Restarting reports whether Run has ended because somebody asked for a restart.
func (a *Agent) Restarting() bool {
	a.again.mu.Lock()
	defer a.again.mu.Unlock()
	return a.again.asked
}
