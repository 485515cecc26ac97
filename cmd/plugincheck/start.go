package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

// nobody is the user that a plugin runs as when plugincheck is run by root.
const nobody = 65534

// program is the plugin to check. It runs as a host would run it: from a copy
// in memory, confined, as another user if that can be.
type program struct {
	path  string
	image *launch.Image
	needs map[string]needs.List // by ROLE/NAME
}

func loadProgram(path string) (*program, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	image, err := launch.Load(f, "", os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("load plugin %s: %w", path, err)
	}
	return &program{path: path, image: image}, nil
}

func (p *program) close() { p.image.Close() }

// learn remembers what the roles need, to grant it.
func (p *program) learn(ctx context.Context, b plugintest.Binary) (err error) {
	p.needs, err = b.Needs(ctx)
	return err
}

// start is a plugintest.Starter.
func (p *program) start(ctx context.Context, args, env []string, dir string, handoff *os.File) (*plugintest.Process, error) {
	spec := sandbox.Spec{Dir: dir, Read: []string{
		"/dev/null", "/dev/zero", "/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo",
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/ssl/certs",
	}}
	if args[0] == "serve" {
		list := p.needs[args[1]]
		for _, path := range list.Paths {
			if path = strings.TrimSuffix(path, "/**"); !strings.ContainsAny(path, `*?[\`) {
				spec.Read = append(spec.Read, path)
			}
		}
		// The suite's own proxies and targets listen on any port: who
		// declares one port gets them all here.
		spec.Network, spec.AnyPort = len(list.Ports) > 0, true
		spec.Interfaces = strings.HasPrefix(args[1], "collect/")
	}
	if os.Geteuid() == 0 {
		spec.UID, spec.GID = nobody, nobody
		if dir != "" {
			if err := os.Chown(dir, nobody, nobody); err != nil {
				return nil, fmt.Errorf("start plugin: %w", err)
			}
		}
	}
	proc, err := launch.Start(ctx, launch.Command{
		Image: p.image, Argv: append([]string{filepath.Base(p.path)}, args...), Env: env, Handoff: handoff, Sandbox: spec,
	})
	if err != nil {
		return nil, fmt.Errorf("start plugin: %w", err)
	}
	return &plugintest.Process{Pid: proc.PID(), Stdout: proc.Stdout, Stderr: proc.Stderr, Kill: proc.Kill}, nil
}
