package main

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A delay passes TCP connections on and holds every byte for a while, any
// number of bytes at a time: a long path without a limit on its rate.
type delay struct {
	address string
	to      string
	each    time.Duration // way
	hole    atomic.Bool   // swallows everything and says nothing
}

// maxHeld bounds what one direction holds: half a second of a fast path.
const maxHeld = 512 << 20

func newDelay(to string, each time.Duration) (*delay, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("delay: %w", err)
	}
	d := &delay{address: ln.Addr().String(), to: to, each: each}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go d.pass(c.(*net.TCPConn))
		}
	}()
	return d, nil
}

// pass carries one connection. The kernel has accepted it at once, so the round
// trip that connecting takes is added to the first bytes.
func (d *delay) pass(near *net.TCPConn) {
	defer near.Close()
	began := time.Now()
	time.Sleep(d.each)
	far, err := net.Dial("tcp", d.to)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { d.carry(far.(*net.TCPConn), near, began.Add(2*d.each)) })
	both.Go(func() { d.carry(near, far.(*net.TCPConn), began.Add(d.each)) })
	both.Wait()
}

type parcel struct {
	p   *[]byte
	n   int
	due time.Time
}

var parcels = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// carry moves one direction; nothing was sent before began.
func (d *delay) carry(to, from *net.TCPConn, began time.Time) {
	line := make(chan parcel, maxHeld/(128<<10))
	go func() {
		defer close(line)
		for {
			p := parcels.Get().(*[]byte)
			n, err := from.Read(*p)
			sent := time.Now()
			if sent.Before(began) {
				sent = began
			}
			line <- parcel{p, n, sent.Add(d.each)}
			if err != nil {
				return
			}
		}
	}()
	broken := false
	for x := range line {
		time.Sleep(time.Until(x.due))
		if !broken && !d.hole.Load() {
			_, err := to.Write((*x.p)[:x.n])
			broken = err != nil
		}
		parcels.Put(x.p)
	}
	if broken {
		from.Close()
	}
	if !d.hole.Load() {
		to.CloseWrite()
	}
}
