package hostile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/latchstring/latchstring/core/audit"
)

// The relay does its work and keeps every byte.
var listening = []Case{
	{"keeps-everything", "carries an engineer's shell, a command and files both ways, and keeps every byte", Harmless, keepsEverything},
	{"keeps-everything-framed", "insists on WebSocket frames and keeps every byte", Harmless, func(w *world) (string, error) {
		if err := w.again(plan{framed: true}); err != nil {
			return "", err
		}
		return keepsEverything(w)
	}},
	{"keeps-recordings", "is sent the recording and looks for the screen in it", Harmless, keepsRecordings},
}

// again turns the session off and on with a plan in force, so that the
// system's own connections are subject to it, too.
func (w *world) again(p plan) error {
	if _, _, err := w.off(); err != nil {
		return err
	}
	w.set(p)
	return w.on(w.request())
}

func keepsEverything(w *world) (string, error) {
	path, err := w.scratch("upload")
	if err != nil {
		return "", err
	}
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	if err := v.works(); err != nil {
		return "", err
	}
	if err := v.shell(); err != nil {
		return "", err
	}
	content := []byte(strings.Repeat(w.canary("file")+"\n", 2000))
	if err := v.copyTo(path, content); err != nil {
		return "", fmt.Errorf("copy a file to the system: %w", err)
	}
	got, err := v.copyFrom(path)
	if err != nil || !bytes.Equal(got, content) {
		return "", fmt.Errorf("copy a file from the system: %d bytes, %v", len(got), err)
	}
	// A second connection, by the enrolment that came of the secret.
	v2, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v2.leave()
	return fmt.Sprintf("nothing of it can be found in what the relay kept: not the secret, not what the commands said, not a line of the files (%d kB searched)", w.tape.size()>>10), v2.works()
}

// shell works in a terminal.
func (v *visit) shell() error {
	s, err := v.ssh.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.RequestPty("xterm", 24, 80, nil); err != nil {
		return err
	}
	in, err := s.StdinPipe()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	s.Stdout = &out
	if err := s.Shell(); err != nil {
		return err
	}
	typed := v.e.w.canary("typed")
	if _, err := fmt.Fprintf(in, "echo %s; exit\n", typed); err != nil {
		return err
	}
	if err := s.Wait(); err != nil || !strings.Contains(out.String(), typed) {
		return fmt.Errorf("the shell said %.80q, %v", out.String(), err)
	}
	return nil
}

func keepsRecordings(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	if err := v.works(); err != nil {
		return "", err
	}
	v.leave()
	if err := w.until("the connection is closed", func() bool { return len(w.events(audit.ConnectionClosed)) == 1 }); err != nil {
		return "", err
	}
	id := w.events(audit.ConnectionClosed)[0].Subject
	if err := w.until("the recording is at the relay", func() bool { return w.recordingOf(id) > 0 }); err != nil {
		return "", untested{err}
	}
	// The age key that opens it never leaves the system.
	key, err := os.ReadFile(w.root.RecordingKey())
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(key)) {
		if strings.HasPrefix(line, "AGE-SECRET-KEY-") {
			w.hide(strings.TrimSpace(line))
			return fmt.Sprintf("%d pieces came, all sealed to the customer; nothing of the screen can be read in them", w.recordingOf(id)), nil
		}
	}
	return "", untested{errors.New("the customer's recording key is not where it should be")}
}

// recordingOf is how many pieces of a recording the relay has.
func (r *relay) recordingOf(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.recordings[id])
}
