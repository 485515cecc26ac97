package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-plugin"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
)

// serveDebug serves one role until it is interrupted, for hosts that attach.
// Nothing protects this process: no sandbox, no lifeline, panics in full.
func serveDebug(p Plugin, full string, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := debugUntil(ctx, p, full, func(at wire.Reattach) {
		out, err := json.Marshal(at)
		if err != nil {
			return
		}
		fmt.Fprintf(stderr, "%s waits for a host. Attach a debugger to process %d, then in another terminal:\n\n", full, at.Pid)
		fmt.Fprintf(realStdout, "plugincheck --attach '%s'\n", out)
		fmt.Fprintf(stderr, "\nInterrupt to end it.\n")
	})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitDone
}

// debugUntil serves until ctx ends and calls ready when a host may attach.
func debugUntil(ctx context.Context, p Plugin, full string, ready func(wire.Reattach)) error {
	dir, err := os.MkdirTemp("", "plugin-debug-") // 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ln, err := handoff.Listen(filepath.Join(dir, "handoff"))
	if err != nil {
		return err
	}
	defer ln.Close()
	var current atomic.Pointer[handoff.Channel]
	go func() {
		for {
			ch, err := ln.Accept()
			if err != nil {
				return
			}
			if old := current.Swap(ch); old != nil {
				old.Close()
			}
		}
	}()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
	srv, err := newServer(p, full, current.Load, true)
	if err != nil {
		return err
	}
	// Where go-plugin makes its socket.
	if err := os.Setenv(plugin.EnvUnixSocketDir, dir); err != nil {
		return err
	}
	conf := serveConfig(srv)
	attach := make(chan *plugin.ReattachConfig, 1)
	closed := make(chan struct{})
	conf.Test = &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: attach, CloseCh: closed}
	go plugin.Serve(conf)
	select {
	case at := <-attach:
		ready(wire.Reattach{
			Plugin: full, Protocol: wire.Version1, Address: at.Addr.String(),
			Handoff: filepath.Join(dir, "handoff"), Pid: os.Getpid(),
		})
	case <-closed:
	}
	<-closed
	return nil
}
