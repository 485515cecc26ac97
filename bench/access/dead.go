package main

import (
	"context"
	"errors"
	"time"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
)

// The rows of peers that vanish without a word.
const (
	deadSystem = "a system that vanished is noticed by the relay after, s"
	deadRelay  = "a relay that vanished is noticed by the system after, s"
)

// dead lets the path between system and relay swallow everything.
func (b *bench) dead(ctx context.Context) error {
	s, err := b.site(ctx, true)
	if err != nil {
		return err
	}
	if _, err := s.on(ctx); err != nil {
		return err
	}
	defer s.off(ctx)
	time.Sleep(time.Second)
	s.slow.hole.Store(true)
	defer s.slow.hole.Store(false)
	began := time.Now()
	var bySystem, byRelay time.Duration
	for time.Since(began) < 2*time.Minute && (bySystem == 0 || byRelay == 0) {
		time.Sleep(100 * time.Millisecond)
		if bySystem == 0 {
			if now, err := s.control.Session(ctx, control.Self()); err == nil && (now.Link == nil || !now.Link.Up) {
				bySystem = time.Since(began)
			}
		}
		if byRelay == 0 {
			if found, err := connect.Find(ctx, s.engineer, s.system); err == nil && found.Session == nil {
				byRelay = time.Since(began)
			}
		}
	}
	if bySystem == 0 || byRelay == 0 {
		return errors.New("a dead peer was not noticed within two minutes")
	}
	b.results.add(deadRelay, us, bySystem.Seconds())
	b.results.add(deadSystem, us, byRelay.Seconds())
	return nil
}
