package api

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// The paths of remote access.
const (
	PathLink       = "/v1/link"        // system: the control stream of an open session
	PathCarry      = "/v1/carry"       // system: one dial-back connection, by ticket, or the spare
	PathConnect    = "/v1/connect"     // engineer: to a system, by name or id
	PathTry        = "/v1/try"         // system: what it sends comes back; no session is opened
	PathSeal       = "/v1/seal"        // anybody who holds the signed statement
	PathRevoked    = "/v1/revocations" // systems and engineers: the vendor's list; who holds the key of its CA: a new one
	PathRecordings = "/v1/recordings"  // list
	PathRecording  = "/v1/recordings/" // one, and its segments
)

// SegmentPath is where segment n of the recording of a connection is.
func SegmentPath(connection string, n int) string {
	return fmt.Sprintf("%s%s/%d", PathRecording, connection, n)
}

var (
	sessionPattern    = regexp.MustCompile(`^ses-[0-9a-hjkmnp-tv-z]{8}$`)
	connectionPattern = regexp.MustCompile(`^con-[0-9a-hjkmnp-tv-z]{8}$`)
)

// NewSessionID makes an id of 40 random bits.
func NewSessionID() string { return "ses-" + random(5, 8) }

// NewConnectionID makes an id of 40 random bits.
func NewConnectionID() string { return "con-" + random(5, 8) }

// NewTicket makes the secret of one dial-back, of 130 random bits.
func NewTicket() string { return random(17, 26) }

// ValidSessionID reports whether s has the form of a session id.
func ValidSessionID(s string) bool { return sessionPattern.MatchString(s) }

// ValidConnectionID reports whether s has the form of a connection id. A valid
// id is safe as a file name.
func ValidConnectionID(s string) bool { return connectionPattern.MatchString(s) }

// Session is an open session as the relay knows it. What the system announced
// is not verified; it is for people.
type Session struct {
	ID        string      `json:"id"`
	Since     time.Time   `json:"since"`              // as announced
	Expires   time.Time   `json:"expires"`            // as announced
	Case      string      `json:"case,omitempty"`     // as announced
	Connected time.Time   `json:"connected,omitzero"` // the control stream, at the relay
	Node      string      `json:"node,omitempty"`     // of the relay on which it hangs
	Engineers []Connected `json:"engineers,omitempty"`
}

// Connected is an engineer's connection that is open.
type Connected struct {
	Connection string    `json:"connection"`
	Engineer   string    `json:"engineer"`
	Since      time.Time `json:"since"`
	From       string    `json:"from,omitempty"` // host of his end
}

// Sealed says that a system disabled remote access for good, and proves it.
type Sealed struct {
	At        time.Time `json:"at"` // when the relay learned of it
	Statement string    `json:"statement"`
	Signature string    `json:"signature"`
	Bundles   bool      `json:"bundles,omitempty"` // the statement says that bundles go on
}

// SealRequest presents a signed statement (namespace latchstring-seal), the
// text that core/policy/seal writes.
type SealRequest struct {
	Statement string `json:"statement"`
	Signature string `json:"signature"`
}

// SealResponse answers it.
type SealResponse struct {
	System string    `json:"system"`
	At     time.Time `json:"at"`
}

// Segment is one sealed piece of a recording.
type Segment struct {
	N          int       `json:"n"`
	Size       int64     `json:"size"`
	SHA256     string    `json:"sha256"`
	ReceivedAt time.Time `json:"received_at"`
}

// Recording is what a relay holds of the recording of one connection. It cannot
// read it.
type Recording struct {
	Connection string    `json:"connection"`
	System     string    `json:"system"`
	SystemName string    `json:"system_name"`
	Engineer   string    `json:"engineer,omitempty"` // where this relay spliced the connection
	Begun      time.Time `json:"begun"`              // first segment received
	Last       time.Time `json:"last"`               // last segment received
	Segments   int       `json:"segments"`
	Size       int64     `json:"size"`
	Head       string    `json:"head"` // running hash over the segments as they came

	List []Segment `json:"list,omitempty"` // in answers about one recording
}

// RecordingList answers GET /v1/recordings, newest first.
type RecordingList struct {
	Recordings []Recording `json:"recordings"`
}

// Reach reports whether somebody with those groups reaches a system with
// these: who has none reaches all.
func Reach(engineer, system []string) bool {
	return len(engineer) == 0 || slices.ContainsFunc(engineer, func(g string) bool { return slices.Contains(system, g) })
}
