package deliver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/relay/api"
)

// Item is a bundle in the queue.
type Item struct {
	Version  int       `json:"v"`
	ID       string    `json:"id"`
	Filename string    `json:"filename"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"`
	Created  time.Time `json:"created"`
	Case     string    `json:"case,omitempty"`
	Anchor   string    `json:"anchor,omitempty"` // head of the audit log: "SEQ HASH"
	Began    time.Time `json:"began,omitzero"`   // when it was begun to be collected

	RSS      string    `json:"rss,omitempty"`    // to which an upload was begun
	Upload   string    `json:"upload,omitempty"` // its id there
	Attempts int       `json:"attempts"`
	Tried    time.Time `json:"tried,omitzero"`
	Error    string    `json:"error,omitempty"` // of the last attempt
}

// Info is what the caller knows about a bundle.
type Info struct {
	Filename string // as the vendor sees it; default: the name of the file
	Case     string
	Anchor   string
	Began    time.Time
}

// Sent is the proof of a delivery, as it is kept.
type Sent struct {
	Item    Item              `json:"item"`
	Bundle  string            `json:"bundle"` // its id at the relay
	Receipt api.SignedReceipt `json:"receipt"`
}

// ErrNoItem is returned for an id that is not in the queue.
var ErrNoItem = errors.New("no such bundle in the queue")

// ErrBusy is returned while another process sends or drops the bundle.
var ErrBusy = errors.New("another process is at it")

// Queue is a directory of bundles to be delivered. Several processes may use
// it at once.
type Queue struct{ dir string }

const (
	bundleName   = "bundle"
	itemName     = "item.json"
	itemLock     = "lock"
	queueLock    = ".lock"
	receiptsName = "receipts"
	newPrefix    = ".new-"
	oldPrefix    = ".old-"
)

