package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/latchstring/latchstring/core/durable"
)

// noSupport is the file whose existence says that nobody vouches for engineers
// here, and nobody ever will.
const noSupport = "no-support"

func (s *System) forgottenPath() string { return filepath.Join(s.dir, noSupport) }

// SupportForgotten reports whether the key that vouches for engineers was
// removed for good.
func (s *System) SupportForgotten() bool {
	_, err := os.Lstat(s.forgottenPath())
	return !errors.Is(err, fs.ErrNotExist) // what cannot be looked at counts as forgotten
}

// ForgetSupport removes the key that vouches for engineers from the vendor
// record for good: no enrolment brings it back, and [System.Vendor] shows none
// even where an old record is put in its place. The rest of the record, on which
// bundles rest, stays. It may be called again, and on a system that is not
// enrolled.
//
// The mark is written before the record is changed, so that a crash in between
// leaves nobody trusted.
func (s *System) ForgetSupport() error {
	if !s.SupportForgotten() {
		f, err := os.OpenFile(s.forgottenPath(), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("forget who vouches for engineers: %w", err)
		}
		if err := errors.Join(f.Sync(), f.Close(), durable.SyncDir(s.dir)); err != nil {
			return fmt.Errorf("forget who vouches for engineers: %w", err)
		}
	}
	return s.DropSupport()
}

// DropSupport removes the key from the vendor record until the next enrolment.
func (s *System) DropSupport() error {
	for _, path := range []string{s.vendorPath(), s.vendorPath() + ".of-original"} {
		if err := forgetIn(path); err != nil {
			return fmt.Errorf("forget who vouches for engineers: %w", err)
		}
	}
	return nil
}

// forgetIn takes the key out of one record. One that cannot be read is removed:
// it may hold the key, and nothing could be done with it.
func forgetIn(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var v Vendor
	if json.Unmarshal(b, &v) != nil {
		return os.Remove(path)
	}
	if v.SupportCA == "" {
		return nil
	}
	v.SupportCA = ""
	if b, err = json.MarshalIndent(v, "", "  "); err != nil {
		return err
	}
	return durable.WriteFile(path, append(b, '\n'))
}
