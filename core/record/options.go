package record

import (
	"errors"
	"fmt"
	"os"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// Options say whose connection is recorded, and for whom.
type Options struct {
	Dir      string // of all recordings; created 0700 where it is absent
	ID       string // of the connection, and of its recording: see [ValidID]
	Session  string
	Engineer string
	Case     string
	From     string // where the engineer comes from, as the relay says
	System   string // id of this system

	Signer     ssh.Signer      // the key of the system
	Recipients []age.Recipient // who can read it: the customer, and others where policy allows
	Witness    ssh.PublicKey   // key with which the engineer's client counter-signs; nil: it does not

	// Ship is told of each segment when it is durable, in order and one at a
	// time, from a goroutine of the recording. It should only note the fact:
	// while it runs no other segment is sealed.
	Ship func(Segment)
	// Failed is told once, when recording became impossible. Output, Note and
	// Resize return the error too, from then on.
	Failed func(error)

	Now func() time.Time // nil: time.Now

	patience time.Duration // for a disk that does nothing
	create   func(path string) (*os.File, error)
}

func (o *Options) check() error {
	switch {
	case !ValidID(o.ID):
		return fmt.Errorf("start recording: %q cannot be its id", o.ID)
	case o.Signer == nil:
		return errors.New("start recording: no key to sign it with")
	case len(o.Recipients) == 0:
		return errors.New("start recording: nobody to encrypt it to")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.patience == 0 {
		o.patience = patience
	}
	if o.create == nil {
		o.create = createFile
	}
	return nil
}

// Segment is a sealed segment on disk.
type Segment struct {
	Head         // its own
	Path  string // of the file
	Size  int64
	Final bool // it closes the recording
}

// Summary is what a closed recording says about itself.
type Summary struct {
	Recording string    `json:"recording"`
	Session   string    `json:"session"`
	Engineer  string    `json:"engineer"`
	Case      string    `json:"case,omitempty"`
	From      string    `json:"from,omitempty"`
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended"`
	Reason    string    `json:"reason"`
	Segments  int       `json:"segments"`
	Output    int64     `json:"output"` // bytes
	Shells    int       `json:"shells,omitempty"`
	Commands  int       `json:"commands,omitempty"`
	Forwards  int       `json:"forwards,omitempty"`
	Refused   int       `json:"refused,omitempty"`
	Files     []Moved   `json:"files,omitempty"`      // the first [MaxFiles]
	FileCount int       `json:"file_count,omitempty"` // all of them
	FileBytes int64     `json:"file_bytes,omitempty"`
	Head      Head      `json:"head"`
	notes     int
	Failed    string `json:"failed,omitempty"`
	Witnessing
}

// Witnessing is how far the engineer's client counter-signed a recording.
type Witnessing struct {
	Witnessed    int    `json:"witnessed"`             // segments up to the last counter-signed head
	WitnessedEnd bool   `json:"witnessed_end"`         // nothing was recorded after it: it is counter-signed whole
	Unwitnessed  string `json:"unwitnessed,omitempty"` // why not to the end
}

// Text says it in words.
func (w Witnessing) Text() string {
	switch why := w.why(); {
	case w.WitnessedEnd:
		return "counter-signed to the end"
	case w.Witnessed > 0:
		return fmt.Sprintf("counter-signed up to segment %d, not to the end%s", w.Witnessed-1, why)
	default:
		return "not counter-signed" + why
	}
}

func (w Witnessing) why() string {
	if w.Unwitnessed == "" {
		return ""
	}
	return ": " + w.Unwitnessed
}

// Moved is one file of the ledger.
type Moved struct {
	Time      time.Time `json:"time"`
	Direction string    `json:"direction"`
	Path      string    `json:"path"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256,omitempty"`
}

// MaxFiles is how many files a summary names one by one. The recording has all
// of them.
const MaxFiles = 1000

func (s *Summary) add(n Note) {
	s.notes++
	switch n.Kind {
	case Shell:
		s.Shells++
	case Command:
		s.Commands++
	case Forward:
		s.Forwards++
	case Refused:
		s.Refused++
	case File:
		s.FileCount++
		s.FileBytes += n.Size
		if len(s.Files) < MaxFiles {
			path, _ := textAndBytes(n.Path)
			s.Files = append(s.Files, Moved{Time: n.Time, Direction: n.Direction, Path: path, Size: n.Size, SHA256: n.SHA256})
		}
	}
}
