// Package side is what a system and the engineer's program say to each other
// beside the stream of SSH, in side messages of package resume: the heads of
// the recording, which the engineer's program counter-signs.
//
// The system:
//
//	heads := side.NewHeads(recording, log)
//	stream.Side(heads.Side)
//	go heads.Tell(ctx, stream)
//	// and when the SSH on the stream is over, and all that it started:
//	summary, err := heads.Close(stream, "the engineer left")
//
// The engineer's program answers each KindHead with a KindWitness. Side
// messages are not repeated after a cut: the next head covers the ones before.
//
// # The end
//
// When nothing comes any more the system says so with a KindEnd. The engineer's
// program signs that this head is the last one, and takes no further part in the
// connection. The signature goes into the closing record: who cuts a recording
// off later cannot show one. It has [EndWait]; whoever is gone by then, or does
// not answer, has not signed, and the closing record says that.
package side

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/latchstring/latchstring/core/record"
)

// The kinds of side messages.
const (
	KindHead    byte = 1 // system to engineer: a head of the recording
	KindWitness byte = 2 // engineer to system: a counter-signature
	KindEnd     byte = 3 // system to engineer: the last head of the recording
)

// Counter is a counter-signature over a head.
type Counter struct {
	Head      record.Head `json:"head"`
	End       bool        `json:"end,omitempty"` // it answers a KindEnd
	Signature []byte      `json:"signature"`     // armored
}

// EncodeHead makes the payload of a KindHead or a KindEnd.
func EncodeHead(h record.Head) []byte { return encode(h) }

// EncodeCounter makes the payload of a KindWitness.
func EncodeCounter(c Counter) []byte { return encode(c) }

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}

// ParseHead reads the payload of a KindHead or a KindEnd.
func ParseHead(p []byte) (record.Head, error) {
	var h record.Head
	if err := strict(p, &h); err != nil {
		return h, fmt.Errorf("head of the recording: %w", err)
	}
	return h, check(h)
}

// ParseCounter reads the payload of a KindWitness. The signature is not
// checked here.
func ParseCounter(p []byte) (Counter, error) {
	var c Counter
	if err := strict(p, &c); err != nil {
		return c, fmt.Errorf("counter-signature: %w", err)
	}
	return c, check(c.Head)
}

func check(h record.Head) error {
	if !record.ValidID(h.Recording) || h.Segment < 0 || len(h.Hash) != 64 || strings.Trim(h.Hash, "0123456789abcdef") != "" {
		return fmt.Errorf("head of the recording: %.80q, segment %d, is none", h.Recording, h.Segment)
	}
	return nil
}

func strict(p []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(p))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("something follows the message")
	}
	return nil
}
