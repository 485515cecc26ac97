package disable

import (
	"errors"
	"fmt"

	"github.com/latchstring/latchstring/core/audit"
)

// Purge destroys what remote access rests on without sealing the system: for
// whoever removes the program and what it left (REQ G7). A new installation
// begins with an enrolment. It names what it destroyed. Where nothing is left it
// does nothing.
func Purge(o Options) ([]string, error) {
	var errs []error
	if o.Cut != nil {
		errs = append(errs, o.before("cut"), o.Cut())
	}
	destroyed, err := o.destroy(false)
	return destroyed, errors.Join(append(errs, err)...)
}

// destroy does away with all items, and records it.
func (o Options) destroy(good bool) ([]string, error) {
	var errs []error
	destroyed := []string{}
	for _, it := range o.items(good) {
		err := o.before("destroy " + it.name)
		var gone bool
		if err == nil {
			gone, err = it.destroy()
		}
		if gone {
			destroyed = append(destroyed, it.name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("destroy %s: %w", it.name, err))
		}
	}
	if len(destroyed) > 0 {
		errs = append(errs, o.event(audit.TrustDestroyed, map[string]string{"destroyed": list(destroyed)}))
	}
	return destroyed, errors.Join(errs...)
}
