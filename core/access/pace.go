package access

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// SSH takes memory for each packet, so that a stream from the engineer would
// have the garbage collected a hundred times a gigabyte, which took a quarter of
// the processor's time. While somebody is in, garbage may lie longer.
const busyGC = 400 // per cent, see [debug.SetGCPercent]

// settle is how long a connection may take to its first bytes undisturbed.
const settle = 300 * time.Millisecond

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
		// The percentage is of what was in use when the garbage was collected last.
		// If that was while a key was made of a password, hundreds of megabytes
		// would be touched for the first time before the next collection.
		time.AfterFunc(settle, runtime.GC)
	}
	return func() {
		pace.Lock()
		defer pace.Unlock()
		if pace.served--; pace.served == 0 {
			debug.SetGCPercent(pace.usual)
		}
	}
}
