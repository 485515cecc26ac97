package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// bulk moves n bytes over some streams at once and returns MB/s and the relay's
// CPU seconds for each GB.
func bulk(ctx context.Context, w way, streams int, n int64, move func(net.Conn, int64) error) (rate, cpu float64, err error) {
	conns := make([]net.Conn, streams)
	for i := range conns {
		if conns[i], err = w.Dial(ctx); err != nil {
			return 0, 0, err
		}
		defer conns[i].Close()
	}
	errs := make([]error, streams)
	before, began := cpuOf(w.Relay()), time.Now()
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() { errs[i] = move(c, n/int64(streams)) })
	}
	all.Wait()
	took := time.Since(began)
	for _, e := range errs {
		if e != nil {
			return 0, 0, fmt.Errorf("%s: %w", w.Name(), e)
		}
	}
	return float64(n) / 1e6 / took.Seconds(), (cpuOf(w.Relay()) - before).Seconds() / float64(n) * 1e9, nil
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
