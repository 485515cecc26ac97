// Package gentle makes a process step back for the others of its machine: a
// machine that is in trouble needs its processors and disks for its work, and
// support's questions can wait.
package gentle

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The priority that a process takes. Both are inherited by what it starts.
const (
	Nice = 10 // of -20 to 19; see setpriority(2)

	ioClassBestEffort = 2 // see ioprio_set(2)
	ioLevelLowest     = 7 // of 0 to 7
	ioClassShift      = 13
	ioWhoProcess      = 1
)

// Yield lowers the processor and the disk priority of this process, of all its
// threads and of what it starts from now on. One that is lower already stays.
// An error is nothing to stop for.
func Yield() error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	// Both belong to threads on Linux, and Go has several from the start. New
	// ones inherit from the one that makes them.
	var errs []error
	for _, task := range tasks {
		var tid int
		if _, err := fmt.Sscan(task.Name(), &tid); err != nil {
			continue
		}
		// The raw call answers 20 minus the nice value.
		if now, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil && 20-now < Nice {
			errs = append(errs, unix.Setpriority(unix.PRIO_PROCESS, tid, Nice))
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioWhoProcess, uintptr(tid), ioClassBestEffort<<ioClassShift|ioLevelLowest); errno != 0 && errno != unix.ESRCH {
			errs = append(errs, errno)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
