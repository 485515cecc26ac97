package login

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Clock tells the time in two ways.
type Clock interface {
	// Now is the time of day, for people.
	Now() time.Time
	// Boot is the time since the machine was started, suspend included, and
	// an id of that start.
	Boot() (time.Duration, string, error)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

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

// moment is a point in time that survives a restart of the process but not of
// the machine.
type moment struct {
	Boot  string        `json:"boot"`
	Since time.Duration `json:"since"` // ns after the boot
}

// elapsed is how long ago m was at now; ok is false when it was before the
// machine was started.
func (m moment) elapsed(now moment) (d time.Duration, ok bool) {
	return now.Since - m.Since, m.Boot == now.Boot && now.Since >= m.Since
}
