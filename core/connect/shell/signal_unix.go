//go:build unix

package shell

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// resizes tells whenever the window has another size.
func resizes() <-chan struct{} {
	sig, out := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(sig, syscall.SIGWINCH)
	go func() {
		for range sig {
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out
}

// passed are the signals that go on to the command, besides the interrupt that
// ends the context.
var passed = map[os.Signal]ssh.Signal{
	syscall.SIGHUP: ssh.SIGHUP, syscall.SIGQUIT: ssh.SIGQUIT, syscall.SIGUSR1: ssh.SIGUSR1, syscall.SIGUSR2: ssh.SIGUSR2,
}
