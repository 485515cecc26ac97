package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// tour is the state of one walk.
type tour struct {
	bin, dir string
	out      io.Writer
	step     int
	daemons  []*daemon

	arrayURL, rss string // address of the fake array, of the relay
	pages         string // address of the web pages
	bundle        string // id of the delivered bundle
}

type daemon struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	log  *os.File
}

func (t *tour) path(elem ...string) string { return filepath.Join(append([]string{t.dir}, elem...)...) }

// heading begins a step.
func (t *tour) heading(format string, args ...any) {
	t.step++
	fmt.Fprintf(t.out, "\n%d  %s\n", t.step, fmt.Sprintf(format, args...))
}

func (t *tour) say(format string, args ...any) {
	fmt.Fprintf(t.out, "   %s\n", fmt.Sprintf(format, args...))
}

// shown is the command line as a user would type it, without the long paths.
func (t *tour) shown(name string, args []string) string {
	line := name + " " + strings.Join(args, " ")
	return strings.ReplaceAll(line, t.dir+"/", "")
}

// run shows a command, runs it to its end, shows what it printed and returns
// its standard output.
func (t *tour) run(ctx context.Context, name string, args ...string) (string, error) {
	return t.command(ctx, true, name, args...)
}

// quiet is run without showing the output.
func (t *tour) quiet(ctx context.Context, name string, args ...string) (string, error) {
	return t.command(ctx, false, name, args...)
}

func (t *tour) command(ctx context.Context, show bool, name string, args ...string) (string, error) {
	t.say("$ %s", t.shown(name, args))
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(t.bin, name), args...)
	cmd.Dir = t.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lines := &indenter{w: t.out, strip: t.dir + "/"}
	if show {
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, lines), lines
	} else {
		cmd.Stdout = &out
		cmd.Stderr = lines
	}
	err := cmd.Run()
	lines.flush()
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.shown(name, args), err)
	}
	return out.String(), nil
}

// start runs a command in the background until the tour ends. What it prints
// goes to a file.
func (t *tour) start(name string, args ...string) (*daemon, error) {
	t.say("$ %s &", t.shown(name, args))
	log, err := os.OpenFile(t.path(name+".log"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(t.bin, name), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, t.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	d := &daemon{name: name, cmd: cmd, done: make(chan struct{}), log: log}
	go func() {
		cmd.Wait()
		close(d.done)
	}()
	t.daemons = append(t.daemons, d)
	return d, nil
}

// stopAll ends the daemons, the last one first, and kills what does not end.
func (t *tour) stopAll() error {
	var errs []error
	for i := len(t.daemons) - 1; i >= 0; i-- {
		d := t.daemons[i]
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-d.done:
		case <-time.After(10 * time.Second):
			errs = append(errs, fmt.Errorf("%s did not end by itself and was killed", d.name))
			syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
			<-d.done
		}
		d.log.Close()
	}
	t.daemons = nil
	return errors.Join(errs...)
}

// ready waits until something listens, or the daemon has ended.
func (t *tour) ready(ctx context.Context, d *daemon, network, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := net.Dial(network, address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-d.done:
			said, _ := os.ReadFile(d.log.Name())
			return fmt.Errorf("%s ended at once: %s", d.name, bytes.TrimSpace(said))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %s: %w", d.name, address, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freePort finds a loopback port that nobody uses.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// indenter sets off what commands print.
type indenter struct {
	w     io.Writer
	strip string
	rest  []byte
}

func (i *indenter) Write(p []byte) (int, error) {
	i.rest = append(i.rest, p...)
	for {
		line, rest, found := bytes.Cut(i.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		i.line(line)
		i.rest = append([]byte(nil), rest...)
	}
}

// widest is how much of a line is shown.
const widest = 170

// control are what a recording holds for the terminal, such as its size.
var control = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]|\r")

func (i *indenter) line(b []byte) {
	line := []rune(strings.ReplaceAll(control.ReplaceAllString(string(b), ""), i.strip, ""))
	if len(line) > widest {
		line = append(line[:widest-1], '…')
	}
	fmt.Fprintf(i.w, "     %s\n", string(line))
}

func (i *indenter) flush() {
	if len(i.rest) > 0 {
		i.line(i.rest)
		i.rest = nil
	}
}
