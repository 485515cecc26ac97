package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// ahead is how much of a file may arrive before what comes in front of it:
// clients have many requests on the way, and they are served in any order.
const ahead = 8 << 20

// aheadPieces bounds them in number: a piece of one byte costs a hundred.
const aheadPieces = 4096

// A flow is one file on its way. It takes the hash of the bytes as they pass,
// and enters them into the ledger when it is closed.
type flow struct {
	x         *session
	f         *os.File
	path      string
	direction string

	mu      sync.Mutex
	hash    hash.Hash
	next    int64            // where the hash has got to
	waiting map[int64][]byte // by offset
	held    int
	pieces  bool  // not in one piece from the beginning: the file is hashed when it is closed
	moved   int64 // bytes
	broken  error // why it ended before its end
	over    bool
	done    func() // it is not on its way any more
}

// A Mover is a policy that wants to know which files are on their way, so that it
// can be asked about them again when it changes.
type Mover interface {
	policy.Decider
	Moving(action policy.Action, facts policy.Facts) (done func())
}

func (x *session) newFlow(f *os.File, path, direction string) *flow {
	fl := &flow{x: x, f: f, path: path, direction: direction, hash: sha256.New(), waiting: map[int64][]byte{}, done: func() {}}
	if m, ok := x.Policy.(Mover); ok {
		action := policy.AccessUpload
		if direction == record.Download {
			action = policy.AccessFetch
		}
		fl.done = m.Moving(action, x.facts(policy.Facts{policy.Path: path}))
	}
	return fl
}

// ReadAt reads for the engineer.
func (f *flow) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(p, off)
	if n > 0 {
		f.pass(p[:n], off, f.direction == record.Download)
	}
	return n, err
}

// WriteAt writes for the engineer.
func (f *flow) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.f.WriteAt(p, off)
	if n > 0 {
		f.pass(p[:n], off, f.direction == record.Upload)
	}
	return n, err
}

func (f *flow) pass(p []byte, off int64, counts bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !counts { // a file open for both is in the ledger as what was written to it
		return
	}
	f.moved += int64(len(p))
	switch {
	case f.pieces:
	case off == f.next:
		f.hash.Write(p)
		f.next += int64(len(p))
		for {
			q, ok := f.waiting[f.next]
			if !ok {
				return
			}
			delete(f.waiting, f.next)
			f.held -= len(q)
			f.hash.Write(q)
			f.next += int64(len(q))
		}
	case off > f.next && f.held < ahead && len(f.waiting) < aheadPieces && f.waiting[off] == nil:
		f.waiting[off] = append([]byte(nil), p...)
		f.held += len(p)
	default:
		f.pieces, f.waiting = true, nil
	}
}

// TransferError is told when the connection ends before the file.
func (f *flow) TransferError(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = err
}

// Close enters the file into the ledger.
func (f *flow) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return nil
	}
	f.over = true
	defer f.done()
	n := record.Note{Channel: f.x.number, Path: f.path, Direction: f.direction, Size: f.moved}
	var size int64
	if st, err := f.f.Stat(); err == nil {
		size = st.Size()
	}
	whole := !f.pieces && len(f.waiting) == 0 && f.next == size
	switch {
	case whole || f.direction == record.Download && !f.pieces && len(f.waiting) == 0:
		n.SHA256 = hex.EncodeToString(f.hash.Sum(nil))
		if !whole {
			n.Text = fmt.Sprintf("the first %d of %d bytes", f.next, size)
		}
	default:
		// The hash is of the file as it lies there now.
		sum, err := f.x.hashes.of(f.f, size)
		n.SHA256, n.Text = sum, fmt.Sprintf("moved in pieces; the hash is of the whole file of %d bytes", size)
		if err != nil {
			n.Text = "moved in pieces; no hash: " + err.Error()
		}
	}
	if f.broken != nil {
		n.Text = "broken off; " + n.Text
	}
	return errors.Join(f.x.ledger.file(n), f.f.Close())
}

func hashFile(f *os.File, size int64) (string, error) {
	h := sha256.New()
	if _, err := copyBytes(h, io.NewSectionReader(f, 0, size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
