package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
)

// The rows of idle sessions.
const (
	idleRaw    = "relay memory of an idle session, KB"
	idleFramed = "relay memory of an idle session in WebSocket frames, KB"
	idleFirst  = "relay memory of an idle session that is its system's first, KB"
	idleOpen   = "all sessions open, s"
)

// settle is after how long the relay's store has let go of what it wrote.
const settle = 12 * time.Second

// idle opens sessions from two processes, measures the relay, restarts it, and
// waits until all are back.
func (b *bench) idle(ctx context.Context) error {
	dir := filepath.Join(b.dir, "fleet")
	b.say("%d sessions: making their systems", b.sessions)
	if err := b.enrolMany(ctx, dir); err != nil {
		return err
	}
	// The first time that a system has a session the store grows by what it keeps
	// of it; that is a row of its own, and the others begin with the same store.
	for _, carrier := range []string{"first", "raw", "framed"} {
		b.say("%d idle sessions, %s", b.sessions, carrier)
		if err := b.idleSessions(ctx, dir, carrier); err != nil {
			return fmt.Errorf("%s: %w", carrier, err)
		}
	}
	return nil
}

// enrolMany writes systems into the store of a relay that does not run:
// enrolling is not measured here.
func (b *bench) enrolMany(ctx context.Context, dir string) error {
	address := freePort()
	if _, err := b.command(ctx, "rss", "init", "--root", dir, "--name", "Bench", "--address", address, "--listen", address); err != nil {
		return err
	}
	if err := unlimited(dir); err != nil {
		return err
	}
	root, err := paths.New(dir)
	if err != nil {
		return err
	}
	loaded, err := setup.Load(root)
	if err != nil {
		return err
	}
	engine, err := natsstore.Embed(loaded.Places.Store, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer engine.Close()
	reg, err := store.NewRegistry(ctx, engine)
	if err != nil {
		return err
	}
	numbers, errs := make(chan int), make(chan error, b.sessions)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for i := range numbers {
				sys, err := identity.Open(filepath.Join(dir, "fleet", strconv.Itoa(i)))
				if err == nil {
					_, err = reg.ChangeSystem(ctx, sys.ID(), func(s *store.System, _ bool) error {
						s.Name, s.PublicKey, s.EnrolledAt = fmt.Sprintf("array-%d", i), identity.FormatKey(sys.PublicKey()), time.Now().UTC()
						return nil
					})
				}
				if err != nil {
					errs <- err
				}
			}
		})
	}
	for i := range b.sessions {
		numbers <- i
	}
	close(numbers)
	all.Wait()
	close(errs)
	return <-errs
}

// child is this program in another part.
type child struct{ *process }

func (b *bench) child(args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self, args...), done: make(chan struct{})}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// Not StdoutPipe, which Wait closes.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.out = w, bufio.NewReader(r)
	err = p.begin()
	w.Close()
	if err != nil {
		return nil, err
	}
	c := &child{process: p}
	return c, c.says("ready")
}

func (c *child) says(want string) error {
	line, err := c.out.ReadString('\n')
	if strings.TrimSpace(line) != want {
		return fmt.Errorf("%s says %q, %w; expected %q", c.cmd.Args[1], line, err, want)
	}
	return nil
}

func (c *child) ask() error { _, err := io.WriteString(c.in, "\n"); return err }

// free makes a relay give back what is garbage.
func (c *child) free() error {
	if err := c.ask(); err != nil {
		return err
	}
	return c.says("freed")
}

// news asks all parts of the fleet and adds up.
func newsOf(fleets []*child) (sum news, err error) {
	sum.Dials, sum.Fails = map[int64]int{}, map[string]int{}
	for _, c := range fleets {
		if err := c.ask(); err != nil {
			return sum, err
		}
		line, err := c.out.ReadBytes('\n')
		if err != nil {
			return sum, err
		}
		var n news
		if err := json.Unmarshal(line, &n); err != nil {
			return sum, err
		}
		sum.Up += n.Up
		for second, k := range n.Dials {
			sum.Dials[second] += k
		}
		for text, k := range n.Fails {
			sum.Fails[text] += k
		}
		if n.Last.After(sum.Last) {
			sum.Last = n.Last
		}
	}
	return sum, nil
}

