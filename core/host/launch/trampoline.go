package launch

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/host/sandbox"
)

// argv0 of a trampoline. Somebody who starts a host under this name by hand
// gets an error: there is no order on descriptor 5.
const argv0 = "latchstring-sandbox"

// Descriptors of a trampoline, beside those of the plugin.
const (
	fdHandoff = 3 // internal/wire.HandoffFD
	fdImage   = 4 // the program
	fdOrder   = 5 // the order, JSON
	fdReport  = 6 // the report, JSON
)

// order is what the host tells the trampoline.
type order struct {
	Host    int // process id of the host
	Argv    []string
	Env     []string
	Sandbox sandbox.Spec
}

// report is what the trampoline answers, twice when execution fails.
type report struct {
	Level sandbox.Level
	Error string
}

// Main turns the process into a plugin when it was started as a trampoline,
// and returns at once when it was not. It must be the first statement of main.
func Main() {
	if len(os.Args) != 1 || os.Args[0] != argv0 {
		return
	}
	// Landlock, the filter and no_new_privs belong to a thread; the one that
	// executes must be the one that they were set on.
	runtime.LockOSThread()
	err := become()
	if out := os.NewFile(fdReport, "report"); out != nil {
		json.NewEncoder(out).Encode(report{Error: err.Error()})
	}
	os.Exit(126)
}

// become follows the order. It returns only on failure.
func become() error {
	if err := closeOnExec(fdImage); err != nil {
		return err
	}
	raw, err := io.ReadAll(os.NewFile(fdOrder, "order"))
	if err != nil {
		return fmt.Errorf("read the order of the host: %w", err)
	}
	var o order
	if err := json.Unmarshal(raw, &o); err != nil {
		return fmt.Errorf("read the order of the host: %w", err)
	}
	argv, err := cStrings(o.Argv)
	if err != nil {
		return err
	}
	envv, err := cStrings(o.Env)
	if err != nil {
		return err
	}
	unix.Umask(0o077)
	out := os.NewFile(fdReport, "report")
	level, err := sandbox.Confine(o.Sandbox, fdImage)
	if err != nil {
		return err
	}
	// The host may have died before the kernel was asked to tell.
	if os.Getppid() != o.Host {
		return fmt.Errorf("the host is gone")
	}
	if err := json.NewEncoder(out).Encode(report{Level: level}); err != nil {
		return fmt.Errorf("report to the host: %w", err)
	}
	// By descriptor, so that no path is looked up, and raw, because the filter
	// knows this call only.
	empty := [1]byte{}
	_, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, fdImage, uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envv[0])), unix.AT_EMPTY_PATH, 0)
	runtime.KeepAlive(argv)
	runtime.KeepAlive(envv)
	return execError(errno)
}

// execError says what an error number of exec means for a plugin.
func execError(errno unix.Errno) error {
	switch errno {
	case unix.ENOEXEC:
		return fmt.Errorf("it is no program for this machine (%s): %w", runtime.GOARCH, errno)
	case unix.EACCES, unix.ENOENT:
		return fmt.Errorf("it cannot be executed; a plugin must be linked statically (CGO_ENABLED=0): %w", errno)
	}
	return fmt.Errorf("it cannot be executed: %w", errno)
}

// closeOnExec keeps every descriptor from first on out of the plugin.
func closeOnExec(first int) error {
	const cloexec = 4 // CLOSE_RANGE_CLOEXEC, Linux 5.11
	if unix.CloseRange(uint(first), ^uint(0)>>1&0x7fffffff, cloexec) == nil {
		return nil
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list open descriptors: %w", err)
	}
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// cStrings makes the null-terminated array that exec takes.
func cStrings(in []string) ([]*byte, error) {
	out := make([]*byte, 0, len(in)+1)
	for _, s := range in {
		p, err := unix.BytePtrFromString(s)
		if err != nil {
			return nil, fmt.Errorf("argument %q: %w", s, err)
		}
		out = append(out, p)
	}
	return append(out, nil), nil
}
