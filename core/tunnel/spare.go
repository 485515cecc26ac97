package tunnel

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const (
	spareTime     = 5 * time.Minute // after the opening and after each connection
	maxSpareDelay = time.Minute
	sparePatience = msg.Patience + 10*time.Second
	spareBurst    = 10 // pings at once
)

// setUp says whether the relay can be asked for anything.
func (r *runner) setUp(up bool) {
	r.mu.Lock()
	switch {
	case up && !r.up:
		close(r.upped)
	case !up && r.up:
		r.upped = make(chan struct{})
	}
	r.up, r.secured = up, up
	r.mu.Unlock()
	poke(r.wake)
}

// awaitUp waits until the session is open for others, too: what a spare carries
// may overtake the welcome on the control stream.
func (r *runner) awaitUp() bool {
	r.mu.Lock()
	upped := r.upped
	r.mu.Unlock()
	timer := time.NewTimer(welcomeTimeout)
	defer timer.Stop()
	select {
	case <-upped:
		return true
	case <-timer.C:
	case <-r.ctx.Done():
	}
	return false
}

// setSecured says that it is about to be: the spare is dialled already, and waits
// at the relay for the control stream.
func (r *runner) setSecured() {
	r.mu.Lock()
	r.secured = true
	r.mu.Unlock()
	poke(r.wake)
}

func (r *runner) isUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up
}

// extendSpare keeps the spare for another while.
func (r *runner) extendSpare() {
	r.mu.Lock()
	r.until = time.Now().Add(r.o.Spare)
	r.mu.Unlock()
	poke(r.wake)
}

// used reports whether an engineer is here or was of late.
func (r *runner) used() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.active) > 0 || !r.lastUse.IsZero() && time.Since(r.lastUse) < spareTime
}

// spreads takes what the relay says about coming back.
func (r *runner) spreads(s msg.Spread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spread = time.Duration(s.Seconds) * time.Second
}

func (r *runner) spreadNow() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spread
}

func (r *runner) spareWanted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.secured && time.Now().Before(r.until)
}

func (r *runner) spareExpired() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !time.Now().Before(r.until)
}

// keepSpare keeps one connection dialled while one is wanted.
func (r *runner) keepSpare() {
	delay := firstDelay
	for r.ctx.Err() == nil {
		if !r.spareWanted() {
			select {
			case <-r.wake:
			case <-r.ctx.Done():
			}
			continue
		}
		began := time.Now()
		used, err := r.spare()
		if used || err == nil || time.Since(began) >= healthy {
			delay = firstDelay
		}
		if used {
			for !r.mayBegin() {
				if !sleep(r.ctx, dialEvery) {
					return
				}
			}
			continue
		}
		if !sleep(r.ctx, delay/2+upTo(delay/2)) {
			return
		}
		delay = min(2*delay, maxSpareDelay)
	}
}

// spare keeps one connection until an engineer uses it, nobody wants it any
// more, or it breaks.
func (r *runner) spare() (used bool, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, carryTimeout)
	defer cancel()
	seconds := max(1, int(r.idle.keepalive()/time.Second))
	conn, err := r.dial(ctx, msg.PathCarry, url.Values{msg.QueryKeepalive: {strconv.Itoa(seconds)}}, func() ([]byte, error) { return nil, r.awaitBegun() })
	if err == nil || r.isUp() { // else it says nothing about second connections
		r.carried(err)
	}
	if err != nil {
		return false, err
	}
	s, err := r.holdSpare(conn)
	if s == nil || !r.awaitUp() {
		conn.Close()
		return false, err
	}
	r.serve(conn, s)
	return true, nil
}

// holdSpare answers pings, in lockstep, until start comes.
func (r *runner) holdSpare(conn net.Conn) (*msg.Start, error) {
	stop := context.AfterFunc(r.ctx, func() { conn.Close() })
	defer stop()
	in := msg.NewReader(conn)
	pings := bucket{size: spareBurst, every: time.Second / 2}
	for {
		conn.SetReadDeadline(time.Now().Add(sparePatience))
		m, err := in.Next()
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *msg.Start:
			return m, nil
		case *msg.Ping:
			if !pings.take() {
				return nil, errFlood
			}
			if r.spareExpired() {
				return nil, nil
			}
			conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if err := msg.Write(conn, &msg.Pong{N: m.N}); err != nil {
				return nil, err
			}
		default:
			return nil, errSpare
		}
	}
}
