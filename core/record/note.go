package record

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// Kind says what a [Note] is about.
type Kind string

// The kinds of notes.
const (
	Shell   Kind = "shell"   // an interactive shell was started
	Command Kind = "command" // a command was started; Command holds it
	Exit    Kind = "exit"    // a shell or a command ended; Status or Signal say how
	File    Kind = "file"    // a file was moved; Path, Direction, Size, SHA256
	Forward Kind = "forward" // a connection was forwarded; Address says where to
	Refused Kind = "refused" // something was asked for and not done; Text says why
	Closed  Kind = "closed"  // the recording ended; Text says why
)

// The directions of a file, seen from the engineer.
const (
	Upload   = "upload"   // from the engineer to this system
	Download = "download" // from this system to the engineer
)

// Note is one thing that happened on a connection and is not screen output. It
// stands in the same chain as the output, at its place in time. A note holds no
// file content and no input: passwords are typed there.
type Note struct {
	Time      time.Time `json:"time"`    // zero: when it is recorded
	Channel   uint32    `json:"channel"` // of the SSH connection, from 0
	Kind      Kind      `json:"kind"`
	Command   string    `json:"command,omitempty"`
	Path      string    `json:"path,omitempty"`
	Direction string    `json:"direction,omitempty"` // [Upload] or [Download]
	Size      int64     `json:"size,omitempty"`      // bytes moved
	SHA256    string    `json:"sha256,omitempty"`    // hex, of the file as it was moved
	Address   string    `json:"address,omitempty"`   // host:port
	Status    int       `json:"status,omitempty"`    // exit status
	Signal    string    `json:"signal,omitempty"`    // that ended the command, as SSH names it: "TERM"
	Text      string    `json:"text,omitempty"`
}

// maxText is how much of a command, a path or a text is kept. The longest path
// of Linux has 4 kB. What is longer is cut, with its length and hash.
const maxText = 16 << 10

// MarshalJSON keeps what JSON cannot: a name on Linux is bytes, not text, and
// is then given in base64 beside its nearest text.
func (n Note) MarshalJSON() ([]byte, error) {
	type plain Note
	out := struct {
		plain
		CommandBytes string `json:"command_base64,omitempty"`
		PathBytes    string `json:"path_base64,omitempty"`
	}{plain: plain(n)}
	out.Command, out.CommandBytes = textAndBytes(n.Command)
	out.Path, out.PathBytes = textAndBytes(n.Path)
	out.Text, _ = textAndBytes(n.Text)
	return json.Marshal(out)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (n *Note) UnmarshalJSON(b []byte) error {
	type plain Note
	in := struct {
		*plain
		CommandBytes []byte `json:"command_base64"`
		PathBytes    []byte `json:"path_base64"`
	}{plain: (*plain)(n)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if len(in.CommandBytes) > 0 {
		n.Command = string(in.CommandBytes)
	}
	if len(in.PathBytes) > 0 {
		n.Path = string(in.PathBytes)
	}
	return nil
}

// textAndBytes cuts s to a sane length and gives its bytes where it is no text.
func textAndBytes(s string) (text, b64 string) {
	if len(s) > maxText {
		cut := maxText
		for cut > maxText-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = fmt.Sprintf("%s... (cut: %d bytes, sha256 %x)", s[:cut], len(s), sha256.Sum256([]byte(s)))
	}
	if utf8.ValidString(s) {
		return s, ""
	}
	return s, base64.StdEncoding.EncodeToString([]byte(s)) // json replaces what is no text
}
