package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
)

// Origin says how a system came to its key.
type Origin string

// The ways in which Open finds a key. The two that make one are for the audit
// log.
const (
	Existing Origin = "existing"
	Created  Origin = "created"
	Cloned   Origin = "cloned" // made anew: the directory came from another machine
)

// System is the identity of this system.
type System struct {
	dir    string
	key    ssh.Signer
	origin Origin
}

const (
	keyName     = "system_key"
	machineName = "machine.json"
	lockName    = "lock"
)

// Open returns the identity that is kept in dir, and makes it on first use.
// Several processes may do so at once; they get the same key.
func Open(dir string) (*System, error) { return open(dir, "/etc/machine-id") }

func open(dir, machineID string) (*System, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open identity: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open identity: %w", err)
	}
	defer lock.Close() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock identity %s: %w", dir, err)
	}
	machine, err := machineHash(machineID)
	if err != nil {
		return nil, err
	}
	s := &System{dir: dir, origin: Existing}
	bound, haveBinding, err := readBinding(filepath.Join(dir, machineName))
	if err != nil {
		return nil, err
	}
	keyPath := filepath.Join(dir, keyName)
	switch _, err := os.Lstat(keyPath); {
	case errors.Is(err, fs.ErrNotExist):
		s.origin = Created
	case err != nil:
		return nil, fmt.Errorf("open identity: %w", err)
	case !haveBinding:
		// The binding is written first, so a key without one was put here.
		return nil, fmt.Errorf("open identity: %s is not bound to a machine (%s is missing); remove the key to have a new one made", keyPath, machineName)
	case bound.Machine != machine:
		if err := s.retire(); err != nil {
			return nil, err
		}
		s.origin = Cloned
	}
	if s.origin == Existing {
		if s.key, err = LoadKey(keyPath); err != nil {
			return nil, err
		}
		return s, nil
	}
	return s, s.create(machine)
}

// create makes the key. The binding comes first: when the process dies in
// between, the next one finds no key and begins again.
func (s *System) create(machine string) error {
	b, err := json.MarshalIndent(binding{Version: 1, Machine: machine, Created: time.Now().UTC().Truncate(time.Second)}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode machine binding: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(s.dir, machineName), append(b, '\n')); err != nil {
		return err
	}
	s.key, err = MakeKey(filepath.Join(s.dir, keyName), "latchstring system key")
	return err
}

// retire ends the identity of a clone: its enrolment is kept for reference,
// its private key is overwritten and removed. A copy-on-write disk may keep
// old blocks; the original machine's key is then as safe as the image was.
func (s *System) retire() error {
	if err := os.Rename(s.vendorPath(), s.vendorPath()+".of-original"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("retire cloned identity: %w", err)
	}
	path := filepath.Join(s.dir, keyName)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("retire cloned identity: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("retire cloned identity: %w", err)
	}
	if _, err := f.Write(make([]byte, fi.Size())); err != nil {
		return fmt.Errorf("retire cloned identity: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("retire cloned identity: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("retire cloned identity: %w", err)
	}
	return durable.SyncDir(s.dir)
}

// Origin says whether the key was made by this Open.
func (s *System) Origin() Origin { return s.origin }

// Dir is where the identity is kept.
func (s *System) Dir() string { return s.dir }

// PublicKey is the system's public key.
func (s *System) PublicKey() ssh.PublicKey { return s.key.PublicKey() }

// ID is the short, stable id of this system; see [IDOf].
func (s *System) ID() string { return IDOf(s.key.PublicKey()) }

// Sign signs message for the namespace and returns an armored signature that
// `ssh-keygen -Y verify` accepts.
func (s *System) Sign(namespace string, message []byte) ([]byte, error) {
	return Sign(s.key, namespace, bytes.NewReader(message))
}

// Signer is the system key itself, for protocols that sign other things (the
// tunnel's SSH server).
func (s *System) Signer() ssh.Signer { return s.key }
