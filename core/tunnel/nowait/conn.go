package nowait

import (
	"net"
	"sync"
	"syscall"
)

const (
	small  = 16 << 10 // bytes of a call; more goes the ordinary way
	atOnce = 64       // calls in a row that did not have to wait
)

// A Socket is what can be dealt with in this way. [net.TCPConn] and
// [net.UnixConn] are.
type Socket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// Conn is a socket. One call of Read may go on at the same time as one of Write.
type Conn struct {
	Socket
	in, out way
}

// way is one direction.
type way struct {
	sync.Mutex
	wait  func(func(fd uintptr) bool) error
	call  func(fd uintptr) bool
	p     []byte
	n     int
	errno syscall.Errno
	row   int  // calls that did not have to wait
	much  bool // the last one moved many bytes
}

// ordinary reports whether a call should go the ordinary way.
func (w *way) ordinary() bool {
	w.row++
	if !w.much && w.row <= atOnce {
		return false
	}
	w.row = 0
	return true
}
