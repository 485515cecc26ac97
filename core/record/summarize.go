package record

import (
	"fmt"
	"path/filepath"

	"filippo.io/age"
)

// Summarize reads the summary of a recording from the recording itself: for
// one whose maker was killed before it could give it.
func Summarize(dir string, ids ...age.Identity) (Summary, error) {
	info, ok := Look(dir)
	if !ok {
		return Summary{}, fmt.Errorf("there is no recording in %s", dir)
	}
	s := Summary{
		Recording: filepath.Base(dir), Session: info.Session, Engineer: info.Engineer, Case: info.Case, From: info.From,
		Started: info.Started, Ended: info.Last, Reason: info.Reason, Segments: info.Segments, Head: info.Head, Failed: info.Failed,
	}
	for n := range info.Segments {
		h, err := readSegment(dir, n)
		if err != nil {
			return s, fmt.Errorf("read recording %s: %w", s.Recording, err)
		}
		if h.Witness != nil {
			s.Witnessed, s.WitnessedEnd = h.Witness.Segment+1, h.Witness.End
		}
		if h.End != nil {
			s.Witnessing.end(*h.End)
		}
	}
	r, err := Open(dir, ids...)
	if err != nil {
		return s, err
	}
	for rec, err := range r.Records() {
		if err != nil {
			return s, err
		}
		s.Output += int64(len(rec.Output))
		if rec.Note != nil {
			s.add(*rec.Note)
		}
	}
	return s, nil
}
