package audit

import (
	"fmt"
)

// Check says what a log is verified against.
type Check struct {
	// Signature, when set, checks the signature of a head; a head without one
	// is then a problem.
	Signature func(namespace string, message, armored []byte) error
	// Anchors are heads that were kept elsewhere. The log must contain them.
	Anchors []Head
}

// Report is what [Verify] found.
type Report struct {
	Records   uint64    `json:"records"`
	Segments  int       `json:"segments"`
	Recovered int       `json:"recovered"` // torn lines of crashes, each accounted for
	Head      Head      `json:"head"`      // the last record that was read
	Torn      bool      `json:"torn"`      // the last line was cut short by a crash; the next record will say so
	Signed    bool      `json:"signed"`    // the head file's signature was checked and is good
	Anchored  uint64    `json:"anchored"`  // the highest anchor that holds
	Problems  []Problem `json:"problems,omitempty"`
}

// maxProblems bounds a report about a log that is garbage throughout.
const maxProblems = 100

// BrokenError is returned for a log that does not hold.
type BrokenError struct{ Report Report }

func (e *BrokenError) Error() string {
	first := e.Report.Problems[0]
	if n := len(e.Report.Problems); n > 1 {
		return fmt.Sprintf("%v (and %d more)", &first, n-1)
	}
	return first.Error()
}

// ExitCode is 4: a check did not hold.
func (e *BrokenError) ExitCode() int { return 4 }

// Verify reads the whole log in dir and checks each record, the chain, the
// head file and the anchors. A log that does not hold gives a *[BrokenError];
// its report is returned as well.
func Verify(dir string, c Check) (Report, error) {
	snap, err := snapshot(dir)
	if err != nil {
		return Report{}, err
	}
	var rep Report
	rep.Segments = len(snap.segs)
	problem := func(p Problem) {
		if len(rep.Problems) < maxProblems {
			rep.Problems = append(rep.Problems, p)
		}
	}
	want := map[uint64][]Head{}
	for _, a := range c.Anchors {
		want[a.Seq] = append(want[a.Seq], a)
	}
	headFound := !snap.haveHead
	s := &scanner{dir: dir, yield: func(it item) bool {
		if it.problem != nil {
			// The head is written after the line it names is whole on disk.
			if it.problem.crash && snap.headErr == nil && snap.head.Seq <= rep.Head.Seq && (snap.haveHead || rep.Records <= 1) {
				rep.Torn = true
				return true
			}
			problem(*it.problem)
			return true
		}
		r := it.record
		rep.Records++
		rep.Head = Head{Version: Version, Seq: r.Seq, Hash: r.Hash, Time: r.Time}
		if snap.haveHead && r.Seq == snap.head.Seq {
			headFound = true
			if r.Hash != snap.head.Hash {
				problem(Problem{File: headName, What: fmt.Sprintf("names another record %d than the log holds: the end of the log was written anew", r.Seq)})
			}
		}
		for _, a := range want[r.Seq] {
			if a.Hash != r.Hash {
				problem(Problem{File: "anchor", What: fmt.Sprintf("record %d is not the one that was anchored: the log was written anew", r.Seq)})
				continue
			}
			rep.Anchored = max(rep.Anchored, a.Seq)
		}
		delete(want, r.Seq)
		return true
	}}
	if err := s.run(snap.segs); err != nil {
		return Report{}, err
	}
	rep.Recovered = s.recovered
	if !headFound {
		problem(Problem{File: headName, What: fmt.Sprintf("names record %d, and the log ends at %d: the end was removed", snap.head.Seq, rep.Head.Seq)})
	}
	for seq := range want {
		problem(Problem{File: "anchor", What: fmt.Sprintf("record %d was anchored, and the log ends at %d: the end was removed", seq, rep.Head.Seq)})
	}
	for _, p := range checkHead(snap, rep, c) {
		problem(p)
	}
	rep.Signed = c.Signature != nil && snap.haveHead && snap.head.Signature != "" && c.Signature(Namespace, snap.head.Message(), []byte(snap.head.Signature)) == nil
	if len(rep.Problems) > 0 {
		return rep, &BrokenError{Report: rep}
	}
	return rep, nil
}

// checkHead looks at the head file itself.
func checkHead(snap view, rep Report, c Check) []Problem {
	bad := func(format string, args ...any) []Problem {
		return []Problem{{File: headName, What: fmt.Sprintf(format, args...)}}
	}
	switch {
	case snap.headErr != nil:
		return []Problem{*snap.headErr}
	case !snap.haveHead && rep.Records > 1:
		// A crash can lose the head of the very first record only.
		return bad("is missing: whether the end of the log was removed cannot be told")
	case c.Signature == nil || !snap.haveHead:
		return nil
	case snap.head.Signature == "":
		return bad("is not signed")
	}
	if err := c.Signature(Namespace, snap.head.Message(), []byte(snap.head.Signature)); err != nil {
		return bad("has a bad signature: %v", err)
	}
	return nil
}