// gather waits until all sessions are up, and says how many connections there
// were in the fullest second.
func (b *bench) gather(ctx context.Context, fleets []*child, limit time.Duration) (last time.Time, peak, dials int, err error) {
	per := map[int64]int{}
	fails := map[string]int{}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		n, err := newsOf(fleets)
		if err != nil {
			return last, 0, 0, err
		}
		for s, k := range n.Dials {
			per[s] += k
			dials += k
		}
		for text, k := range n.Fails {
			fails[text] += k
		}
		if n.Last.After(last) {
			last = n.Last
		}
		switch {
		case n.Up == int64(b.sessions):
			for _, k := range per {
				peak = max(peak, k)
			}
			return last, peak, dials, nil
		case time.Since(began) > limit || ctx.Err() != nil:
			return last, 0, 0, fmt.Errorf("after %s %d of %d sessions are open: %v", limit, n.Up, b.sessions, fails)
		}
	}
}

func (b *bench) idleSessions(ctx context.Context, dir, carrier string) error {
	relay, err := b.child("relay", dir, carrier)
	if err != nil {
		return err
	}
	defer func() { relay.end() }()
	var fleets []*child
	for i := range 2 {
		c, err := b.child("fleet", dir, strconv.Itoa(b.sessions*i/2), strconv.Itoa(b.sessions*(i+1)/2))
		if err != nil {
			return err
		}
		defer c.end()
		fleets = append(fleets, c)
	}
	time.Sleep(2 * time.Second)
	if err := relay.free(); err != nil {
		return err
	}
	before, err := pss(relay.pid())
	if err != nil {
		return err
	}
	cpu, began := cpuOf(relay.pid()), time.Now()
	for _, c := range fleets {
		if err := c.ask(); err != nil { // begin
			return err
		}
		if _, err := c.out.ReadString('\n'); err != nil {
			return err
		}
	}
	last, peak, _, err := b.gather(ctx, fleets, 3*time.Minute)
	if err != nil {
		return err
	}
	row := map[string]string{"first": idleFirst, "raw": idleRaw, "framed": idleFramed}[carrier]
	if carrier == "first" {
		b.results.add(idleOpen, us, last.Sub(began).Seconds())
		b.results.add("connections in the fullest second of that", us, float64(peak))
		b.results.add("relay, CPU ms for each session that opens", us, (cpuOf(relay.pid())-cpu).Seconds()*1000/float64(b.sessions))
	}
	time.Sleep(settle)
	each := func(what string) error {
		now, err := pss(relay.pid())
		b.results.add(what, us, float64(now-before)/1024/float64(b.sessions))
		return err
	}
	if err := each(row + ", with garbage"); err != nil {
		return err
	}
	if err := relay.free(); err != nil {
		return err
	}
	if err := each(row); err != nil {
		return err
	}
	if carrier != "raw" {
		return nil
	}
	if err := b.restart(ctx, &relay, fleets, dir, false); err != nil {
		return err
	}
	if !b.long {
		return nil
	}
	time.Sleep(61 * time.Second) // healthy again, so that delays begin anew
	return b.restart(ctx, &relay, fleets, dir, true)
}

// restart ends the relay, by order or by kill, starts it again and waits for
// all sessions.
func (b *bench) restart(ctx context.Context, relay **child, fleets []*child, dir string, kill bool) error {
	how := "told to stop"
	if kill {
		how = "killed"
	}
	b.say("the relay is %s and started again", how)
	newsOf(fleets)
	if kill {
		syscall.Kill((*relay).pid(), syscall.SIGKILL)
		<-(*relay).done
	} else {
		(*relay).end()
	}
	next, err := b.child("relay", dir, "raw")
	if err != nil {
		return err
	}
	*relay = next
	ready := time.Now()
	last, peak, dials, err := b.gather(ctx, fleets, 5*time.Minute)
	if err != nil {
		return err
	}
	b.results.add("relay "+how+": all sessions are back after, s", us, last.Sub(ready).Seconds())
	b.results.add("relay "+how+": connections in the fullest second", us, float64(peak))
	b.results.add("relay "+how+": connections for each session", us, float64(dials)/float64(b.sessions))
	return nil
}
