package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/blob"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
)

// relayMain is `rss serve` with two additions: it can stay in frames, and it
// gives back what is garbage when it is told to by a line of input.
func relayMain(args []string) (err error) {
	root, err := paths.New(args[0])
	if err != nil {
		return err
	}
	loaded, err := setup.Load(root)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	engine, err := natsstore.Embed(loaded.Places.Store, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	blobs, err := blob.NewDir(loaded.Places.Blobs)
	if err != nil {
		return err
	}
	debug.SetGCPercent(50) // as rss does
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		for in := bufio.NewReader(os.Stdin); ; {
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			debug.FreeOSMemory()
			debug.FreeOSMemory() // what the first one has freed
			fmt.Println("freed")
		}
	}()
	srv, err := relay.New(ctx, relay.Options{Relay: loaded, Engine: engine, Blobs: blobs, Log: log, AlwaysFramed: args[1] == "framed"})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", loaded.Config.Listen)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return srv.Serve(ctx, ln)
}
