package sanitize

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/latchstring/latchstring/core/durable"
)

// Key is the customer's pseudonym key. Equal keys give equal pseudonyms in
// every file, run and machine; without it they cannot be turned back.
type Key [32]byte

// String keeps the key out of logs.
func (Key) String() string { return "[pseudonym key]" }

// GoString keeps the key out of %#v.
func (Key) GoString() string { return "[pseudonym key]" }

// keyPrefix begins the key file, so that nobody takes it for something else.
const keyPrefix = "latchstring-pseudonym-key-1:"

// LoadKey reads the key at path and makes it on first use, with mode 0600. A
// file that others can read or that holds anything else is refused: with a
// wrong key the pseudonyms of two bundles would silently not match.
func LoadKey(path string) (*Key, error) {
	key, err := readKey(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	var fresh Key
	if _, err := rand.Read(fresh[:]); err != nil {
		return nil, fmt.Errorf("make pseudonym key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make pseudonym key: %w", err)
	}
	if err := createKey(path, fresh); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make pseudonym key: %w", err)
	}
	// Somebody else may have been faster; the file is the truth.
	return readKey(path)
}

func createKey(path string, key Key) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".pseudonym-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.WriteString(keyPrefix + hex.EncodeToString(key[:]) + "\n"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// A link fails where a rename would replace the key of a parallel run.
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

func readKey(path string) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read pseudonym key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read pseudonym key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read pseudonym key %s: others can read it; chmod 600 it, or remove it to make a new one", path)
	}
	var buf [256]byte
	n, err := f.Read(buf[:])
	if err != nil {
		return nil, fmt.Errorf("read pseudonym key %s: %w", path, err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), keyPrefix)
	raw, err := hex.DecodeString(text)
	if !ok || err != nil || len(raw) != len(Key{}) {
		return nil, fmt.Errorf("read pseudonym key %s: not a pseudonym key; restore it from a backup, or remove it to make a new one", path)
	}
	var key Key
	copy(key[:], raw)
	return &key, nil
}
