package session

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

// SystemClock is the clock of the machine.
var SystemClock Clock = systemClock{}

type systemClock struct{}

// Now has no monotonic part, so that differences are those of the time of day.
func (systemClock) Now() time.Time { return time.Now().Round(0) }

func (systemClock) Boot() (time.Duration, string, error) {
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
