package access

import (
	"runtime/debug"
	"sync"
)

// SSH takes memory for each packet, so that a stream from the engineer would
// have the garbage collected a hundred times a gigabyte, which took a quarter of
// the processor's time. While somebody is in, garbage may lie longer.
const busyGC = 400 // per cent, see [debug.SetGCPercent]

var pace struct {
	sync.Mutex
	served int
	usual  int
}

// busy is called when a connection begins, and what it returns when it ends.
func busy() (done func()) {
	pace.Lock()
	defer pace.Unlock()
	if pace.served++; pace.served == 1 {
		pace.usual = debug.SetGCPercent(busyGC)
	}
	return func() {
		pace.Lock()
		defer pace.Unlock()
		if pace.served--; pace.served == 0 {
			debug.SetGCPercent(pace.usual)
		}
	}
}
