package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// world is a vendor, a system and an engineer, as programs.
type world struct {
	bin, dir string
	ctx      context.Context
	say      func(string, ...any)
	rand     *mrand.Rand
	relay    *program
	agent    *program
	clients  []*program
}

func (w *world) path(elem ...string) string {
	return filepath.Join(append([]string{w.dir}, elem...)...)
}

// program is one that runs in the background.
type program struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// kill is kill -9, of that process alone.
func (p *program) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

func (p *program) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// start runs a program in the background.
func (w *world) start(name string, args ...string) (*program, error) {
	p := &program{name: name, cmd: exec.Command(filepath.Join(w.bin, name), args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.dir, p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// run runs a program to its end and returns what it printed.
func (w *world) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(w.ctx, 40*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, name), args...)
	cmd.Dir = w.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}

// until waits for what must happen within some time.
func (w *world) until(limit time.Duration, what string, f func() bool) error {
	for deadline := time.Now().Add(limit); !f(); time.Sleep(10 * time.Millisecond) {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not happen within %s: %s", limit, what)
		}
	}
	return nil
}

// setup makes everybody known to everybody.
func (w *world) setup() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := ln.Addr().String()
	ln.Close()
	if err := w.makeKey(); err != nil {
		return err
	}
	if _, err := w.run("rss", "init", "--root", "vendor", "--name", "Example Support", "--address", addr, "--listen", addr); err != nil {
		return err
	}
	if err := os.Rename(w.path("vendor", "var", "rss", "move-to-engineers"), w.path("keys")); err != nil {
		return err
	}
	if err := w.startRelay(); err != nil {
		return err
	}
	token := ""
	for _, step := range [][]string{
		{"rss", "engineers", "add", "--root", "vendor", "ada", "--key-file", "ada.pub", "--role", "access"},
		{"rss", "token", "new", "--root", "vendor", "--system", "array-7"},
		{"remote-support", "enroll", "--root", "sa", "--token-file", "token"},
		{"support", "login", "--root", "engineer", "--rss", addr, "--pin", "PIN", "--key", "ada"},
		{"support", "certify", "ada.pub", "--ca", "keys/support_ca", "--name", "ada", "--valid", "24h"},
	} {
		for i, a := range step {
			if a == "PIN" {
				step[i] = pinIn(token)
			}
		}
		out, err := w.run(step[0], step[1:]...)
		if err != nil {
			return err
		}
		if step[1] == "token" {
			token = out
			if err := os.WriteFile(w.path("token"), []byte(token), 0o600); err != nil {
				return err
			}
		}
	}
	big := make([]byte, 24<<20)
	rand.Read(big)
	return errors.Join(os.WriteFile(w.path("big"), big, 0o600), w.startAgent())
}

func pinIn(token string) string {
	for word := range strings.FieldsSeq(token) {
		if strings.HasPrefix(word, "SHA256:") {
			return word
		}
	}
	return ""
}

func (w *world) makeKey() error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "ada")
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(w.path("ada"), pem.EncodeToMemory(block), 0o600), os.WriteFile(w.path("ada.pub"), ssh.MarshalAuthorizedKey(key), 0o600))
}

func (w *world) startRelay() (err error) {
	if w.relay, err = w.start("rss", "serve", "--root", "vendor"); err != nil {
		return err
	}
	return w.answers(w.relay, w.path("vendor", "run", "rss.sock"))
}

func (w *world) startAgent() (err error) {
	if w.agent, err = w.start("remote-support", "serve", "--root", "sa"); err != nil {
		return err
	}
	return w.answers(w.agent, w.path("sa", "run", "control.sock"))
}

func (w *world) answers(p *program, socket string) error {
	err := w.until(30*time.Second, p.name+" answers", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil || p.ended()
	})
	if err == nil && p.ended() {
		return fmt.Errorf("%s ended at once: %s", p.name, p.said())
	}
	return err
}

// stop ends everything that runs.
func (w *world) stop() {
	for _, p := range append(w.clients, w.agent, w.relay) {
		if p == nil || p.ended() {
			continue
		}
		p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(10 * time.Second):
			p.kill()
		}
	}
}
