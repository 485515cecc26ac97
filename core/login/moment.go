package login

import "time"

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
