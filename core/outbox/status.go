package outbox

import (
	"errors"
	"time"

	"github.com/latchstring/latchstring/core/audit"
)

// State is how a sink stands.
type State struct {
	Name      string    `json:"sink"`
	Plugin    string    `json:"plugin"`
	File      string    `json:"settings"`
	Events    []string  `json:"events"`
	Record    uint64    `json:"delivered_up_to_record"`
	Delivered uint64    `json:"delivered"`
	LastAt    time.Time `json:"last_delivery,omitzero"`
	Waiting   int       `json:"waiting"`
	Refused   uint64    `json:"refused,omitempty"`
	Dropped   uint64    `json:"dropped,omitempty"`
	Failing   time.Time `json:"failing_since,omitzero"`
	NextTry   time.Time `json:"next_try,omitzero"`
	Error     string    `json:"error,omitempty"`
	Hint      string    `json:"hint,omitempty"`
}

// States tells how each sink stands, from what is on disk: it is the same in
// whichever process it is asked. The error is about settings with mistakes; the
// other sinks are told all the same.
func (o *Outbox) States() ([]State, error) {
	all, _, err := o.Settings()
	out := []State{}
	lowest := ^uint64(0)
	for _, s := range all {
		st := State{Name: s.Name, Plugin: s.Plugin, File: s.File, Events: s.Events, Error: s.Missing}
		c, cerr := o.readCursor(s.Name)
		switch {
		case cerr == nil:
			st.Record, st.Delivered, st.LastAt, st.Refused, st.Dropped = c.Seq, c.Delivered, c.LastAt, c.Refused, c.Dropped
			if s.Missing == "" {
				st.Failing, st.NextTry, st.Error, st.Hint = c.Failing, c.NextTry, c.Error, c.Hint
				lowest = min(lowest, c.Seq)
			}
		case errors.Is(cerr, errNew):
			st.Record = ^uint64(0)
		default:
			st.Error = cerr.Error()
			st.Record = ^uint64(0)
		}
		out = append(out, st)
	}
	if lowest != ^uint64(0) {
		terr := audit.Follow(o.opt.Audit, lowest).Next(func(r audit.Record) bool {
			for i, s := range all {
				if s.Missing == "" && r.Seq > out[i].Record && s.choice.has(r) {
					out[i].Waiting++
				}
			}
			return true
		})
		err = errors.Join(err, terr)
	}
	for i := range out {
		if out[i].Record == ^uint64(0) {
			out[i].Record = 0
		}
	}
	return out, err
}
