package family

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread starts f on a thread that nothing else runs on, that is not the first
// of the process, and that ends with f. A thread that was moved into a namespace
// is of no more use; and if it were the first, which is the one that stands for
// the process in /proc, the whole process would seem to be in there, and whoever
// ends what is in there would end it too.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != os.Getpid() {
			f()
			return
		}
		// While this goroutine holds the first thread, another cannot get it.
		apart := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(apart)
			f()
		}()
		<-apart
		runtime.UnlockOSThread()
	}()
}
