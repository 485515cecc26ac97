package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// letIn opens remote access at the customer's.
func (t *tour) letIn(ctx context.Context) error {
	t.heading("The customer lets support in for an hour. The secret is told by telephone; the relay never learns it")
	out, err := t.run(ctx, "remote-support", "on", "--root", "sa", "--for", "1h", "--case", "C-4711")
	if err != nil {
		return err
	}
	secret := ""
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "SECRET" {
			secret = f[1]
		}
	}
	if secret == "" {
		return errors.New("remote-support on printed no secret")
	}
	return os.WriteFile(t.path("secret"), []byte(secret+"\n"), 0o600)
}

// enter is the engineer's way in: his certificate and the customer's secret.
func (t *tour) enter(ctx context.Context) error {
	t.heading("The engineer has a certificate of the vendor for today, and the secret; either alone is worth nothing")
	if _, err := t.run(ctx, "support", "certify", "ada.pub", "--ca", "engineer-keys/support_ca", "--name", "ada", "--valid", "12h"); err != nil {
		return err
	}
	if _, err := t.run(ctx, "support", "systems", "--root", "engineer"); err != nil {
		return err
	}
	if _, err := t.run(ctx, "support", "ssh", "--root", "engineer", "--secret-file", "secret", "--case", "C-4711", "array-7", "--", "uname -sr; uptime -p"); err != nil {
		return err
	}
	return t.stock(ctx)
}

// stock is the same with the machine's own OpenSSH.
func (t *tour) stock(ctx context.Context) error {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.say("(OpenSSH is not installed here; with it, ssh, scp, sftp and rsync work as they are)")
		return nil
	}
	config, err := t.quiet(ctx, "support", "ssh-config", "--root", "engineer", "array-7")
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.path("ssh.config"), []byte(config), 0o600); err != nil {
		return err
	}
	t.say("Stock OpenSSH works from now on, without the secret:")
	if err := t.tool(ctx, "ssh", "-F", "ssh.config", "array-7", "cat /proc/loadavg"); err != nil {
		return err
	}
	return t.tool(ctx, "scp", "-q", "-F", "ssh.config", "sanitized.conf", "array-7:"+t.path("from-support.conf"))
}

// tool runs a program of the machine.
func (t *tour) tool(ctx context.Context, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	t.say("$ %s", t.shown(name, args))
	lines := &indenter{w: t.out, strip: t.dir + "/"}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.dir, lines, lines
	err = cmd.Run()
	lines.flush()
	if err != nil {
		return fmt.Errorf("%s: %w", t.shown(name, args), err)
	}
	return nil
}

// recorded shows what is left of it: the connections and their recordings.
func (t *tour) recorded(ctx context.Context) error {
	t.heading("The customer turns it off: everything is cut, and everything was recorded")
	if _, err := t.run(ctx, "remote-support", "off", "--root", "sa"); err != nil {
		return err
	}
	if _, err := t.run(ctx, "remote-support", "recordings", "list", "--root", "sa"); err != nil {
		return err
	}
	names, err := filepath.Glob(t.path("sa", "var", "recordings", "*", "con-*"))
	if err != nil || len(names) == 0 {
		names, err = filepath.Glob(t.path("sa", "var", "recordings", "con-*"))
	}
	if err != nil || len(names) == 0 {
		return fmt.Errorf("there are no recordings: %w", err)
	}
	for _, name := range names {
		if _, err := t.quiet(ctx, "remote-support", "recordings", "verify", "--root", "sa", filepath.Base(name)); err != nil {
			return err
		}
	}
	if err := t.replay(ctx, names); err != nil {
		return err
	}
	passports, err := filepath.Glob(t.path("sa", "var", "passports", "ses-*.json"))
	if err != nil || len(passports) != 1 {
		return fmt.Errorf("there is not one passport but %d: %w", len(passports), err)
	}
	_, err = t.run(ctx, "remote-support", "recordings", "passport", "--root", "sa", strings.TrimSuffix(filepath.Base(passports[0]), ".json"))
	return err
}

// replay exports the recording of the first command and plays it.
func (t *tour) replay(ctx context.Context, names []string) error {
	for _, name := range names {
		id := filepath.Base(name)
		shown, err := t.quiet(ctx, "remote-support", "recordings", "show", "--root", "sa", id)
		if err != nil {
			return err
		}
		if !strings.Contains(shown, "uname -sr") {
			continue
		}
		if _, err := t.quiet(ctx, "remote-support", "recordings", "export", "--root", "sa", id, "-o", "recording"); err != nil {
			return err
		}
		files, err := filepath.Glob(t.path("recording", "*.ttyrec"))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("the export holds no ttyrec: %w", err)
		}
		if _, err := exec.LookPath("ttyplay"); err != nil {
			_, err := t.run(ctx, "remote-support", "recordings", "play", "--root", "sa", "--speed", "100", id)
			return err
		}
		return t.tool(ctx, "ttyplay", "-n", strings.TrimPrefix(files[0], t.dir+"/"))
	}
	return errors.New("no recording holds the first command")
}
