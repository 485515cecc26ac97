package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Version is the version of the format of records and heads.
const Version = 1

// MaxLine is the longest line of a log in bytes. An event that would need a
// longer one is refused.
const MaxLine = 64 << 10

// Zero is the Prev of the first record.
var Zero = strings.Repeat("0", 2*sha256.Size)

var (
	typePattern = regexp.MustCompile(`^[a-z0-9]+(\.[a-z0-9_-]+)+$`)
	hashPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// line is a record as it is written. The hash is the last member, so that it
// covers a prefix of the line's bytes and no canonical form has to be agreed.
type line struct {
	V   int       `json:"v"`
	Seq uint64    `json:"seq"`
	At  time.Time `json:"time"`
	Event
	Prev string `json:"prev"`
	Hash string `json:"hash,omitempty"`
}

// Next makes the record that follows head, and its line with the newline. It
// is what [Log] appends; other stores of records (the relay's) use it too.
func Next(head Head, at time.Time, e Event) (Record, []byte, error) {
	if !typePattern.MatchString(string(e.Type)) {
		return Record{}, nil, fmt.Errorf("audit event: type %q is not of the form noun.verb", e.Type)
	}
	if e.Actor == "" {
		return Record{}, nil, fmt.Errorf("audit event %s: no actor", e.Type)
	}
	e = valid(e)
	prev := head.Hash
	if head.Seq == 0 {
		prev = Zero
	}
	l := line{V: Version, Seq: head.Seq + 1, At: at.UTC().Round(0), Event: e, Prev: prev}
	sum, err := hashOf(l)
	if err != nil {
		return Record{}, nil, err
	}
	l.Hash = sum
	b, err := encode(l)
	if err != nil {
		return Record{}, nil, err
	}
	if len(b)+1 > MaxLine {
		return Record{}, nil, fmt.Errorf("audit event %s: %d bytes, more than the %d of a record", e.Type, len(b)+1, MaxLine)
	}
	r, err := Decode(b)
	if err != nil {
		return Record{}, nil, fmt.Errorf("audit event %s: does not read back: %w", e.Type, err)
	}
	return r, append(b, '\n'), nil
}

// valid replaces what is not UTF-8: JSON cannot hold it, and the encoder would
// write it in a spelling that no decoded string has.
func valid(e Event) Event {
	fix := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	e.Actor, e.Subject = fix(e.Actor), fix(e.Subject)
	if e.Detail == nil {
		return e
	}
	detail := make(map[string]string, len(e.Detail))
	for k, v := range e.Detail {
		detail[fix(k)] = fix(v)
	}
	e.Detail = detail
	return e
}

// Decode reads one line, without its newline, and checks its form and its own
// hash. Whether it follows its predecessor is for the caller to check.
func Decode(b []byte) (Record, error) {
	switch {
	case len(b) >= MaxLine:
		return Record{}, fmt.Errorf("line of %d bytes", len(b))
	case len(b) == 0:
		return Record{}, errors.New("empty line")
	}
	var l line
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&l); err != nil {
		return Record{}, fmt.Errorf("not a record: %w", err)
	}
	if l.V != Version {
		return Record{}, fmt.Errorf("record of format version %d; this program reads version %d", l.V, Version)
	}
	// One event has one spelling: no second member of the same name, no white
	// space, nothing behind the object.
	if again, err := encode(l); err != nil || !bytes.Equal(again, b) {
		return Record{}, errors.New("not a record in its canonical spelling")
	}
	if l.Seq == 0 || !hashPattern.MatchString(l.Prev) || !typePattern.MatchString(string(l.Type)) || l.Actor == "" {
		return Record{}, errors.New("not a record: a member is missing or malformed")
	}
	want, err := hashOf(l)
	if err != nil {
		return Record{}, err
	}
	if l.Hash != want {
		return Record{}, errors.New("hash does not fit the content: the record was changed")
	}
	return Record{Seq: l.Seq, Time: l.At, Event: l.Event, Prev: l.Prev, Hash: l.Hash}, nil
}

// hashOf is the SHA-256 of the line up to where the hash member begins.
func hashOf(l line) (string, error) {
	l.Hash = ""
	b, err := encode(l)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.TrimSuffix(b, []byte("}")))
	return hex.EncodeToString(sum[:]), nil
}

func encode(l line) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return nil, fmt.Errorf("encode audit record: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
