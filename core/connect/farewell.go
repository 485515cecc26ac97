package connect

import (
	"io"
	"sync"
	"time"
)

// How long the end of a connection may take.
const (
	closeWait = 4 * time.Second // until the system has ended what ran, and its recording
	leaveWait = 2 * time.Second // until it ends a connection that it said is over
)

// farewell is whether the system has said that the recording is over. The zero
// value is ready.
type farewell struct {
	mu  sync.Mutex
	c   chan struct{}
	set bool
}

func (f *farewell) done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.c == nil {
		f.c = make(chan struct{})
	}
	return f.c
}

// mark reports whether it is the first call.
func (f *farewell) mark() bool {
	f.done() // makes it
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set {
		return false
	}
	f.set = true
	close(f.c)
	return true
}

// over is called when the end of the recording was signed. What the system does
// after it would be in no recording that is signed: there is to be nothing.
func (c *Conn) over() {
	if c.said.mark() {
		time.AfterFunc(leaveWait, func() { c.Stream.Abort("the recording is over") })
	}
}

// Close ends the connection. It waits a moment for the system to end what still
// runs, and counter-signs the end of the recording.
func (c *Conn) Close() error {
	if c.Stream.CloseWrite() == nil {
		lost, told := c.Stream.Lost(), make(chan struct{})
		go func() { // for what comes before it is said, and that it is over without
			defer close(told)
			_, _ = io.Copy(io.Discard, c.Stream)
		}()
		timer := time.NewTimer(closeWait)
		defer timer.Stop()
		select {
		case <-c.said.done():
		case <-told:
		case <-lost:
		case <-timer.C:
		}
	}
	return c.Stream.Close()
}
