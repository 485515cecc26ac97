package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/latchstring/latchstring/core/paths"
)

// State is the answer of [Check].
type State struct {
	Sealed  bool
	Record  Record   // what the first readable seal says; zero when none says anything
	Place   string   // where the seal was found first
	Found   []string // all places that hold one
	Missing []string // places that should hold one: somebody removed it, or the sealing was cut short
	// Trouble is why it cannot be known whether the system is sealed. It must
	// then be taken for sealed.
	Trouble error
}

// Disabled reports whether remote access must be refused for good: sealed, or
// not to be known.
func (s State) Disabled() bool { return s.Sealed || s.Trouble != nil }

// Check looks for the seal. It is to be called before any policy is read.
func Check(root paths.Root) State {
	var s State
	for _, place := range Places(root) {
		switch _, err := os.Lstat(place); {
		case err == nil:
			s.Found = append(s.Found, place)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
			s.Missing = append(s.Missing, place)
		default:
			s.Trouble = errors.Join(s.Trouble, fmt.Errorf("look for a seal: %w", err))
		}
	}
	for _, dir := range marked(root) {
		if isMarked(dir) {
			s.Found = append(s.Found, dir)
		}
	}
	if len(s.Found) == 0 && inTPM(root) { // asked last: it is slow
		s.Found = append(s.Found, "the TPM")
	}
	if s.Sealed = len(s.Found) > 0; !s.Sealed {
		s.Missing = nil
		return s
	}
	s.Trouble = nil
	s.Place = s.Found[0]
	for _, place := range s.Found {
		if r, ok := read(place); ok {
			s.Record, s.Place = r, place
			break
		}
	}
	return s
}

func read(place string) (r Record, ok bool) {
	info, err := os.Lstat(place)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
		return r, false
	}
	data, err := os.ReadFile(place)
	if err != nil || json.Unmarshal(data, &r) != nil || r.Version == 0 {
		return Record{}, false
	}
	return r, true
}
