package session

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Opener is who turned a session on, as policy knows him.
type Opener struct {
	Actor  string   `json:"actor"` // in the audit log
	User   string   `json:"user"`
	Method string   `json:"method"`
	Roles  []string `json:"roles"`
	MFA    bool     `json:"mfa,omitempty"`
}

// Way is how the relay is reached. It holds no secret.
type Way struct {
	RSS       string `json:"rss"` // host:port
	Transport string `json:"transport"`
	Proxy     string `json:"proxy,omitempty"` // as on the command line
	Bind      string `json:"bind,omitempty"`
	Password  bool   `json:"password,omitempty"` // the proxy wanted one, which is kept nowhere
}

// Record is a session as it is on disk. It holds no secret.
type Record struct {
	Version  int       `json:"v"` // of this format: 1
	State    State     `json:"state"`
	ID       string    `json:"id"` // ses-XXXXXXXX
	Case     string    `json:"case,omitempty"`
	Opener   Opener    `json:"opener"`
	Way      Way       `json:"way"`
	Standing bool      `json:"standing,omitempty"` // from the global switch
	Since    time.Time `json:"since"`              // time of day when it was turned on
	Reason   string    `json:"reason,omitempty"`   // why it ends

	// Length is how long it may be from Since; 0 means that it ends by nothing
	// but a command. Expires is the same by the time of day.
	Length  time.Duration `json:"length_ns,omitempty"`
	Expires time.Time     `json:"expires,omitzero"`

	Boot   string        `json:"boot"`                // the start of the machine that Began counts from
	Began  time.Duration `json:"began_ns"`            // by the clock since that start; may be before it
	Spent  time.Duration `json:"spent_ns"`            // of Length, when it was last written down
	Warned time.Duration `json:"warned_ns,omitempty"` // the last warning that was given
	Inside int           `json:"inside"`              // engineers
}

// alphabet is Crockford's base32 in lower case.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID makes the name of a session.
func NewID() string {
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return "ses-" + string(b)
}

// maxRecord is far more than a record has.
const maxRecord = 64 << 10

// read returns the record at path; there is none before the first session.
func read(path string) (Record, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{Version: 1, State: Off}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("read the session: %w", err)
	}
	r, err := parse(b)
	if err != nil {
		return Record{}, &DamagedError{path, err}
	}
	return r, nil
}

func parse(b []byte) (Record, error) {
	var r Record
	if len(b) > maxRecord {
		return r, fmt.Errorf("it has %d bytes", len(b))
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, err
	}
	switch {
	case r.Version != 1:
		return r, fmt.Errorf("version %d; this program reads version 1", r.Version)
	case table[r.State] == nil:
		return r, fmt.Errorf("there is no state %q", r.State)
	case r.Length < 0 || r.Spent < 0 || r.Inside < 0:
		return r, errors.New("a negative length")
	}
	return r, nil
}

// DamagedError is a record that cannot be read. What it said of its session is
// lost; that none is open now is certain, since this process has opened none.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the record of the last session, %s, is damaged: %v", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }
