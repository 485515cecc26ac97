package web

import (
	"net"
	"sync"
)

// How many connections there may be at once, of one address and of all, so that
// nobody who reaches the port takes the agent's descriptors.
const (
	maxOfOne = 40
	maxConns = 256
)

// door turns away who holds too many connections.
type door struct {
	net.Listener

	mu    sync.Mutex
	count map[string]int
	total int
}

func newDoor(l net.Listener) *door { return &door{Listener: l, count: map[string]int{}} }

// Accept waits for a connection that may come in.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := hostOf(c.RemoteAddr().String())
		if !d.enter(from) {
			c.Close()
			continue
		}
		return &counted{Conn: c, leave: sync.OnceFunc(func() { d.leave(from) })}, nil
	}
}

func (d *door) enter(from string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count[from] >= maxOfOne || d.total >= maxConns {
		return false
	}
	d.count[from]++
	d.total++
	return true
}

func (d *door) leave(from string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total--
	if d.count[from]--; d.count[from] == 0 {
		delete(d.count, from)
	}
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
