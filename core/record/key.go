package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

// LoadKey reads the customer's key of recordings and makes it on first use.
// The file is as age-keygen writes it, mode 0600: `age -d -i FILE` reads what
// was encrypted to it. Whoever has it sees what was on the screen.
func LoadKey(path string) (*age.X25519Identity, error) {
	id, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make key of recordings: %w", err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("make key of recordings: %w", err)
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil { // two at once must not make two
		return nil, fmt.Errorf("make key of recordings: %w", err)
	}
	if id, err := readKey(path); !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	if id, err = age.GenerateX25519Identity(); err != nil {
		return nil, fmt.Errorf("make key of recordings: %w", err)
	}
	text := fmt.Sprintf("# reads the recordings of support connections; keep a copy elsewhere\n# public key: %s\n%s\n", id.Recipient(), id)
	return id, durable.WriteFile(path, []byte(text))
}

func readKey(path string) (*age.X25519Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read key of recordings: %w", err)
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("read key of recordings: %w", err)
	} else if fi.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read key of recordings: mode %04o of %s lets others read it; chmod 600 it", fi.Mode().Perm(), path)
	}
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("read key of recordings %s: %w", path, err)
	}
	if len(ids) == 1 {
		if id, ok := ids[0].(*age.X25519Identity); ok {
			return id, nil
		}
	}
	return nil, fmt.Errorf("read key of recordings %s: it holds no single X25519 key", path)
}
