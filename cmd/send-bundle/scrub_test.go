package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/sanitize"
)

// leaky is an engine that overlooks "hunter2" until it has been told to look
// again; a stubborn one overlooks it then, too.
type leaky struct {
	sanitize.Engine
	stubborn bool
	copies   int
}

func (e *leaky) Copy(_ context.Context, dst io.Writer, src io.Reader, f sanitize.File) (sanitize.Result, error) {
	e.copies++
	b, err := io.ReadAll(src)
	if err != nil {
		return sanitize.Result{}, err
	}
	if f.Again && !e.stubborn {
		b = bytes.ReplaceAll(b, []byte("hunter2"), []byte("REDACTED_pw_123456"))
	}
	_, err = dst.Write(b)
	return sanitize.Result{}, err
}

func (e *leaky) Check(_ context.Context, src io.Reader, f sanitize.File) ([]sanitize.Hit, error) {
	b, err := io.ReadAll(src)
	if bytes.Contains(b, []byte("hunter2")) {
		return []sanitize.Hit{{File: f.Name, Rule: "assigned-secret"}}, err
	}
	return nil, err
}

// What the gate finds is cleaned again; what it finds all the same stops the run.
func TestGateAgain(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		e := &leaky{stubborn: stubborn}
		s := &scrubber{engine: e, stderr: io.Discard}
		err := s.write(context.Background(), strings.NewReader("a hunter2\n"), "in.txt", out)
		want := 2
		if stubborn {
			want = 1 + sanitize.Rewrites
		}
		if e.copies != want {
			t.Errorf("stubborn %v: cleaned %d times, want %d", stubborn, e.copies, want)
		}
		var exit interface{ ExitCode() int }
		switch {
		case stubborn && (!errors.As(err, &exit) || exit.ExitCode() != cmdline.ExitCheckFailed):
			t.Errorf("a leak that stays: %v, want exit code 4", err)
		case !stubborn && err != nil:
			t.Errorf("a leak that was mended: %v", err)
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if stubborn && len(files) != 0 || !stubborn && (len(files) != 1 || files[0].Name() != "out") {
			t.Errorf("stubborn %v: left behind %v", stubborn, files)
		}
		if b, _ := os.ReadFile(out); !stubborn && string(b) != "a REDACTED_pw_123456\n" {
			t.Errorf("wrote %q", b)
		}
	}
}
