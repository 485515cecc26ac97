package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
)

// Enrolment is what is kept of a session once its secret was given: enough for
// the next connections of the same engineer to the same session, and of no use
// without the engineer's key and certificate.
type Enrolment struct {
	Version int       `json:"v"`
	System  string    `json:"system"`
	Name    string    `json:"name"` // of the system, for people
	Session string    `json:"session"`
	ID      string    `json:"id"`
	Key     []byte    `json:"key"`
	HostKey string    `json:"host_key"`       // authorized_keys line: of the session, proved by the secret
	Case    string    `json:"case,omitempty"` // what it is about, for connections that name no other
	Expires time.Time `json:"expires"`
	Made    time.Time `json:"made"`
}

// Cache keeps enrolments in a directory of the engineer alone, one file a
// system. Several processes may use it.
type Cache struct{ dir string }

// OpenCache opens or makes the directory. One that others may read or write is
// refused.
func OpenCache(dir string) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open enrolments: %w", err)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return nil, fmt.Errorf("open enrolments: %w", err)
	}
	if !fi.IsDir() || fi.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open enrolments: %s must be a directory of yours alone; run: chmod 700 %s", dir, dir)
	}
	if err := owned(fi); err != nil {
		return nil, fmt.Errorf("open enrolments: %s: %w", dir, err)
	}
	return &Cache{dir}, nil
}

func (c *Cache) path(system string) (string, error) {
	if !identity.ValidID(system) {
		return "", fmt.Errorf("enrolment of %.40q: this is no id of a system", system)
	}
	return filepath.Join(c.dir, system+".enrolment"), nil
}

// Get returns the enrolment of a system, or nil when there is none that is
// still good. One that expired is removed.
func (c *Cache) Get(system string, now time.Time) (*Enrolment, error) {
	path, err := c.path(system)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read enrolment: %w", err)
	}
	defer clear(b)
	var e Enrolment
	if err := json.Unmarshal(b, &e); err != nil || e.Version != 1 || e.System != system {
		// Nothing to be lost: the secret is asked again.
		return nil, c.Remove(system)
	}
	if !now.Before(e.Expires) {
		return nil, c.Remove(system)
	}
	return &e, nil
}

// Put keeps an enrolment, instead of an older one of the same system.
func (c *Cache) Put(e Enrolment) error {
	path, err := c.path(e.System)
	if err != nil {
		return err
	}
	e.Version = 1
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("keep enrolment: %w", err)
	}
	defer clear(b)
	if err := durable.WriteFile(path, append(b, '\n')); err != nil {
		return fmt.Errorf("keep enrolment: %w", err)
	}
	return nil
}

// Remove forgets the enrolment of a system. That there is none is no error.
func (c *Cache) Remove(system string) error {
	path, err := c.path(system)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove enrolment: %w", err)
	}
	return nil
}

// removeIf forgets the enrolment with that id, not a newer one that another
// process has written since.
func (c *Cache) removeIf(system, id string) error {
	e, err := c.Get(system, time.Now())
	if err != nil || e == nil || e.ID != id {
		return err
	}
	return c.Remove(system)
}

// List returns all that are still good.
func (c *Cache) List(now time.Time) ([]Enrolment, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("list enrolments: %w", err)
	}
	var out []Enrolment
	for _, f := range entries {
		system, ok := strings.CutSuffix(f.Name(), ".enrolment")
		if !ok || !identity.ValidID(system) {
			continue
		}
		e, err := c.Get(system, now)
		if err != nil {
			return nil, err
		}
		if e != nil {
			out = append(out, *e)
		}
	}
	return out, nil
}
