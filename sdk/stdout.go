package sdk

import (
	"os"

	"golang.org/x/sys/unix"
)

// realStdout is the stdout that the process was started with.
//
// A host reads one line of handshake from it, and whatever else comes there
// breaks the start in ways that are hard to find. So it is taken away when this
// package is initialised, which is before the main package and all of an
// author's packages that know the SDK: descriptor 1 is /dev/null then, in a
// plugin that serves, and stderr in one that describes itself.
var realStdout = takeStdout(os.Args)

// firstStdout is the file of descriptor 1. It is kept here because a file that
// nobody refers to is closed, and go-plugin replaces os.Stdout.
var firstStdout = os.Stdout

func takeStdout(args []string) *os.File {
	if len(args) < 2 {
		return os.Stdout
	}
	var instead int
	switch args[1] {
	case "describe":
		instead = 2
	case "serve":
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return os.Stdout
		}
		defer null.Close()
		instead = int(null.Fd())
	default:
		return os.Stdout
	}
	// The copy is close-on-exec: a process that the author starts does not
	// hold the host's pipe open.
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return os.Stdout
	}
	if err := unix.Dup3(instead, 1, 0); err != nil {
		unix.Close(fd)
		return os.Stdout
	}
	return os.NewFile(uintptr(fd), "stdout")
}
