package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// The signature namespaces of recordings.
const (
	Namespace         = "latchstring-recording" // the system signs the header of a segment
	NamespaceWitness  = "latchstring-witness"   // the engineer's client signs a head
	NamespacePassport = "latchstring-passport"  // the system signs a session passport
)

// SegmentFormat is the format and version of a segment file.
const SegmentFormat = "latchstring-recording/1"

// Limits of a segment file. They bound what reading a foreign file costs.
const (
	maxSegment    = 256 << 10 // plain bytes after which a segment is closed
	maxStream     = 1 << 20   // the same after one that was full before its time
	maxHeader     = 64 << 10
	maxSignature  = 16 << 10
	maxSealedFile = 2 << 20
)

var zeroHash = strings.Repeat("0", 2*sha256.Size)

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{2,62}$`)

// ValidID reports whether s can be the id of a recording. A valid id is safe
// as a file name.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// Header is the part of a segment that everybody can read. The system signs
// its line, and the SHA-256 of that line is the head of the chain.
//
// Whoever holds only the sealed segments (the relay) checks Sealed; whoever
// can decrypt also checks Plain. Plain covers a random salt, which is sealed in
// with the content: short content cannot be guessed from it.
type Header struct {
	Format    string     `json:"format"` // [SegmentFormat]
	Recording string     `json:"recording"`
	Segment   int        `json:"segment"` // from 0
	Prev      string     `json:"prev"`    // head before this one, zeros in the first
	First     time.Time  `json:"first"`   // time of the first record
	Last      time.Time  `json:"last"`    // and of the last
	Records   int        `json:"records"`
	Bytes     int        `json:"bytes"`           // of all records
	Output    int64      `json:"output"`          // bytes of output among them
	Notes     int        `json:"notes"`           // notes among the records
	Plain     string     `json:"plain"`           // SHA-256 of salt and records, hex
	Sealed    string     `json:"sealed"`          // SHA-256 of the age file, hex
	Begin     *Begin     `json:"begin,omitempty"` // in segment 0
	Witness   *Counter   `json:"witness,omitempty"`
	Recovered *Recovered `json:"recovered,omitempty"`
	End       *End       `json:"end,omitempty"` // in the last segment
}

// Begin says whose connection is recorded.
type Begin struct {
	Session  string    `json:"session"`
	Engineer string    `json:"engineer"`
	Case     string    `json:"case,omitempty"`
	From     string    `json:"from,omitempty"`   // as the relay says
	System   string    `json:"system,omitempty"` // id
	Key      string    `json:"key"`              // public key that signs, for orientation; believe your own copy
	Witness  string    `json:"witness,omitempty"`
	Started  time.Time `json:"started"`
}

// Counter is a counter-signature of the engineer's client over an earlier head.
type Counter struct {
	Segment   int    `json:"segment"`
	End       bool   `json:"end,omitempty"` // it says that nothing was recorded after it, see [Head.EndMessage]
	Signature string `json:"signature"`     // armored, namespace latchstring-witness
}

// Recovered marks a segment that was sealed after a crash.
type Recovered struct {
	Cut int `json:"cut"` // bytes of a torn record that were cut off its end
}

// End closes a recording. One without it was cut short.
type End struct {
	Reason string    `json:"reason"`
	Ended  time.Time `json:"ended"`
	Output int64     `json:"output"` // bytes of output in the whole recording
	Notes  int       `json:"notes"`
	Failed string    `json:"failed,omitempty"` // what made the recording stop before the connection did

	// Unwitnessed is why the engineer's client did not counter-sign the end.
	Unwitnessed string `json:"unwitnessed,omitempty"`
}

// Head names a state of the chain: whoever keeps one can tell later whether
// the recording still holds what it held then.
type Head struct {
	Recording string `json:"recording"`
	Segment   int    `json:"segment"`
	Hash      string `json:"hash"` // hex
}

// Message is what a witness signs.
func (h Head) Message() []byte {
	return fmt.Appendf(nil, "latchstring-witness/1\nrecording %s\nsegment %d\nhead %s\n", h.Recording, h.Segment, h.Hash)
}

// EndMessage is what a witness signs of the last head that something was
// recorded under: a recording that was cut short later has none of it.
func (h Head) EndMessage() []byte { return append(h.Message(), "end\n"...) }

// SignHead counter-signs a head, on the engineer's side.
func SignHead(key ssh.Signer, h Head) (armored []byte, err error) {
	return sign(key, NamespaceWitness, h.Message())
}

// SignEnd counter-signs a head as the end of the recording. Who did that is to
// have no part in anything that comes after.
func SignEnd(key ssh.Signer, h Head) (armored []byte, err error) {
	return sign(key, NamespaceWitness, h.EndMessage())
}

func sign(key ssh.Signer, namespace string, message []byte) ([]byte, error) {
	sig, err := sshsig.Sign(bytes.NewReader(message), key, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", namespace, err)
	}
	return sshsig.Armor(sig), nil
}

func verify(key ssh.PublicKey, namespace string, message, armored []byte) error {
	if len(armored) > maxSignature {
		return fmt.Errorf("signature of %d bytes is no signature", len(armored))
	}
	sig, err := sshsig.Unarmor(armored)
	if err != nil {
		return fmt.Errorf("read signature: %w", err)
	}
	if !bytes.Equal(sshsig.Armor(sig), armored) {
		return fmt.Errorf("read signature: it is not in its one exact form") // no byte can change unnoticed
	}
	if !bytes.Equal(sig.PublicKey.Marshal(), key.Marshal()) {
		return fmt.Errorf("signed by key %s, expected %s", ssh.FingerprintSHA256(sig.PublicKey), ssh.FingerprintSHA256(key))
	}
	if sig.Namespace != namespace {
		return fmt.Errorf("signed for %q, expected %q", sig.Namespace, namespace)
	}
	if err := sshsig.Verify(bytes.NewReader(message), sig, key, sig.HashAlgorithm, namespace); err != nil {
		return fmt.Errorf("the signature does not fit: %w", err)
	}
	return nil
}

// sealedSegment is a segment file taken apart.
type sealedSegment struct {
	Header
	line      []byte // of the header, without its newline
	signature []byte
	sealed    []byte // the age file
}

func (s sealedSegment) head() Head {
	sum := sha256.Sum256(s.line)
	return Head{Recording: s.Recording, Segment: s.Segment, Hash: hex.EncodeToString(sum[:])}
}

func (s sealedSegment) size() int64 {
	return int64(len(s.line) + 1 + len(s.signature) + len(s.sealed))
}

// writeTo is the inverse of parseSegment.
func (s sealedSegment) writeTo(w io.Writer) error {
	for _, part := range [][]byte{s.line, {'\n'}, s.signature, s.sealed} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

var endSignature = []byte("-----END SSH SIGNATURE-----\n")

// parseSegment takes a segment file apart and believes nothing of it yet. The
// parts point into b.
func parseSegment(b []byte) (s sealedSegment, err error) {
	line, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok || len(line) > maxHeader {
		return s, fmt.Errorf("it has no header, or one of more than %d bytes", maxHeader)
	}
	s.line = line
	at := bytes.Index(rest[:min(len(rest), maxSignature)], endSignature)
	if at < 0 {
		return s, fmt.Errorf("the signature is missing")
	}
	s.signature, s.sealed = rest[:at+len(endSignature)], rest[at+len(endSignature):]
	d := json.NewDecoder(bytes.NewReader(s.line))
	if err := d.Decode(&s.Header); err != nil {
		return s, fmt.Errorf("read header: %w", err)
	}
	if d.InputOffset() != int64(len(s.line)) {
		return s, fmt.Errorf("read header: something follows it on its line")
	}
	if s.Format != SegmentFormat {
		return s, fmt.Errorf("its format is %.40q, and this program knows %q", s.Format, SegmentFormat)
	}
	if !ValidID(s.Recording) || s.Segment < 0 {
		return s, fmt.Errorf("the header names no recording")
	}
	return s, nil
}
