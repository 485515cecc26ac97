package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// Check says what a recording must hold against.
type Check struct {
	Key        ssh.PublicKey  // of the system, from a source that you trust
	ID         string         // of the recording; empty: the name of its directory
	Identities []age.Identity // to check the content too; may be empty
	Anchors    []Head         // heads that were kept elsewhere, of any recording
	ToTheEnd   bool           // it does not hold unless the engineer's client counter-signed its end
}

// Report is what [Verify] found.
type Report struct {
	Recording string    `json:"recording"`
	Begin     Begin     `json:"begin"`
	End       *End      `json:"end,omitempty"` // nil: it ends without a closing record
	Segments  int       `json:"segments"`
	Records   int       `json:"records"`
	Head      Head      `json:"head"`
	Last      time.Time `json:"last"`    // of the last record
	Content   bool      `json:"content"` // the plain bytes were checked too
	Recovered bool      `json:"recovered,omitempty"`
	Live      bool      `json:"live,omitempty"` // it is still being made
	Problems  []Problem `json:"problems,omitempty"`
	Witnessing
}

// Problem is one thing that does not hold.
type Problem struct {
	Segment int    `json:"segment"`
	What    string `json:"what"`
}

func (p Problem) String() string { return fmt.Sprintf("segment %d: %s", p.Segment, p.What) }

// BrokenError says that a recording is not what was recorded.
type BrokenError struct {
	Recording string
	Problems  []Problem
}

func (e *BrokenError) Error() string {
	more := ""
	if n := len(e.Problems) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Sprintf("recording %s does not hold: %v%s", e.Recording, e.Problems[0], more)
}

// ExitCode is that of a check that did not hold.
func (e *BrokenError) ExitCode() int { return 4 }

// maxProblems bounds what is told of a recording that is all wrong.
const maxProblems = 100

// Verify checks the recording in dir: each signature, the chain from the first
// segment to the closing record, the hashes, the counter-signatures, and with
// an identity the content. The error is a [*BrokenError] when something does
// not hold; the report is good in that case too.
func Verify(dir string, c Check) (Report, error) {
	if c.Key == nil {
		return Report{}, errors.New("verify recording: no public key to verify with")
	}
	if c.ID == "" {
		c.ID = filepath.Base(filepath.Clean(dir))
	}
	live := isLive(dir) // asked first: what ends meanwhile is then whole
	all, err := segmentNumbers(dir, sealedExt)
	if err != nil {
		return Report{}, err
	}
	v := verifier{Check: c, Report: Report{Recording: c.ID, Live: live, Head: Head{Recording: c.ID, Segment: -1}}, prev: zeroHash, heads: map[int]Head{}}
	next := 0
	for _, n := range all {
		if n > next {
			v.problem(next, "it is missing; %d is the next there is", n)
			v.prev = ""
		}
		v.segment(dir, n)
		next = n + 1
	}
	v.finish(dir, next)
	if len(v.Problems) > 0 {
		return v.Report, &BrokenError{Recording: c.ID, Problems: v.Problems}
	}
	return v.Report, nil
}

type verifier struct {
	Check
	Report
	prev    string // empty: unknown, because the segment before is broken
	heads   map[int]Head
	witness ssh.PublicKey
	sealed  bool  // the identities do not open it
	micros  int64 // of the last record
	output  int64
	notes   int
}

