package ask

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

// Ledger remembers in a directory which requests were answered: one file each,
// named by id, kept for good.
type Ledger struct{ Dir string }

// Answer is what the ledger keeps.
type Answer struct {
	ID       string    `json:"id"`
	Engineer string    `json:"engineer"`
	Bundle   string    `json:"bundle"`
	At       time.Time `json:"at"`
}

// AnsweredError says that a request was answered before.
type AnsweredError struct{ Answer Answer }

func (e *AnsweredError) Error() string {
	return fmt.Sprintf("the request %s was answered already, at %s by the bundle %s; a request is good once, ask for a new one",
		e.Answer.ID, e.Answer.At.Local().Format(time.DateTime), e.Answer.Bundle)
}

// ExitCode is 4: a check did not hold.
func (e *AnsweredError) ExitCode() int { return 4 }

func (l Ledger) path(id string) string { return filepath.Join(l.Dir, id+".json") }

// Check returns an [*AnsweredError] for a request that was answered.
func (l Ledger) Check(id string) error {
	b, err := os.ReadFile(l.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an answer to the request: %w", err)
	}
	a := Answer{ID: id}
	if err := json.Unmarshal(b, &a); err != nil {
		a.Bundle = "(unknown)"
	}
	return &AnsweredError{a}
}

// Answer records an answer, once.
func (l Ledger) Answer(a Answer) error {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return fmt.Errorf("record the answer to the request: %w", err)
	}
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path(a.ID), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return l.Check(a.ID)
	}
	if err != nil {
		return fmt.Errorf("record the answer to the request: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = durable.SyncDir(l.Dir)
	}
	if err != nil {
		return fmt.Errorf("record the answer to the request: %w", err)
	}
	return nil
}
