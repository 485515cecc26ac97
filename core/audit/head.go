package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// Namespace is the signature namespace of heads.
const Namespace = "latchstring-audit"

// Signer signs heads; identity.System is one.
type Signer interface {
	Sign(namespace string, message []byte) (armored []byte, err error)
}

// Head names the last record of a log at some time. One that is kept outside
// the machine is an anchor for [Verify].
type Head struct {
	Version   int       `json:"v"`
	Seq       uint64    `json:"seq"`
	Hash      string    `json:"hash"`
	Time      time.Time `json:"time"`
	Signature string    `json:"signature,omitempty"` // armored, over Message
}

// Message is what the signature of a head covers.
func (h Head) Message() []byte {
	return fmt.Appendf(nil, "latchstring audit head v%d\n%d\n%s\n%s\n", h.Version, h.Seq, h.Hash, h.Time.UTC().Format(time.RFC3339Nano))
}

const headName = "head.json"

// readHead returns the zero Head and false when there is no head file.
func readHead(dir string) (Head, bool, error) {
	path := filepath.Join(dir, headName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Head{}, false, nil
	}
	if err != nil {
		return Head{}, false, fmt.Errorf("read audit head: %w", err)
	}
	h, err := parseHead(b)
	if err != nil {
		return Head{}, false, &Problem{File: headName, What: err.Error()}
	}
	return h, true, nil
}

func parseHead(b []byte) (Head, error) {
	var h Head
	if err := json.Unmarshal(b, &h); err != nil {
		return Head{}, fmt.Errorf("not a head: %w", err)
	}
	if h.Version != Version {
		return Head{}, fmt.Errorf("head of format version %d; this program reads version %d", h.Version, Version)
	}
	if h.Seq == 0 || !hashPattern.MatchString(h.Hash) {
		return Head{}, errors.New("not a head: a member is missing or malformed")
	}
	return h, nil
}

func writeHead(dir string, h Head, s Signer) error {
	if s != nil {
		sig, err := s.Sign(Namespace, h.Message())
		if err != nil {
			return fmt.Errorf("sign audit head: %w", err)
		}
		h.Signature = string(sig)
	}
	b, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return fmt.Errorf("encode audit head: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, headName), append(b, '\n'))
}
