package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs until it is ended.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser // where it is wanted
	out  *bufio.Reader
	log  string
	done chan struct{}
}

// spawn starts a program whose messages go to a file.
func (b *bench) spawn(name string, args ...string) (*process, error) {
	b.started++
	log := filepath.Join(b.dir, fmt.Sprintf("%02d-%s.log", b.started, filepath.Base(name)))
	f, err := os.OpenFile(log, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &process{cmd: exec.Command(b.tool(name), args...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = f, f, b.dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return p, p.begin()
}

func (p *process) begin() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// end stops it with everything that it started.
func (p *process) end() {
	syscall.Kill(-p.pid(), syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.done
	}
}

// answers waits until something listens there.
func (p *process) answers(ctx context.Context, network, address string) error {
	for {
		c, err := net.Dial(network, address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.done:
			said, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended: %s", filepath.Base(p.cmd.Path), bytes.TrimSpace(said))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// command runs a program to its end and returns what it prints.
func (b *bench) command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.tool(name), args...)
	cmd.Dir = b.dir
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(messages.Bytes()))
	}
	return out.String(), nil
}

// tool is the path of a program, ours first.
func (b *bench) tool(name string) string {
	if own := filepath.Join(b.bin, name); !filepath.IsAbs(name) {
		if _, err := os.Stat(own); err == nil {
			return own
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			return name
		}
	}
	return path
}

func (b *bench) lacks(tools []string) string {
	for _, t := range tools {
		if !filepath.IsAbs(b.tool(t)) {
			return t
		}
	}
	return ""
}

func freePort() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ""
	}
	defer ln.Close()
	return ln.Addr().String()
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// cpuOf is the time that a process, its threads and its descendants have used.
func cpuOf(root int) time.Duration {
	parents, used := map[int]int{}, map[int]int64{}
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		parents[pid], _ = strconv.Atoi(f[1])
		for _, s := range f[11:15] { // own, and of children that ended
			n, _ := strconv.ParseInt(s, 10, 64)
			used[pid] += n
		}
	}
	var ticks int64
	for pid, n := range used {
		for p := pid; p > 1; p = parents[p] {
			if p == root {
				ticks += n
				break
			}
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100
}

// cpuHere is the time that this process has used, without those that it started.
func cpuHere() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pss is the memory of a process, with its share of what it shares.
func pss(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("smaps_rollup names no Pss")
}
