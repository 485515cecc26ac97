package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	bin := flag.String("bin", "bin", "directory of the binaries")
	once := flag.Bool("once", false, "end after the last step instead of waiting for Ctrl-C")
	keep := flag.Bool("keep", false, "do not remove the scratch directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := run(ctx, *bin, *once, *keep)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "\ntour:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, once, keep bool) (err error) {
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	// A short path: sockets live below it, and their names are limited.
	dir, err := os.MkdirTemp("", "latch-")
	if err != nil {
		return fmt.Errorf("make a scratch directory: %w", err)
	}
	t := &tour{bin: bin, dir: dir, out: os.Stdout}
	defer func() {
		err = errors.Join(err, t.stopAll())
		if keep {
			fmt.Fprintf(t.out, "\nThe files are kept in %s\n", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	for _, step := range []func(context.Context) error{
		t.array, t.relay, t.enroll, t.agent, t.plan, t.send, t.open, t.letIn, t.enter, t.recorded, t.arrayEvents, t.proof,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	t.where(once)
	if once {
		return nil
	}
	<-ctx.Done()
	fmt.Fprintln(t.out, "\nstopping")
	return nil
}
