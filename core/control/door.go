package control

import (
	"net"
	"sync"
)

// How many connections local users may hold who are neither root nor the
// agent's own user: so many that nobody notices, and so few that nobody can take
// all descriptors of the agent, and with them the means to turn remote access off.
// The second bound is there because one user can act under many ids (user
// namespaces).
const (
	maxGuest  = 16
	maxGuests = 128
)

// door turns away who holds too many connections.
type door struct {
	net.Listener

	mu    sync.Mutex
	count map[uint32]int
	total int
}

func newDoor(l net.Listener) *door { return &door{Listener: l, count: map[uint32]int{}} }

// Accept waits for a connection that may come in. Those that may not are closed.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		by, err := peerOf(c)
		if err == nil && by.Trusted() {
			return c, nil
		}
		uc, ok := c.(*net.UnixConn)
		if err != nil || !ok || !d.enter(by.UID) {
			c.Close()
			continue
		}
		return &guest{UnixConn: uc, leave: sync.OnceFunc(func() { d.leave(by.UID) })}, nil
	}
}

func (d *door) enter(uid uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count[uid] >= maxGuest || d.total >= maxGuests {
		return false
	}
	d.count[uid]++
	d.total++
	return true
}

func (d *door) leave(uid uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total--
	if d.count[uid]--; d.count[uid] == 0 {
		delete(d.count, uid)
	}
}

// guest is a connection that is counted.
type guest struct {
	*net.UnixConn
	leave func()
}

func (g *guest) Close() error {
	g.leave()
	return g.UnixConn.Close()
}
