package ws

import (
	"errors"
	"net"
	"sync"
	"time"
)

// maxControl is how many control frames may come in a row. What is idle here
// still has data of its own every 20 seconds.
const maxControl = 1024

// closeTimeout is how long saying goodbye may take.
const closeTimeout = time.Second

// ErrUnframed is what Read returns where the other end left the frames; the
// next byte of the connection below is the first that is not framed.
var ErrUnframed = errors.New("websocket: the other end goes on without frames")

// Conn is a stream of bytes in frames over another connection. Write may be
// called by several goroutines, Read by one at a time, each at any time.
// Deadlines are those of the connection below.
type Conn struct {
	net.Conn
	client bool

	// Reading.
	head    [maxHead]byte
	have    int    // bytes of head that are here
	left    uint64 // of the payload of the current frame
	key     uint32
	open    bool // inside a fragmented message
	control int  // control frames since the last data
	rerr    error

	// Writing.
	mu     sync.Mutex
	werr   error
	closed bool
}

// Client frames as the end that asked for the upgrade.
func Client(conn net.Conn) *Conn { return &Conn{Conn: conn, client: true} }

// Server frames as the end that granted it.
func Server(conn net.Conn) *Conn { return &Conn{Conn: conn} }

// Close says goodbye, if that can be done soon, and closes the connection.
func (c *Conn) Close() error {
	if c.mu.TryLock() { // else somebody writes, perhaps for ever
		if !c.closed && c.werr == nil {
			c.closed = true
			c.Conn.SetWriteDeadline(time.Now().Add(closeTimeout))
			c.writeFrame(opClose, []byte{0x03, 0xe8}) // 1000, normal
		}
		c.mu.Unlock()
	}
	return c.Conn.Close()
}

// Below is the connection that carries the frames.
func (c *Conn) Below() net.Conn { return c.Conn }
