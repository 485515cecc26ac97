package secret

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/crypto/argon2"

	"github.com/latchstring/latchstring/core/durable"
)

// Remembered is how many secrets back one must not be used again.
const Remembered = 10

// ErrUsed is returned for a secret that was used not long ago.
var ErrUsed = fmt.Errorf("the secret was one of the last %d; a new session needs a new one", Remembered)

// History knows the last secrets of a system without being able to tell them.
// It keeps a hash of each that takes a tenth of a second and 64 MiB to work
// out: who steals the file and guesses needs centuries for a generated one, and
// all but the last one are of no use to him.
type History struct {
	path string
	mu   sync.Mutex
	cost cost
}

// cost is what argon2id takes.
type cost struct {
	Passes uint32 `json:"passes"`
	Memory uint32 `json:"memory"` // KiB
}

// file is what is kept: mode 0600, replaced whole.
type file struct {
	V      int      `json:"v"`
	KDF    string   `json:"kdf"`
	Cost   cost     `json:"cost"`
	Salt   []byte   `json:"salt"`
	Hashes [][]byte `json:"hashes"` // the last one at the end
}

const (
	kdf      = "argon2id"
	hashSize = 32
	saltSize = 16
)

// OpenHistory returns the history that is kept in the file at path. Its
// directory must exist; the file is made with the first secret.
func OpenHistory(path string) *History {
	return &History{path: path, cost: cost{Passes: 1, Memory: 64 << 10}}
}

// Used reports whether a secret is among the remembered ones.
func (h *History) Used(typed []byte) (bool, error) {
	err := h.with(typed, func(f *file, hash []byte) (bool, error) { return false, f.find(hash) })
	if errors.Is(err, ErrUsed) {
		return true, nil
	}
	return false, err
}

// Remember adds a secret and forgets the oldest, or returns [ErrUsed]. It does
// so before the secret is shown to anybody, so that a crash cannot let it be
// used twice.
func (h *History) Remember(typed []byte) error {
	return h.with(typed, func(f *file, hash []byte) (bool, error) {
		if err := f.find(hash); err != nil {
			return false, err
		}
		f.Hashes = append(f.Hashes, hash)
		if over := len(f.Hashes) - Remembered; over > 0 {
			f.Hashes = f.Hashes[over:]
		}
		return true, nil
	})
}

// with calls do with the file and the hash of the secret, alone among all
// processes, and writes the file if do says so.
func (h *History) with(typed []byte, do func(*file, []byte) (write bool, err error)) error {
	n, err := Normalise(typed)
	if err != nil {
		return err
	}
	defer Clear(n)
	h.mu.Lock()
	defer h.mu.Unlock()
	lock, err := os.OpenFile(filepath.Join(filepath.Dir(h.path), "."+filepath.Base(h.path)+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the history of secrets: %w", err)
	}
	defer lock.Close() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the history of secrets: %w", err)
	}
	f, err := h.load()
	if err != nil {
		return err
	}
	write, err := do(f, argon2.IDKey(n, f.Salt, f.Cost.Passes, f.Cost.Memory, 1, hashSize))
	if err != nil || !write {
		return err
	}
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode the history of secrets: %w", err)
	}
	return durable.WriteFile(h.path, append(b, '\n'))
}

// load reads the file. One that cannot be read is an error: to forget would
// allow a secret again.
func (h *History) load() (*file, error) {
	b, err := os.ReadFile(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		f := &file{V: 1, KDF: kdf, Cost: h.cost, Salt: make([]byte, saltSize)}
		rand.Read(f.Salt)
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the history of secrets: %w", err)
	}
	f, err := parseHistory(b)
	if err != nil {
		return nil, fmt.Errorf("read the history of secrets %s: %w; remove it to begin a new one", h.path, err)
	}
	return f, nil
}

func parseHistory(b []byte) (*file, error) {
	var f file
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, err
	}
	switch {
	case f.V != 1 || f.KDF != kdf:
		return nil, fmt.Errorf("version %d with %q; this program reads version 1 with %q", f.V, f.KDF, kdf)
	case f.Cost.Passes < 1 || f.Cost.Passes > 16 || f.Cost.Memory < 8 || f.Cost.Memory > 1<<20 || len(f.Salt) != saltSize || len(f.Hashes) > Remembered:
		return nil, errors.New("values that this program does not write")
	}
	for _, h := range f.Hashes {
		if len(h) != hashSize {
			return nil, errors.New("a hash of the wrong length")
		}
	}
	return &f, nil
}

// find returns ErrUsed if hash is among the remembered ones.
func (f *file) find(hash []byte) error {
	found := 0
	for _, h := range f.Hashes {
		found |= subtle.ConstantTimeCompare(h, hash)
	}
	if found == 1 {
		return ErrUsed
	}
	return nil
}

// Trial begins a history whose hashes cost nothing, for a system that exists for
// a test or a trial alone: the secrets that it remembers guard nobody.
func Trial(path string) error {
	f := file{V: 1, KDF: kdf, Cost: cost{Passes: 1, Memory: 8}, Salt: make([]byte, saltSize), Hashes: [][]byte{}}
	rand.Read(f.Salt)
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode the history of secrets: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("begin the history of secrets: %w", err)
	}
	return durable.WriteFile(path, b)
}
