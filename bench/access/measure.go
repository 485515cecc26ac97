package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// used is what a process needed for a GB, in CPU seconds.
type used struct {
	who   string
	perGB float64
}

// processes are those that are known: of the others only the relay is.
func processes(w way) (names []string, pids []int) {
	names, pids = []string{"relay"}, []int{w.Relay()}
	if in, ok := w.(*inside); ok {
		names, pids = append(names, "system", "engineer"), append(pids, in.s.agent.pid(), os.Getpid())
	}
	return names, pids
}

// bulk moves n bytes over some streams at once and returns MB/s, and what each
// process needed. The engineer's is this one, with the target in it.
func bulk(ctx context.Context, w way, streams int, n int64, move func(net.Conn, int64) error) (rate float64, needed []used, err error) {
	conns := make([]net.Conn, streams)
	for i := range conns {
		if conns[i], err = w.Dial(ctx); err != nil {
			return 0, nil, err
		}
		defer conns[i].Close()
	}
	errs := make([]error, streams)
	names, pids := processes(w)
	before := make([]time.Duration, len(pids))
	cpu := func(pid int) time.Duration {
		if pid == os.Getpid() {
			return cpuHere()
		}
		return cpuOf(pid)
	}
	for i, p := range pids {
		before[i] = cpu(p)
	}
	began := time.Now()
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() { errs[i] = move(c, n/int64(streams)) })
	}
	all.Wait()
	took := time.Since(began)
	for i, p := range pids {
		needed = append(needed, used{names[i], (cpu(p) - before[i]).Seconds() / float64(n) * 1e9})
	}
	for _, e := range errs {
		if e != nil {
			return 0, nil, fmt.Errorf("%s: %w", w.Name(), e)
		}
	}
	return float64(n) / 1e6 / took.Seconds(), needed, nil
}

func roundTrip(c net.Conn, p []byte) (time.Duration, error) {
	began := time.Now()
	if _, err := c.Write(p); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(c, p)
	return time.Since(began), err
}

// echoes measures round trips of 64 bytes until enough or the time is up.
func echoes(ctx context.Context, w way, enough int, limit time.Duration) (p50, p99 time.Duration, err error) {
	c, err := w.Dial(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	if err := request(c, wantEcho, 0); err != nil {
		return 0, 0, err
	}
	p := make([]byte, 64)
	for range 20 { // until everything is warm
		if _, err := roundTrip(c, p); err != nil {
			return 0, 0, err
		}
	}
	var all []time.Duration
	for began := time.Now(); len(all) < enough && time.Since(began) < limit; {
		d, err := roundTrip(c, p)
		if err != nil {
			return 0, 0, err
		}
		all = append(all, d)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100], nil
}

// loaded measures echoes of one way while a stream of another is full.
func loaded(ctx context.Context, full, w way, limit time.Duration) (p50, p99 time.Duration, err error) {
	c, err := full.Dial(ctx)
	if err != nil {
		return 0, 0, err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); pull(c, 1<<40) }()
	time.Sleep(200 * time.Millisecond)
	p50, p99, err = echoes(ctx, w, 2000, limit)
	c.Close()
	<-ended
	return p50, p99, err
}
