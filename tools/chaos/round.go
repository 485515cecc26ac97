package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// victim is what is killed.
type victim string

const (
	agentDies  victim = "agent"
	relayDies  victim = "relay"
	shellDies  victim = "engineer's shell"
	copyDies   victim = "engineer's copy"
	bothDie    victim = "agent and relay"
	relayTwice victim = "relay, twice"
)

var victims = []victim{agentDies, relayDies, shellDies, copyDies, bothDie, relayTwice}

// work is what an engineer does in a round.
type work struct {
	mark        string // in the command line of every process of the session
	session     string
	shell, copy *program
	target      string
}

func (w *world) round(i int) error {
	v := victims[i%len(victims)]
	j, err := w.begin(i)
	if err != nil {
		return err
	}
	wait := time.Duration(w.rand.IntN(900)) * time.Millisecond
	time.Sleep(wait)
	last := counted(j.shell)
	began := time.Now()
	switch v {
	case agentDies, bothDie:
		w.agent.kill()
		if v == bothDie {
			w.relay.kill()
		}
		err = w.agentWasKilled(j, v == bothDie)
	case relayDies, relayTwice:
		err = w.relayWasKilled(j, v == relayTwice)
	case shellDies:
		j.shell.kill()
		err = w.shellWasKilled(j)
	case copyDies:
		j.copy.kill()
		err = w.copyWasKilled(j)
	}
	w.say("%3d  %-16s killed after %-6s at number %-4d %s", i+1, v, wait, last, outcome(err, time.Since(began)))
	if err != nil {
		return err
	}
	return w.clear(j)
}

func outcome(err error, took time.Duration) string {
	if err != nil {
		return "NOT TRUE: " + err.Error()
	}
	return fmt.Sprintf("all true, %s", took.Round(10*time.Millisecond))
}

var secretLine = regexp.MustCompile(`[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}`)

// begin turns remote access on and lets the engineer work.
func (w *world) begin(i int) (*work, error) {
	out, err := w.run("remote-support", "on", "--root", "sa", "--for", "1h", "--case", fmt.Sprintf("CHAOS-%d", i+1))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.path("secret"), []byte(secretLine.FindString(out)+"\n"), 0o600); err != nil {
		return nil, err
	}
	j := &work{mark: fmt.Sprintf("chaos%dx%d", os.Getpid(), i), target: w.path(fmt.Sprintf("copied-%d", i))}
	if j.session, err = w.lastSession(); err != nil {
		return nil, err
	}
	// One that counts, and one that tries to get away.
	script := "trap '' HUP TERM INT; (setsid sh -c 'trap \"\" HUP TERM; while :; do sleep 1; done # " + j.mark + "' >/dev/null 2>&1 &); " +
		"i=0; while :; do i=$((i+1)); echo number $i; sleep 0.02; done # " + j.mark
	if j.shell, err = w.start("support", "ssh", "--root", "engineer", "--secret-file", "secret", "array-7", "--", script); err != nil {
		return nil, err
	}
	w.clients = append(w.clients, j.shell)
	if err := w.until(20*time.Second, "the command runs", func() bool { return counted(j.shell) > 0 || j.shell.ended() }); err != nil {
		return nil, fmt.Errorf("%w: %s", err, j.shell.said())
	}
	if j.shell.ended() {
		return nil, fmt.Errorf("the shell ended at once: %s", j.shell.said())
	}
	j.copy, err = w.start("support", "cp", "--root", "engineer", "big", "array-7:"+j.target)
	w.clients = append(w.clients, j.copy)
	return j, err
}

var numberLine = regexp.MustCompile(`(?m)^number (\d+)\r?$`)

// numbers are those that were printed whole.
func numbers(text string) (all []int) {
	for _, m := range numberLine.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		all = append(all, n)
	}
	return all
}

func counted(p *program) int {
	all := numbers(p.said())
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1]
}

// gapless checks that no number is missing and none comes twice.
func gapless(text string) error {
	for i, n := range numbers(text) {
		if n != i+1 {
			return fmt.Errorf("number %d stands where %d belongs", n, i+1)
		}
	}
	return nil
}

// copied checks the file: whole or not there.
func (w *world) copied(j *work, must bool) error {
	got, err := os.ReadFile(j.target)
	if errors.Is(err, os.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return err
	}
	want, err := os.ReadFile(w.path("big"))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the copy has its name and is not right: %d of %d bytes", len(got), len(want))
	}
	return nil
}

