package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
)

// step is called before each change to the disk. Tests stop the process there.
var step = func(string) error { return nil }

// Option changes how a system is sealed.
type Option func(*steps)

// Before has f called before each change to the disk, with its name. An error
// fails that step alone. Package disable tells its progress by it.
func Before(f func(step string) error) Option { return func(s *steps) { s.before = f } }

type steps struct{ before func(string) error }

func with(opts []Option) steps {
	s := steps{step}
	for _, o := range opts {
		o(&s)
	}
	return s
}

// Seal disables remote access for good. It returns nil only when every place
// holds the seal; on an error, ask [Check] for the truth: one place is enough.
// Sealing a sealed system keeps the first record and puts back what is missing.
//
// On the machine's own places (no --root) the files are made immutable where
// the file system can do that.
func Seal(root paths.Root, r Record, opts ...Option) error {
	if old := Check(root); old.Sealed && old.Record.Version != 0 {
		r = old.Record
	}
	r.Version = 1
	err := with(opts).write(root, r)
	if s := Check(root); !s.Sealed {
		return fmt.Errorf("the system is NOT sealed, no place took the seal: %w", err)
	}
	return err
}

// Mend puts back the seals, and the record, that are missing on a sealed system. It does
// nothing on one that is not sealed.
func Mend(root paths.Root, opts ...Option) error {
	s := Check(root)
	if !s.Sealed || len(s.Missing) == 0 && s.Record.Version != 0 {
		return nil
	}
	if s.Record.Version == 0 {
		s.Record = Record{Version: 1, By: "unknown", Cause: "the sealing was cut short, or its record was destroyed", Bundles: true}
	}
	return with(opts).write(root, s.Record)
}

func (s steps) write(root paths.Root, r Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the seal: %w", err)
	}
	var errs []error
	places := Places(root)
	for _, p := range places { // existence first, everywhere
		if err := s.create(p); err != nil {
			errs = append(errs, fmt.Errorf("seal: %w", err))
		}
	}
	for _, dir := range marked(root) {
		err := s.before("mark " + dir)
		if err == nil {
			err = mark(dir)
		}
		if err == nil {
			err = durable.SyncDir(dir)
		}
		_ = err // where the file system has no attributes the files must do
	}
	err = s.before("TPM")
	if err == nil {
		err = sealTPM(root)
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("seal: %w", err))
	}
	for _, p := range places { // then what people want to read
		if _, ok := read(p); ok {
			continue
		}
		err := s.before("fill " + p)
		if err == nil {
			err = durable.WriteFileMode(p, append(data, '\n'), 0o644)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("seal: %w", err))
		}
	}
	if root.Dir == "" {
		for _, p := range places {
			if _, ok := read(p); ok {
				_ = freeze(p) // where the file system can
			}
		}
	}
	return errors.Join(errs...)
}

// create makes an empty seal durable.
func (s steps) create(place string) error {
	if err := s.before("directory of " + place); err != nil {
		return err
	}
	dir := filepath.Dir(place)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := s.before("create " + place); err != nil {
		return err
	}
	f, err := os.OpenFile(place, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return durable.SyncDir(dir)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.before("sync " + place); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := s.before("sync directory of " + place); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}
