package hardware

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// Failure is a fault in its time.
type Failure struct {
	Part     string        `json:"part,omitempty"`
	Kind     Kind          `json:"kind"`
	Name     string        `json:"component"`
	What     string        `json:"what"`
	Level    string        `json:"level"`
	Evidence string        `json:"evidence,omitempty"`
	Since    time.Time     `json:"since"`
	Told     time.Time     `json:"told,omitzero"`      // since when it is in the audit log; zero: it may still pass
	Well     time.Time     `json:"well,omitzero"`      // since when it is not seen any more
	Before   []time.Time   `json:"before,omitempty"`   // when it was told, within the last day
	Count    bool          `json:"count,omitempty"`    // a counter that grows
	After    time.Duration `json:"after_ns,omitempty"` // see [Fault]
}

// known is what is kept of a counter.
type known struct {
	Last   uint64    `json:"last"`
	Anchor uint64    `json:"anchor"` // its value at At
	At     time.Time `json:"at"`
	Bad    time.Time `json:"bad,omitzero"` // when it last had grown too much
	Seen   time.Time `json:"seen"`         // to forget it; by the day
}

// state is the file. Its zero value knows nothing.
type state struct {
	V       int                  `json:"v"`
	Boot    string               `json:"boot"`
	Since   time.Time            `json:"watched_since"`
	Faults  map[string]*Failure  `json:"faults"`
	Counts  map[string]*known    `json:"counters"`
	Working map[string]time.Time `json:"seen_to_work"` // by the day
}

// errDamaged says that what is known is lost. Failures are then told again.
var errDamaged = errors.New("it is damaged")

func readState(path string) (state, error) {
	empty := state{V: 1, Faults: map[string]*Failure{}, Counts: map[string]*known{}, Working: map[string]time.Time{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fmt.Errorf("read what is known of the hardware: %w", err)
	}
	s := empty
	if err := json.Unmarshal(b, &s); err != nil || s.V != 1 || !s.whole() {
		return state{V: 1, Faults: map[string]*Failure{}, Counts: map[string]*known{}, Working: map[string]time.Time{}}, fmt.Errorf("read %s: %w", path, errDamaged)
	}
	return s, nil
}

// whole reports whether nothing that is used is nil.
func (s *state) whole() bool {
	if s.Faults == nil || s.Counts == nil || s.Working == nil {
		return false
	}
	for _, f := range s.Faults {
		if f == nil {
			return false
		}
	}
	for _, c := range s.Counts {
		if c == nil {
			return false
		}
	}
	return true
}

func writeState(path string, b []byte) error {
	if err := durable.WriteFile(path, b); err != nil {
		return fmt.Errorf("keep what is known of the hardware: %w", err)
	}
	return nil
}