func (v *verifier) problem(n int, format string, args ...any) {
	if len(v.Problems) < maxProblems {
		v.Problems = append(v.Problems, Problem{Segment: n, What: fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) segment(dir string, n int) {
	s, err := readSegment(dir, n)
	if err != nil {
		v.problem(n, "%s", strings.TrimPrefix(err.Error(), fmt.Sprintf("segment %d: ", n)))
		v.prev = ""
		return
	}
	if err := verify(v.Key, Namespace, s.line, s.signature); err != nil {
		v.problem(n, "%v", err)
		v.prev = ""
		return
	}
	if s.Recording != v.ID {
		v.problem(n, "it belongs to recording %s", s.Recording)
		v.prev = ""
		return
	}
	if s.Segment != n {
		v.problem(n, "segment %d stands in its place", s.Segment)
		v.prev = ""
		return
	}
	if v.prev != "" && s.Prev != v.prev {
		v.problem(n, "it does not follow the segment before it")
	}
	head := s.head()
	v.prev, v.heads[n] = head.Hash, head
	v.Segments, v.Records, v.Head, v.Last = v.Segments+1, v.Records+s.Records, head, s.Last
	v.output, v.notes = v.output+s.Output, v.notes+s.Notes
	v.Recovered = v.Recovered || s.Recovered != nil
	if v.End != nil {
		v.problem(n, "it stands behind the closing record")
	}
	v.End = s.End
	v.beginning(s)
	v.counter(s)
	if sum := sha256.Sum256(s.sealed); hex.EncodeToString(sum[:]) != s.Sealed {
		v.problem(n, "its sealed content was changed")
		return
	}
	v.content(s)
}

func (v *verifier) beginning(s sealedSegment) {
	if (s.Begin != nil) != (s.Segment == 0) {
		v.problem(s.Segment, "only the first segment says whose recording it is")
		return
	}
	if s.Begin == nil {
		return
	}
	v.Begin = *s.Begin
	if v.Begin.Witness == "" {
		return
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(v.Begin.Witness))
	if err != nil {
		v.problem(s.Segment, "the key of the witness: %v", err)
		return
	}
	v.witness = key
}

func (v *verifier) counter(s sealedSegment) {
	w := s.Witness
	if w == nil {
		return
	}
	head, ok := v.heads[w.Segment]
	switch {
	case v.witness == nil:
		v.problem(s.Segment, "it is counter-signed, and the recording names no witness")
	case w.Segment >= s.Segment:
		v.problem(s.Segment, "the counter-signature is of segment %d, which comes later", w.Segment)
	case !ok:
		v.problem(s.Segment, "the counter-signature is of segment %d, which is not there", w.Segment)
	case w.End && (s.End == nil || w.Segment != s.Segment-1):
		v.problem(s.Segment, "what is counter-signed is that segment %d is the last, and more was recorded", w.Segment)
	case w.End && s.Records > 0:
		v.problem(s.Segment, "%d records stand behind the end that was counter-signed", s.Records)
	default:
		message := head.Message()
		if w.End {
			message = head.EndMessage()
		}
		if err := verify(v.witness, NamespaceWitness, message, []byte(w.Signature)); err != nil {
			v.problem(s.Segment, "the counter-signature of segment %d: %v", w.Segment, err)
			return
		}
		v.Witnessed, v.WitnessedEnd = w.Segment+1, w.End
	}
}

// content checks the plain bytes, where the keys open them.
func (v *verifier) content(s sealedSegment) {
	if len(v.Identities) == 0 || v.sealed {
		return
	}
	b, err := s.decrypt(v.Identities)
	var foreign *age.NoIdentityMatchError
	if errors.As(err, &foreign) && s.Segment == 0 {
		v.sealed = true // it was not encrypted to this reader
		return
	}
	if err != nil {
		v.problem(s.Segment, "%v", err)
		return
	}
	v.Content = true
	t, ok := sound(b)
	if ok != len(b) || t.records != s.Records || t.output != s.Output || t.notes != s.Notes {
		v.problem(s.Segment, "%d of its %d records can be read", t.records, s.Records)
		return
	}
	for len(b) > 0 {
		f, rest, _ := nextFrame(b) // sound, as seen
		b = rest
		if f.micros < v.micros {
			v.problem(s.Segment, "its time goes back")
			break
		}
		v.micros = f.micros
		v.same(s, f)
	}
}

// same checks that what is said in the open is what was recorded first.
func (v *verifier) same(s sealedSegment, f frame) {
	if f.kind != frameBegin {
		return
	}
	var b Begin
	if err := json.Unmarshal(f.payload, &b); err != nil || s.Begin == nil || b != *s.Begin {
		v.problem(s.Segment, "its header does not say what the record says")
	}
}

func (v *verifier) finish(dir string, next int) {
	left, _ := segmentNumbers(dir, openExt)
	switch {
	case v.Live:
	case len(left) > 0:
		v.problem(left[0], "it was never sealed: a crash. The agent does that when it starts, or `remote-support recordings recover`")
	case v.End == nil:
		v.problem(next, "the recording ends without a closing record")
	case len(v.Problems) == 0 && (v.End.Output != v.output || v.End.Notes != v.notes):
		v.problem(next-1, "the closing record counts %d bytes and %d notes, and %d and %d are there", v.End.Output, v.End.Notes, v.output, v.notes)
	}
	if v.End != nil {
		v.Witnessing.end(*v.End)
	}
	if v.ToTheEnd && !v.WitnessedEnd {
		v.problem(max(next-1, 0), "it is %s", v.Witnessing.Text())
	}
	for _, a := range v.Anchors {
		if a.Recording != v.ID {
			continue
		}
		if head, ok := v.heads[a.Segment]; !ok {
			v.problem(a.Segment, "it was there when its head was kept, and is not now")
		} else if head != a {
			v.problem(a.Segment, "it is not what it was when its head was kept")
		}
	}
}
