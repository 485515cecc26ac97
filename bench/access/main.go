package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run.
type bench struct {
	dir, bin string
	long     bool
	only     []string
	rounds   int
	sessions int
	without  []string
	path     string
	move     string

	target  string // host:port beside the system
	started int    // processes
	sites   map[bool]*site
	sshKeys map[string]string // by address of the sshd
	lastSSH string
	results results
}

func main() {
	if len(os.Args) > 1 {
		if f := children[os.Args[1]]; f != nil {
			if err := f(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
				os.Exit(1)
			}
			return
		}
	}
	debug.SetGCPercent(400) // as support does
	b := &bench{sites: map[bool]*site{}, sshKeys: map[string]string{}}
	flag.StringVar(&b.bin, "bin", "bin", "directory of our programs")
	flag.BoolVar(&b.long, "long", false, "more rounds, 5,000 sessions, a restart, dead peers")
	flag.IntVar(&b.sessions, "sessions", 0, "how many idle sessions (500, with -long 5,000)")
	flag.IntVar(&b.rounds, "rounds", 0, "how often each is measured (3, with -long 5)")
	only := flag.String("only", "", "parts, comma separated: bulk, echo, usable, idle, dead")
	flag.StringVar(&b.path, "path", "", "loopback or slow; both without it")
	flag.StringVar(&b.move, "move", "", "of bulk only the transfers with this in their name: pull, push, 8, recorded, cp")
	without := flag.String("without", "", "candidates to leave out, comma separated")
	flag.Parse()
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	if *without != "" {
		b.without = strings.Split(*without, ",")
	}
	for n, standard := range map[*int][2]int{&b.rounds: {3, 5}, &b.sessions: {500, 5000}} {
		if *n == 0 {
			*n = standard[0]
			if b.long {
				*n = standard[1]
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := b.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "access:", err)
		os.Exit(1)
	}
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (b *bench) wants(part string) bool { return len(b.only) == 0 || slices.Contains(b.only, part) }

func (b *bench) run(ctx context.Context) (err error) {
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return err
	}
	// A short path: sockets live below it, and their names are limited.
	if b.dir, err = os.MkdirTemp("", "lb-"); err != nil {
		return err
	}
	defer func() {
		for _, s := range b.sites {
			s.close()
		}
		err = errors.Join(err, os.RemoveAll(b.dir))
	}()
	var who []string
	defer func() { b.results.print(os.Stdout, who, goals) }()
	if b.target, err = serveTarget(); err != nil {
		return err
	}
	all := slices.DeleteFunc(candidates(b), func(c candidate) bool { return slices.Contains(b.without, c.name) })
	for _, c := range all {
		who = append(who, c.name)
	}
	for _, slow := range []bool{false, true} {
		path := "loopback"
		if slow {
			path = "50 ms"
		}
		if b.path != "" && slow != (b.path == "slow") {
			continue
		}
		for _, part := range []struct {
			name string
			f    func(context.Context, []candidate, bool, string) error
		}{{"usable", b.usable}, {"echo", b.echo}, {"bulk", b.transfers}} {
			if b.wants(part.name) {
				b.say("%s, %s", part.name, path)
				if err := part.f(ctx, all, slow, path); err != nil {
					return fmt.Errorf("%s, %s: %w", part.name, path, err)
				}
			}
		}
	}
	if b.wants("dead") && b.long {
		b.say("dead peers")
		if err := b.dead(ctx); err != nil {
			return err
		}
	}
	if b.wants("idle") {
		if err := b.idle(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// each starts the candidates, lets them take turns, and ends them.
func (b *bench) each(ctx context.Context, all []candidate, slow bool, f func(way) error) error {
	var ways []way
	defer func() {
		for _, w := range ways {
			w.Close()
		}
	}()
	for _, c := range all {
		w, err := c.start(ctx, b, slow)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		ways = append(ways, w)
	}
	for range b.rounds {
		for _, w := range ways {
			if err := f(w); err != nil {
				return fmt.Errorf("%s: %w", w.Name(), err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

func (b *bench) transfers(ctx context.Context, all []candidate, slow bool, path string) error {
	one, eight := int64(512<<20), int64(512<<20)
	if slow {
		one, eight = 64<<20, 256<<20
	}
	return b.each(ctx, all, slow, func(w way) error {
		for _, m := range []struct {
			what    string
			streams int
			n       int64
			move    func(net.Conn, int64) error
		}{{"pull, 1 stream", 1, one, pull}, {"push, 1 stream", 1, one, push}, {"pull, 8 streams", 8, eight, pull}} {
			if !b.moves(m.what) {
				continue
			}
			rate, used, err := bulk(ctx, w, m.streams, m.n, m.move)
			if err != nil {
				return err
			}
			b.results.add(path+": "+m.what+", MB/s", w.Name(), rate)
			if slow || m.streams > 1 {
				continue
			}
			for _, u := range used {
				b.results.add(fmt.Sprintf("%s: %s, %s, CPU s/GB", path, u.who, m.what), w.Name(), u.perGB)
			}
		}
		in, ok := w.(*inside)
		if !ok {
			return nil
		}
		for _, m := range []struct {
			what string
			n    int64
			move func(int64) error
		}{{recorded, one / 2, in.output}, {copied, eight, func(n int64) error { return in.copied(ctx, n) }}} {
			if !b.moves(m.what) {
				continue
			}
			began := time.Now()
			if err := m.move(m.n); err != nil {
				return err
			}
			b.results.add(path+": "+m.what+", MB/s", us, float64(m.n)/1e6/time.Since(began).Seconds())
		}
		return nil
	})
}

const (
	recorded = "output of a command, recorded"
	copied   = "support cp of one file, compared at the end"
)

// moves reports whether a transfer is wanted.
func (b *bench) moves(what string) bool { return b.move == "" || strings.Contains(what, b.move) }

func (b *bench) echo(ctx context.Context, all []candidate, slow bool, path string) error {
	return b.each(ctx, all, slow, func(w way) error {
		p50, p99, err := echoes(ctx, w, 3000, time.Second)
		if err != nil {
			return err
		}
		b.results.add(path+": echo p50, ms", w.Name(), p50.Seconds()*1000)
		b.results.add(path+": echo p99, ms", w.Name(), p99.Seconds()*1000)
		if p50, p99, err = loaded(ctx, w, w, 1500*time.Millisecond); err != nil {
			return err
		}
		in, ok := w.(*inside)
		if ok { // one connection for both is not how it is used, but can be
			b.results.add(path+": the same within one SSH connection p50, ms", us, p50.Seconds()*1000)
			other, err := in.another(ctx)
			if err != nil {
				return err
			}
			defer other.c.Close()
			if p50, p99, err = loaded(ctx, w, other, 1500*time.Millisecond); err != nil {
				return err
			}
		}
		b.results.add(path+": echo under bulk p50, ms", w.Name(), p50.Seconds()*1000)
		b.results.add(path+": echo under bulk p99, ms", w.Name(), p99.Seconds()*1000)
		return nil
	})
}

func (b *bench) usable(ctx context.Context, all []candidate, slow bool, path string) error {
	for range b.rounds {
		for _, c := range all {
			first, echo, err := c.usable(ctx, b, slow)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			b.results.add(path+": on to first byte, ms", c.name, first.Seconds()*1000)
			b.results.add(path+": on to echo through all, ms", c.name, echo.Seconds()*1000)
		}
	}
	return nil
}

// goals are those of the issue.
var goals = []goal{
	{"loopback: pull, 1 stream, MB/s", "chisel", 2, false, ""},
	{"loopback: pull, 1 stream, MB/s", "ssh -R chacha20", 0.8, false, ""},
	{"loopback: pull, 1 stream, MB/s", "", 500, false, ""},
	{"loopback: push, 1 stream, MB/s", "chisel", 2, false, ""},
	{"loopback: push, 1 stream, MB/s", "ssh -R chacha20", 0.8, false, ""},
	{"loopback: relay, pull, 1 stream, CPU s/GB", "", 1.0, true, ""},
	{"loopback: relay, push, 1 stream, CPU s/GB", "", 1.0, true, ""},
	{"loopback: relay, pull, 1 stream, CPU s/GB", "chisel", 1 / 3.5, true, ""}, // where the goal was set chisel needed 3.5
	{"loopback: relay, push, 1 stream, CPU s/GB", "chisel", 1 / 3.5, true, "loopback: relay, pull, 1 stream, CPU s/GB"},
	{"50 ms: pull, 1 stream, MB/s", "ssh -R chacha20", 1, false, ""},
	{"50 ms: push, 1 stream, MB/s", "ssh -R chacha20", 1, false, ""},
	{"50 ms: pull, 8 streams, MB/s", "ssh -R chacha20", 5, false, "50 ms: pull, 1 stream, MB/s"},
	{"50 ms: pull, 8 streams, MB/s", "", 180, false, ""},
	{"loopback: echo p50, ms", "ssh -R chacha20", 1, true, ""},
	{"loopback: echo p50, ms", "ssh -R aes-gcm", 1, true, ""},
	{"loopback: echo under bulk p50, ms", "chisel", 0.1, true, ""},
	{"50 ms: echo p50, ms", "ssh -R chacha20", 1, true, ""},
	{"loopback: on to first byte, ms", "", 20, true, ""},
	{"50 ms: on to first byte, ms", "", 250, true, ""},
	{idleRaw, "", 16, true, ""},
	{idleFramed, "", 40, true, ""},
	{idleOpen, "", 60, true, ""},
	{deadRelay, "", 30, true, ""},
	{deadSystem, "", 30, true, ""},
}
