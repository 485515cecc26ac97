package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "directory of the binaries")
	rounds := flag.Int("rounds", 20, "how often to kill")
	length := flag.Duration("for", 0, "go on for this long instead")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is killed when")
	keep := flag.Bool("keep", false, "do not remove the scratch directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("seed %d\n", *seed)
	err := run(ctx, *bin, *seed, *keep, func(i int, since time.Time) bool {
		if *length > 0 {
			return time.Since(since) < *length
		}
		return i < *rounds
	}, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// run kills until more says no.
func run(ctx context.Context, bin string, seed uint64, keep bool, more func(i int, since time.Time) bool, say func(string, ...any)) (err error) {
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	// Short, because sockets live below it.
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return fmt.Errorf("make a scratch directory: %w", err)
	}
	w := &world{bin: bin, dir: dir, ctx: ctx, say: say, rand: rand.New(rand.NewPCG(seed, 1))}
	defer func() {
		w.stop()
		if keep || err != nil && ctx.Err() == nil {
			say("the files are kept in %s", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err := w.setup(); err != nil {
		return err
	}
	since := time.Now()
	for i := 0; ctx.Err() == nil && more(i, since); i++ {
		if err := w.round(i); err != nil {
			return fmt.Errorf("round %d: %w", i+1, err)
		}
	}
	return ctx.Err()
}
