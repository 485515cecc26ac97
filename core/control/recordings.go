package control

import (
	"context"
	"io"
	"time"
)

// Recorded is what the pages show of recordings (REQ E1, E2, E8). It is asked
// in process only. The key of the system opens them where it is; Key is one that
// the user gave (an age identity, as text), used for that call and not kept.
type Recorded interface {
	Recordings(ctx context.Context, by Caller) ([]Recording, error)
	Recording(ctx context.Context, by Caller, id string, key []byte) (RecordingDetail, error)
	// ReadRecording writes a recording to w as it goes, in bounded memory. open is
	// called before the first byte, when nothing can be refused any more.
	ReadRecording(ctx context.Context, by Caller, r RecordingRead, open func() io.Writer) error
}

// Recording is one connection in a list. It says what the recording says of itself.
type Recording struct {
	ID, Session, Engineer, Case, From string
	Started                           time.Time
	Lasted                            time.Duration
	State                             string // as [record.State]
	Failed                            string
	Size                              int64
	Segments, Shipped                 int
	Kinds                             []string // "shell", "2 commands", ...: from the signed passport of its session
}

// RecordingDetail is one recording, checked.
type RecordingDetail struct {
	Recording
	Holds    bool
	Problems []string // why it does not hold
	Verdict  string   // what the check found, as `recordings verify` says it
	Head     string
	Content  bool   // the plain bytes were checked too
	Sealed   string // why it cannot be read: no key here opens it
	Screens  []RecordingScreen
	Notes    []RecordingNote
	More     bool // there are more notes or screens than these
}

// RecordingScreen is the output of one channel.
type RecordingScreen struct {
	Channel  uint32
	Terminal bool
	Command  string
	Output   int64
}

// RecordingNote is something that happened beside the output.
type RecordingNote struct {
	Time                                            time.Time
	Channel                                         uint32
	Kind, Command, Path, Direction, SHA256, Address string
	Size                                            int64
	Status                                          int
	Signal, Text                                    string
}

// What can be read of a recording.
const (
	ReadPlay   = "play"   // ttyrec of one channel, to be shown at once
	ReadTtyrec = "ttyrec" // the same, to be kept
	ReadSealed = "sealed" // the sealed segments, in a tar archive
)

// RecordingRead names what is read.
type RecordingRead struct {
	ID      string
	What    string
	Channel uint32
	Key     []byte
}
