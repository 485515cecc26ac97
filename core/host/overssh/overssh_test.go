package overssh

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	for d, host := range map[string]string{
		"node-b": "node-b", "root@node-b": "node-b", "ssh://root@node-b:2222": "node-b", "ssh://[fd00::1]:22": "fd00::1", "ada@corp@node": "node", "10.0.0.1": "10.0.0.1",
	} {
		if err := Check(d); err != nil || Host(d) != host {
			t.Errorf("%s: %v, %s", d, err, Host(d))
		}
	}
	// What ssh could take for an option, or a shell for more than a word.
	for _, d := range []string{"", "-oProxyCommand=x", "root@-oProxyCommand=x", "a b", "a;b", "$(id)", "`id`", "a\nb", "root@", "ssh://", "a|b", "ü", strings.Repeat("x", 400)} {
		if Check(d) == nil {
			t.Errorf("%q is taken for a destination", d)
		}
	}
}

// fake puts a program in the place of ssh.
func fake(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestRun(t *testing.T) {
	read := func(got *string) func(io.Reader) error {
		return func(r io.Reader) error {
			b, err := io.ReadAll(r)
			*got = string(b)
			return err
		}
	}
	var got string
	t.Setenv("CANARY", "c4n4ry")
	fake(t, `read line; echo "$line $*"; env`)
	if err := Run(t.Context(), Target{Destination: "node", Command: "do it"}, []byte("order\n"), read(&got)); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, "order -T -a -x ") || !strings.Contains(got, "BatchMode=yes -- node do it\n") || strings.Contains(got, "c4n4ry") {
		t.Errorf("%s", got)
	}
	// How it ends.
	fake(t, `echo "Permission denied" >&2; printf '\033[2J' >&2; exit 255`)
	var e *Error
	if err := Run(t.Context(), Target{Destination: "node"}, nil, read(&got)); !errors.As(err, &e) || !e.Unreached() || !strings.Contains(err.Error(), "Permission denied") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("%v", err)
	}
	fake(t, `echo "not found" >&2; exit 127`)
	if err := Run(t.Context(), Target{Destination: "node"}, nil, func(r io.Reader) error { io.ReadAll(r); return errors.New("no bundle") }); !errors.As(err, &e) || e.ExitCode != 127 {
		t.Errorf("%v", err)
	}
	fake(t, `echo fine`)
	if err := Run(t.Context(), Target{Destination: "node"}, nil, func(io.Reader) error { return errors.New("no bundle") }); err == nil || err.Error() != "no bundle" {
		t.Errorf("%v", err)
	}
	// One that hangs ends with the context.
	fake(t, `exec sleep 60`)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("too late"))
	defer cancel()
	if err := Run(ctx, Target{Destination: "node"}, []byte("x"), read(&got)); err == nil || err.Error() != "too late" {
		t.Errorf("%v", err)
	}
}
