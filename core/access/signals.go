package access

import (
	"os"
	"os/signal"
	"syscall"
)

// hear lets programs begin with the signals of a terminal, whatever this one was
// started by: under nohup, or in the background of a script, SIGHUP and SIGINT are
// ignored, and who is ignored hands that on. Then an engineer's Ctrl-C would do
// nothing, and what he left behind would not hear that he is gone. A signal that
// somebody here waits for begins anew in programs; nobody reads what comes.
func hear() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
