package hostile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
)

// The relay wants a session to go on that has ended.
var ends = []Case{
	{"keeps-open-after-off", "keeps every connection open when the customer turns remote access off, and goes on talking", Refused, keepsOpen},
	{"stalls-at-off", "stops reading in the middle of a stream of output, so that off might hang", Harmless, stallsAtOff},
	{"outlasts-its-time", "keeps a session busy, under full traffic, when its time is up", Refused, outlasts(2*time.Hour, 2*time.Hour)},
	{"outlasts-suspend", "keeps a session busy over a suspend of the machine", Refused, outlasts(3*24*time.Hour, 3*24*time.Hour)},
	{"outlasts-clock-set-back", "keeps a session busy while the time of day is set back by a year", Refused, outlasts(-365*24*time.Hour, 61*time.Minute)},
	{"outlasts-clock-set-forward", "keeps a session busy while the time of day is set forward", Refused, outlasts(2*time.Hour, 0)},
	{"lengthens-session", "hides from both sides that the session is about to end", Refused, lengthens},
}

// busy starts a command that writes without end and one that only waits; the
// number of the second one's process is returned.
func (v *visit) busy() (pid string, err error) {
	s, err := v.ssh.NewSession()
	if err != nil {
		return "", err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := s.Start("trap '' HUP TERM; while :; do echo traffic traffic traffic traffic; done"); err != nil {
		return "", err
	}
	go io.Copy(io.Discard, out)
	said, err := v.run("trap '' HUP TERM; (trap '' HUP TERM; sleep 600) >/dev/null 2>&1 & echo $!")
	return strings.TrimSpace(said), err
}

// dead reports whether a process is gone.
func dead(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	return pid == "" || err != nil || strings.Contains(string(stat), ") Z ")
}

// lost reports whether a connection has no line at the moment.
func lost(c *connect.Conn) bool {
	select {
	case <-c.Lost():
		return true
	default:
		return false
	}
}

// over checks that a session has ended altogether.
func (w *world) over(v *visit, pid string, kept []io.ReadWriter) error {
	if s := w.state(); s.State != "off" || len(s.Connections) > 0 {
		return fmt.Errorf("the session is %s with %d connections", s.State, len(s.Connections))
	}
	if !dead(pid) {
		return fmt.Errorf("process %s is still there", pid)
	}
	// He hears why, unless the relay keeps that back; then his line is dead.
	if err := w.until("the engineer's line ends", func() bool { return v.conn.Err() != nil || lost(v.conn) }); err != nil {
		return err
	}
	v.conn.Abort("")
	// What the relay still holds leads nowhere.
	for _, c := range kept {
		c.Write(message(claim, []byte("{}")))
		fmt.Fprintln(c, `{"type":"start","connection":"con-00000000"}`)
		if n, err := c.Read(make([]byte, 1)); n > 0 && err == nil {
			return errors.New("a line that was kept open still answers")
		}
	}
	if conn, err := w.eng.dialFor(w.system, time.Second); err == nil {
		conn.Abort("")
		return errors.New("the engineer gets in again")
	}
	if n := len(w.events(audit.ConnectionOpened)); n != w.let {
		return fmt.Errorf("%d connections after the end", n-w.let)
	}
	return nil
}

func keepsOpen(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	pid, err := v.busy()
	if err != nil {
		return "", err
	}
	// Held, and not closed by this relay, whatever the other end does.
	kept := []io.ReadWriter{}
	if c := w.spare(w.id); c != nil {
		kept = append(kept, c)
	}
	l := w.link(w.id)
	_, took, err := w.off()
	if err != nil || took > slow {
		return "", fmt.Errorf("off took %s, %v", took, err)
	}
	if _, err := w.ask(w.id, "con-00000000", 500*time.Millisecond); err == nil {
		return "", errors.New("the system dials back although it is off")
	}
	select {
	case <-l.gone:
	case <-time.After(patience):
		return "", errors.New("the control stream is still there")
	}
	if err := w.over(v, pid, kept); err != nil {
		return "", err
	}
	// What the engineer had kept is worth nothing in the next session either.
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	if _, err := w.dialEnrolled(); err == nil {
		return "", errors.New("what the engineer kept opens the next session")
	}
	return fmt.Sprintf("off took %s; every process was dead and every line led nowhere, though the relay closed none", took.Round(time.Millisecond)), w.honest()
}

func stallsAtOff(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	pid, err := v.busy()
	if err != nil {
		return "", err
	}
	stop := make(chan struct{})
	defer close(stop)
	w.set(plan{up: func(*splice, unit) [][]byte { <-stop; return nil }, down: func(*splice, unit) [][]byte { <-stop; return nil }})
	time.Sleep(300 * time.Millisecond) // the buffers fill
	_, took, err := w.off()
	if err != nil || took > slow {
		return "", fmt.Errorf("off took %s, %v", took, err)
	}
	if !dead(pid) {
		return "", fmt.Errorf("process %s is still there", pid)
	}
	v.conn.Abort("")
	return fmt.Sprintf("off took %s, and every process was dead", took.Round(time.Millisecond)), nil
}

// outlasts moves the clocks under a session of an hour.
func outlasts(wall, boot time.Duration) func(*world) (string, error) {
	return func(w *world) (string, error) {
		v, err := w.eng.enter(w.system)
		if err != nil {
			return "", err
		}
		pid, err := v.busy()
		if err != nil {
			return "", err
		}
		begin := time.Now()
		w.clock.move(wall, boot)
		why, err := w.isOff()
		if err != nil {
			return "", err
		}
		took := time.Since(begin)
		if took > slow || !strings.Contains(why, "time is up") {
			return "", fmt.Errorf("it ended after %s: %s", took, why)
		}
		return fmt.Sprintf("it ended %s after its time, with everything that ran", took.Round(100*time.Millisecond)), w.over(v, pid, nil)
	}
}

// lengthens changes the end in what the system says, keeps the warnings back,
// and has an engineer come when it is over.
func lengthens(w *world) (string, error) {
	later := time.Now().Add(1000 * time.Hour).UTC().Truncate(time.Second)
	w.set(plan{down: edit(offer, "expires", later)})
	if conn, err := w.eng.dial(w.system); err == nil {
		conn.Abort("")
		return "", errors.New("the engineer believes another end")
	}
	w.set(plan{})
	if err := w.renew(); err != nil {
		return "", err
	}
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	if time.Until(v.conn.Expires) > 61*time.Minute {
		return "", fmt.Errorf("the engineer is told that it ends at %s", v.conn.Expires)
	}
	w.set(plan{join: hang})
	// An engineer's line that the relay holds until the time is up.
	late := make(chan error, 1)
	n := w.count()
	go func() {
		conn, err := connect.Dial(w.ctx, w.eng.options(w.system, w.told))
		if err == nil {
			conn.Abort("")
		}
		late <- err
	}()
	if err := w.until("the relay holds the line", func() bool { return w.count() > n }); err != nil {
		return "", err
	}
	held := w.splice(-1)
	w.clock.move(2*time.Hour, 2*time.Hour)
	why, err := w.isOff()
	if err != nil {
		return "", err
	}
	go held.pass()
	select {
	case err := <-late:
		if err == nil {
			return "", errors.New("who came in time and was held back until it was over is in")
		}
	case <-time.After(patience):
		held.close()
		if err := <-late; err == nil {
			return "", errors.New("who was held back is in")
		}
	}
	return "the end is bound into the handshake, and whoever is held back until then finds the door shut: " + why, nil
}
