package splice

import (
	"net"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/nowait"
)

// Passing is a connection of TLS whose other end may go on below it: it ends
// TLS in its direction and sends other bytes behind that. Where both
// connections of a splice are passing, the end of TLS is handed on, and what
// follows on the one socket goes to the other.
type Passing interface {
	net.Conn
	Passes() bool
	Below() net.Conn // what TLS goes over
	Rest() []byte    // of that, what was read behind the end of TLS
}

// descend goes on below TLS, where that is possible. Otherwise the end of the
// direction was its end.
func (h *half) descend() (more bool, err error) {
	from, ok := h.from.(Passing)
	to, ok2 := h.to.(Passing)
	if h.below || !ok || !ok2 || !from.Passes() || !to.Passes() {
		return false, nil
	}
	h.from, h.to, h.below = nowait.New(from.Below()), nowait.New(to.Below()), true
	h.armed, h.until = time.Time{}, time.Time{}
	if h.o.Descended != nil {
		h.o.Descended()
	}
	if err := h.to.SetWriteDeadline(time.Time{}); err != nil { // TLS left one of the past
		return false, err
	}
	return true, h.write(from.Rest())
}
