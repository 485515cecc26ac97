package outbox

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

// cursor is what is kept of a sink between two runs of the agent.
type cursor struct {
	V         int       `json:"v"`
	Seq       uint64    `json:"seq"` // up to this record everything is delivered, dropped or refused
	Delivered uint64    `json:"delivered"`
	Refused   uint64    `json:"refused"`
	Dropped   uint64    `json:"dropped"`
	LastAt    time.Time `json:"last_at,omitzero"` // of the last delivery
	LastCode  string    `json:"last_code,omitempty"`
	Failing   time.Time `json:"failing_since,omitzero"`
	Error     string    `json:"error,omitempty"`
	Hint      string    `json:"hint,omitempty"`
	NextTry   time.Time `json:"next_try,omitzero"`
}

func (o *Outbox) cursorFile(name string) string { return filepath.Join(o.opt.Dir, name+".json") }

// errNew says that a sink has no cursor yet.
var errNew = errors.New("it is new")

func (o *Outbox) readCursor(name string) (cursor, error) {
	var c cursor
	b, err := os.ReadFile(o.cursorFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return c, errNew
	}
	if err != nil {
		return c, fmt.Errorf("read the cursor of sink %s: %w", name, err)
	}
	if err := json.Unmarshal(b, &c); err != nil || c.V != 1 {
		return cursor{}, fmt.Errorf("the cursor %s is damaged", o.cursorFile(name))
	}
	return c, nil
}

func (o *Outbox) writeCursor(name string, c cursor) error {
	c.V = 1
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.opt.Dir, 0o700); err != nil {
		return fmt.Errorf("write the cursor of sink %s: %w", name, err)
	}
	return durable.WriteFile(o.cursorFile(name), append(b, '\n'))
}