// agentWasKilled checks what is true while there is no agent, and after its next
// start.
func (w *world) agentWasKilled(j *work, relayToo bool) error {
	if err := w.until(time.Second, "every process of the session ends with the agent", func() bool { return len(w.marked(j.mark)) == 0 }); err != nil {
		return err
	}
	out, err := w.run("remote-support", "status", "--root", "sa")
	if err != nil {
		return err
	}
	if !strings.Contains(out, "not running") || !strings.Contains(out, j.session) {
		return fmt.Errorf("status without an agent says:\n%s", out)
	}
	if relayToo {
		if err := w.startRelay(); err != nil {
			return err
		}
	}
	if err := w.until(10*time.Second, "the relay knows of no session", func() bool { return !w.present() }); err != nil {
		return err
	}
	if _, err := w.run("support", "ssh", "--root", "engineer", "array-7", "--", "true"); err == nil {
		return errors.New("somebody gets in although there is no agent")
	}
	// Nobody has to come back for that: the guardian saw to it.
	if n := len(w.marked(j.mark)); n > 0 {
		return fmt.Errorf("%d processes of the session live on without an agent", n)
	}
	if err := w.startAgent(); err != nil {
		return err
	}
	if out, err = w.run("remote-support", "status", "--root", "sa"); err != nil || strings.Contains(out, "problem:") {
		return fmt.Errorf("status after the start says (%v):\n%s", err, out)
	}
	if w.present() {
		return errors.New("the relay shows a session that there is not")
	}
	return errors.Join(w.copied(j, false), w.told(j))
}

// relayWasKilled kills it, and checks that all goes on.
func (w *world) relayWasKilled(j *work, twice bool) error {
	for range map[bool]int{false: 1, true: 2}[twice] {
		w.relay.kill()
		time.Sleep(time.Duration(w.rand.IntN(700)) * time.Millisecond)
		if err := w.startRelay(); err != nil {
			return err
		}
	}
	if err := w.until(30*time.Second, "the relay knows the session again", w.present); err != nil {
		return err
	}
	at := counted(j.shell)
	if err := w.until(40*time.Second, "the command goes on", func() bool { return counted(j.shell) > at+10 || j.shell.ended() }); err != nil {
		return err
	}
	if j.shell.ended() {
		return fmt.Errorf("the shell ended: %s", tail(j.shell.said()))
	}
	if err := w.copyEnds(j); err != nil {
		return err
	}
	if err := errors.Join(gapless(j.shell.said()), w.copied(j, true)); err != nil {
		return err
	}
	return w.turnedOff(j)
}

// copyEnds waits for the copy. It may have failed only if it was not let in yet
// when something was killed: then it is made again.
func (w *world) copyEnds(j *work) error {
	if err := w.until(60*time.Second, "the copy ends", j.copy.ended); err != nil {
		return err
	}
	code := j.copy.cmd.ProcessState.ExitCode()
	if code == 0 {
		return nil
	}
	if n, err := w.connections(j); err != nil || n > 1 {
		return fmt.Errorf("the copy, which was under way, ended with %d (%v): %s", code, err, tail(j.copy.said()))
	}
	_, err := w.run("support", "cp", "--root", "engineer", "big", "array-7:"+j.target)
	return err
}

func (w *world) shellWasKilled(j *work) error {
	if err := w.copyEnds(j); err != nil {
		return err
	}
	return errors.Join(w.copied(j, true), w.turnedOff(j))
}

func (w *world) copyWasKilled(j *work) error {
	if err := w.copied(j, false); err != nil {
		return err
	}
	if _, err := w.run("support", "cp", "--root", "engineer", "big", "array-7:"+j.target); err != nil {
		return err
	}
	at := counted(j.shell)
	if err := w.until(10*time.Second, "the shell goes on", func() bool { return counted(j.shell) > at }); err != nil {
		return err
	}
	return errors.Join(w.copied(j, true), gapless(j.shell.said()), w.turnedOff(j))
}

// turnedOff turns remote access off and checks that nothing is left.
func (w *world) turnedOff(j *work) error {
	if _, err := w.run("remote-support", "off", "--root", "sa"); err != nil {
		return err
	}
	if err := w.gone(j); err != nil {
		return err
	}
	if err := w.until(10*time.Second, "the relay knows of no session", func() bool { return !w.present() }); err != nil {
		return err
	}
	return w.told(j)
}

// clear ends what is left of a round.
func (w *world) clear(j *work) error {
	for _, p := range w.clients {
		if !p.ended() {
			p.kill()
		}
	}
	w.clients = nil
	os.Remove(j.target)
	os.Remove(j.target + ".latchstring-part")
	return nil
}

func tail(s string) string { return s[max(0, len(s)-300):] }
