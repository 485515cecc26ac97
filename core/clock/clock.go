package clock

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Clock tells the time in two ways.
type Clock interface {
	// Now is the time of day, which somebody may set.
	Now() time.Time
	// Boot is the time since the machine was started, suspend included, and an
	// id of that start.
	Boot() (time.Duration, string, error)
}

// System is the clock of the machine.
var System Clock = system{}

type system struct{}

// Now has no monotonic part, so that differences are those of the time of day.
func (system) Now() time.Time { return time.Now().Round(0) }

// Boot reads CLOCK_BOOTTIME (clock_gettime(2)) and the kernel's boot_id
// (random(4)).
func (system) Boot() (time.Duration, string, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, "", fmt.Errorf("read the clock: %w", err)
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return 0, "", fmt.Errorf("read the id of this boot: %w", err)
	}
	return time.Duration(ts.Nano()), strings.TrimSpace(string(id)), nil
}