var itemPattern = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$`)

// OpenQueue opens the queue in dir, makes it where it does not exist, and
// clears up after processes that were killed in it.
func OpenQueue(dir string) (*Queue, error) {
	if err := os.MkdirAll(filepath.Join(dir, receiptsName), 0o700); err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	q := &Queue{dir}
	unlock, err := q.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return q, q.recover()
}

// lock keeps other processes from adding and clearing up meanwhile.
func (q *Queue) lock() (func(), error) {
	return flock(filepath.Join(q.dir, queueLock), syscall.LOCK_EX)
}

func flock(path string, how int) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// recover finishes what Add had ready, and removes what never was or is done.
func (q *Queue) recover() error {
	entries, err := os.ReadDir(q.dir)
	if err != nil {
		return fmt.Errorf("open queue: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(q.dir, e.Name())
		id, fresh := strings.CutPrefix(e.Name(), newPrefix)
		if fresh && itemPattern.MatchString(id) {
			if it, err := readItem(path); err == nil && it.complete(path) {
				if err := os.Rename(path, filepath.Join(q.dir, id)); err != nil {
					return fmt.Errorf("open queue: %w", err)
				}
				continue
			}
		}
		if fresh || strings.HasPrefix(e.Name(), oldPrefix) {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("open queue: %w", err)
			}
		}
	}
	return durable.SyncDir(q.dir)
}

// complete reports whether all bytes are there. The record is written before
// the bundle is moved in, and names its size.
func (it Item) complete(dir string) bool {
	fi, err := os.Stat(filepath.Join(dir, bundleName))
	return err == nil && fi.Size() == it.Size
}

// Add moves the file at path into the queue. When it returns an error the file
// is where it was; otherwise it is the queue's, whatever happens.
func (q *Queue) Add(path string, info Info) (Item, error) {
	if info.Filename == "" {
		info.Filename = filepath.Base(path)
	}
	sum, size, err := hashFile(path)
	if err != nil {
		return Item{}, fmt.Errorf("queue bundle: %w", err)
	}
	if size == 0 {
		return Item{}, fmt.Errorf("queue bundle: %s is empty", path)
	}
	unlock, err := q.lock()
	if err != nil {
		return Item{}, err
	}
	defer unlock()
	now := time.Now().UTC().Truncate(time.Second)
	tail := make([]byte, 4)
	rand.Read(tail) // never fails
	it := Item{Version: 1, ID: now.Format("20060102T150405Z") + "-" + hex.EncodeToString(tail), Filename: info.Filename, Size: size, SHA256: sum,
		Created: now, Case: info.Case, Anchor: info.Anchor, Began: info.Began}
	tmp := filepath.Join(q.dir, newPrefix+it.ID)
	if err := q.fill(tmp, path, it); err != nil {
		return Item{}, errors.Join(err, os.RemoveAll(tmp))
	}
	if err := os.Rename(tmp, filepath.Join(q.dir, it.ID)); err != nil {
		// The bundle is in there: recover will find it.
		return it, fmt.Errorf("queue bundle: %w", err)
	}
	return it, durable.SyncDir(q.dir)
}

func (q *Queue) fill(tmp, path string, it Item) error {
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return fmt.Errorf("queue bundle: %w", err)
	}
	if err := writeItem(tmp, it); err != nil {
		return err
	}
	to := filepath.Join(tmp, bundleName)
	err := os.Rename(path, to)
	if errors.Is(err, syscall.EXDEV) {
		if err = copyFile(path, to); err == nil {
			err = os.Remove(path)
		}
	}
	if err != nil {
		return fmt.Errorf("queue bundle: %w", err)
	}
	return durable.SyncDir(tmp)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".copy-*")
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return durable.Commit(out, to)
}

// hashFile also syncs the file, which nobody may have done.
func hashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil {
		return "", 0, err
	} else if !fi.Mode().IsRegular() {
		return "", 0, fmt.Errorf("%s is no regular file", path)
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), n, f.Sync()
}

// List returns the queue, oldest first.
func (q *Queue) List() ([]Item, error) {
	entries, err := os.ReadDir(q.dir)
	if err != nil {
		return nil, fmt.Errorf("read queue: %w", err)
	}
	var out []Item
	for _, e := range entries {
		if !itemPattern.MatchString(e.Name()) {
			continue
		}
		it, err := q.Get(e.Name())
		if errors.Is(err, ErrNoItem) {
			continue // delivered this moment
		}
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Created.Before(out[j].Created) })
	return out, nil
}

// Get returns one item.
func (q *Queue) Get(id string) (Item, error) {
	if !itemPattern.MatchString(id) {
		return Item{}, fmt.Errorf("%.60q: %w", id, ErrNoItem)
	}
	it, err := readItem(filepath.Join(q.dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return Item{}, fmt.Errorf("%s: %w", id, ErrNoItem)
	}
	if err != nil {
		return Item{}, err
	}
	return it, nil
}

// Drop removes a bundle that was not delivered.
func (q *Queue) Drop(id string) error {
	unlock, err := q.hold(id)
	if err != nil {
		return err
	}
	defer unlock()
	return q.remove(id)
}

// hold locks one item against other processes.
func (q *Queue) hold(id string) (func(), error) {
	if _, err := q.Get(id); err != nil {
		return nil, err
	}
	unlock, err := flock(filepath.Join(q.dir, id, itemLock), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", id, err)
	}
	if _, err := q.Get(id); err != nil { // it went while we took the lock
		unlock()
		return nil, err
	}
	return unlock, nil
}

// remove makes an item vanish at once, and then its bytes.
func (q *Queue) remove(id string) error {
	old := filepath.Join(q.dir, oldPrefix+id)
	if err := os.Rename(filepath.Join(q.dir, id), old); err != nil {
		return fmt.Errorf("remove from queue: %w", err)
	}
	if err := durable.SyncDir(q.dir); err != nil {
		return err
	}
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("remove from queue: %w", err)
	}
	return nil
}

// update stores what an attempt changed.
func (q *Queue) update(it Item) error { return writeItem(filepath.Join(q.dir, it.ID), it) }

// open opens the bytes of an item.
func (q *Queue) open(it Item) (*os.File, error) {
	f, err := os.Open(filepath.Join(q.dir, it.ID, bundleName))
	if err != nil {
		return nil, fmt.Errorf("read queued bundle: %w", err)
	}
	if fi, err := f.Stat(); err != nil || fi.Size() != it.Size {
		f.Close()
		return nil, fmt.Errorf("read queued bundle %s: it has not the %d bytes it had when it was queued", it.ID, it.Size)
	}
	return f, nil
}

// Path is where the bytes of an item are.
func (q *Queue) Path(it Item) string { return filepath.Join(q.dir, it.ID, bundleName) }

// settle stores the receipt; then the item may go.
func (q *Queue) settle(s Sent) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode receipt: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(q.dir, receiptsName, s.Item.ID+".json"), append(b, '\n')); err != nil {
		return fmt.Errorf("store receipt: %w", err)
	}
	return nil
}

// Receipts returns the proofs of all deliveries, oldest first.
func (q *Queue) Receipts() ([]Sent, error) {
	dir := filepath.Join(q.dir, receiptsName)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	var out []Sent
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); !ok || !itemPattern.MatchString(id) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read receipts: %w", err)
		}
		var s Sent
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, fmt.Errorf("read receipt %s: %w", e.Name(), err)
		}
		out = append(out, s)
	}
	return out, nil
}

func readItem(dir string) (Item, error) {
	b, err := os.ReadFile(filepath.Join(dir, itemName))
	if err != nil {
		return Item{}, fmt.Errorf("read queue: %w", err)
	}
	var it Item
	if err := json.Unmarshal(b, &it); err != nil {
		return Item{}, fmt.Errorf("read queue: %s: %w", filepath.Join(dir, itemName), err)
	}
	if it.Version != 1 {
		return Item{}, fmt.Errorf("read queue: %s is of version %d; this program reads version 1", filepath.Join(dir, itemName), it.Version)
	}
	return it, nil
}

func writeItem(dir string, it Item) error {
	b, err := json.MarshalIndent(it, "", "  ")
	if err != nil {
		return fmt.Errorf("encode queue item: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(dir, itemName), append(b, '\n')); err != nil {
		return fmt.Errorf("write queue: %w", err)
	}
	return nil
}
