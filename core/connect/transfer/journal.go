package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// journalAge is how long an interrupted transfer is remembered.
const journalAge = 14 * 24 * time.Hour

// journal says which pieces of a large file are at the other end already.
type journal struct {
	Version  int       `json:"v"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Piece    int64     `json:"piece"`
	Done     []byte    `json:"done"` // a bit a piece

	path string
	mu   sync.Mutex
	kept time.Time
}

// openJournal finds what an earlier attempt left, when the source is still the
// same. An empty dir keeps nothing.
func openJournal(dir, scope string, it item, piece int64) (j *journal, resumed bool, err error) {
	fresh := &journal{Version: 1, From: it.from, To: it.to, Size: it.size, Modified: it.modified.UTC(), Piece: piece, Done: make([]byte, (pieces(it.size, piece)+7)/8)}
	if dir == "" {
		return fresh, false, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("keep transfers: %w", err)
	}
	sum := sha256.Sum256([]byte(scope + "\x00" + it.from + "\x00" + it.to))
	fresh.path = filepath.Join(dir, hex.EncodeToString(sum[:16])+".json")
	b, err := os.ReadFile(fresh.path)
	if err != nil {
		return fresh, false, nil
	}
	var old journal
	if json.Unmarshal(b, &old) != nil || old.Version != 1 || old.From != fresh.From || old.To != fresh.To || old.Size != fresh.Size ||
		!old.Modified.Equal(fresh.Modified) || old.Piece != piece || len(old.Done) != len(fresh.Done) {
		return fresh, false, nil
	}
	fresh.Done = old.Done
	return fresh, true, nil
}

func pieces(size, piece int64) int64 { return (size + piece - 1) / piece }

func (j *journal) has(n int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Done[n/8]&(1<<(n%8)) != 0
}

// mark notes a piece, and writes it down at most once a second.
func (j *journal) mark(n int64, now time.Time) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Done[n/8] |= 1 << (n % 8)
	if now.Sub(j.kept) < time.Second {
		return nil
	}
	j.kept = now
	return j.write()
}

func (j *journal) keep() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write()
}

func (j *journal) write() error {
	if j.path == "" {
		return nil
	}
	b, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("keep transfer: %w", err)
	}
	if err := durable.WriteFile(j.path, b); err != nil {
		return fmt.Errorf("keep transfer: %w", err)
	}
	return nil
}

func (j *journal) remove() {
	if j.path != "" {
		os.Remove(j.path)
	}
}

// sweep removes what is too old to be gone on with.
func sweep(dir string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".json" && now.Sub(fi.ModTime()) > journalAge {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
