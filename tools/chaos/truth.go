package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
)

// lastSession is the one that was opened last.
func (w *world) lastSession() (string, error) {
	id := ""
	for r, err := range audit.Read(w.path("sa", "var", "audit")) {
		if err != nil {
			return "", err
		}
		if r.Type == audit.SessionOpened {
			id = r.Subject
		}
	}
	if id == "" {
		return "", errors.New("the audit log has no session")
	}
	return id, nil
}

// connections is how many were opened in a session so far.
func (w *world) connections(j *work) (n int, err error) {
	for r, err := range audit.Read(w.path("sa", "var", "audit")) {
		if err != nil {
			return n, err
		}
		if r.Type == audit.ConnectionOpened && r.Detail["session"] == j.session {
			n++
		}
	}
	return n, nil
}

// present reports whether the relay shows the system as open.
func (w *world) present() bool {
	out, err := w.run("support", "systems", "--root", "engineer", "--json")
	var list []struct {
		Session *json.RawMessage `json:"session"`
	}
	var wrapped struct {
		Systems []struct {
			Session *json.RawMessage `json:"session"`
		} `json:"systems"`
	}
	if err != nil {
		return false
	}
	if json.Unmarshal([]byte(out), &list) != nil && json.Unmarshal([]byte(out), &wrapped) == nil {
		list = wrapped.Systems
	}
	for _, s := range list {
		if s.Session != nil {
			return true
		}
	}
	return false
}

// gone waits until no process of the session is left.
func (w *world) gone(j *work) error {
	return w.until(10*time.Second, "every process of the session ends", func() bool { return len(w.marked(j.mark)) == 0 })
}

// marked are the processes with a mark in their command line, without the
// engineer's own programs.
func (w *world) marked(mark string) (pids []string) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		b, err := os.ReadFile(line)
		if err != nil || !strings.Contains(string(b), mark) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(filepath.Dir(line), "comm"))
		if strings.TrimSpace(string(name)) != "support" {
			pids = append(pids, filepath.Base(filepath.Dir(line)))
		}
	}
	return pids
}

// told checks what audit log and recordings say of a session that is over.
func (w *world) told(j *work) error {
	var opened, ended int
	begun, closed := map[string]int{}, map[string]int{}
	for r, err := range audit.Read(w.path("sa", "var", "audit")) {
		if err != nil {
			return err
		}
		switch {
		case r.Type == audit.SessionOpened && r.Subject == j.session:
			opened++
		case r.Type == audit.SessionEnded && r.Subject == j.session:
			ended++
		case r.Type == audit.ConnectionOpened && r.Detail["session"] == j.session:
			begun[r.Subject]++
		case r.Type == audit.ConnectionClosed && r.Detail["session"] == j.session:
			closed[r.Subject]++
		}
	}
	if opened != 1 || ended != 1 {
		return fmt.Errorf("session %s was opened %d times and ended %d times", j.session, opened, ended)
	}
	if len(begun) == 0 || len(begun) != len(closed) {
		return fmt.Errorf("%d connections were opened and %d closed", len(begun), len(closed))
	}
	for id := range begun {
		if begun[id] != 1 || closed[id] != 1 {
			return fmt.Errorf("connection %s was opened %d times and closed %d times", id, begun[id], closed[id])
		}
	}
	if _, err := w.run("remote-support", "audit", "verify", "--root", "sa"); err != nil {
		return err
	}
	return w.recorded(j, begun)
}

// recorded checks the recordings: each verifies, and that of the shell has all
// that the engineer saw.
func (w *world) recorded(j *work, connections map[string]int) error {
	saw := numbers(j.shell.said())
	if len(saw) == 0 {
		return errors.New("the engineer saw nothing")
	}
	most := 0
	for id := range connections {
		if _, err := w.run("remote-support", "recordings", "verify", "--root", "sa", id); err != nil {
			return err
		}
		out := w.path("export", id)
		if _, err := w.run("remote-support", "recordings", "export", "--root", "sa", id, "-o", out); err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(out, "*.ttyrec"))
		if err != nil {
			return err
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			for _, n := range allNumbers(b) {
				most = max(most, n)
			}
		}
		os.RemoveAll(out)
	}
	if last := saw[len(saw)-1]; most < last {
		return fmt.Errorf("the engineer saw number %d, and the recording ends with %d", last, most)
	}
	return nil
}

// allNumbers are the numbers in a ttyrec, whose heads stand between its lines.
func allNumbers(b []byte) (all []int) {
	for _, part := range strings.Split(string(b), "number ")[1:] {
		n := 0
		for _, c := range part {
			if c < '0' || c > '9' {
				break
			}
			n = 10*n + int(c-'0')
		}
		all = append(all, n)
	}
	return all
}
