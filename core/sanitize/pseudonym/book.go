package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

// A Book remembers which name a token stands for, in a file on the customer's
// side that is encrypted with a key derived from the customer's key. It is
// never part of a bundle.
//
// The file is a header and then records: a length (4 bytes, big endian), a
// nonce (12 bytes) and AES-256-GCM ciphertext of entries, each a token and a
// name with a length byte or two. Records are only appended, each by one write
// under a lock on the file, so that several processes can share a book and a
// crash can only tear the last record, which the next writer cuts off.
type Book struct {
	path string
	aead cipher.AEAD
	seed maphash.Seed

	mu      sync.Mutex
	seen    map[uint64]struct{} // hashes of what is in the file or in pending
	pending []byte
	read    int64 // how much of the file seen covers
	err     error // of a background flush, reported by the next call
}

const (
	bookMagic   = "latchstring pseudonym book v1\n"
	bookFlush   = 32 << 10 // bytes pending before Record writes
	bookRecord  = 1 << 20  // no longer record is believed
	bookMaxSeen = 4 << 20  // names; more are written again rather than remembered
)

// OpenBook opens or creates the book at path, whose directory must exist, and
// checks that it was written with this key. The file is 0600; one that others
// may read is refused.
func OpenBook(path string, key *[KeySize]byte) (*Book, error) {
	if key == nil {
		return nil, fmt.Errorf("book %s: needs a key", path)
	}
	block, err := aes.NewCipher(subkey(key, "book"))
	if err != nil {
		return nil, fmt.Errorf("book %s: %w", path, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("book %s: %w", path, err)
	}
	b := &Book{path: path, aead: aead, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
	f, err := b.open()
	if err != nil {
		return nil, err
	}
	defer unlock(f)
	return b, b.refresh(f)
}

// Record notes that token stands for original. It is made for
// [Options.Record]: cheap, safe for concurrent use, silent about repetitions.
// An error of writing is kept for [Book.Flush].
func (b *Book) Record(token, original string) {
	if len(token) > 255 || len(original) > 65535 {
		return
	}
	var h maphash.Hash
	h.SetSeed(b.seed)
	h.WriteString(token)
	h.WriteByte(0)
	h.WriteString(original)
	id := h.Sum64()

	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.seen[id]; known {
		return
	}
	if len(b.seen) < bookMaxSeen {
		b.seen[id] = struct{}{}
	}
	b.pending = appendEntry(b.pending, token, original)
	if len(b.pending) >= bookFlush {
		if err := b.flush(); err != nil && b.err == nil {
			b.err = err
		}
	}
}

// Flush writes what was recorded and syncs it. A bundle must not leave before
// Flush has succeeded, or its names could never be turned back.
func (b *Book) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.flush()
	if b.err != nil {
		err, b.err = b.err, nil
	}
	return err
}

// Lookup finds the name behind a token, in this book and in what other
// processes have added to it.
func (b *Book) Lookup(token string) (string, bool) {
	name, err := b.find(token)
	return name, err == nil
}

func (b *Book) find(token string) (name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.flush(); err != nil {
		return "", err
	}
	f, err := os.Open(b.path)
	if err != nil {
		return "", fmt.Errorf("book: %w", err)
	}
	defer f.Close()
	found := false
	_, err = b.each(f, int64(len(bookMagic)), func(t, n string) {
		if t == token && !found {
			name, found = n, true
		}
	})
	if err == nil && !found {
		err = ErrUnknown
	}
	return name, err
}

// String keeps the names out of logs.
func (b *Book) String() string { return "[pseudonym book " + b.path + "]" }

// open opens the file locked, creating it if need be.
func (b *Book) open() (*os.File, error) {
	const flags = os.O_RDWR | unix.O_NOFOLLOW
	f, err := os.OpenFile(b.path, flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.OpenFile(b.path, flags|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) { // another process was faster
			f, err = os.OpenFile(b.path, flags, 0)
		} else if err == nil {
			err = durable.SyncDir(filepath.Dir(b.path))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("book: %w", err)
	}
	st, err := f.Stat()
	if err == nil && (!st.Mode().IsRegular() || st.Mode().Perm()&0o077 != 0) {
		err = fmt.Errorf("others may read it (mode %v); make it 0600", st.Mode())
	}
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("book %s: %w", b.path, err)
	}
	return f, nil
}

func unlock(f *os.File) { f.Close() } // closing gives up the lock

// refresh reads what was added since the last time, cuts off a torn record,
// and writes the header of a new file. The file is locked.
func (b *Book) refresh(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("book %s: %w", b.path, err)
	}
	if st.Size() < int64(len(bookMagic)) { // new, or torn while it was new
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("book %s: %w", b.path, err)
		}
		if _, err := f.WriteAt([]byte(bookMagic), 0); err != nil {
			return fmt.Errorf("book %s: %w", b.path, err)
		}
		b.read = int64(len(bookMagic))
		return nil
	}
	if b.read == 0 {
		magic := make([]byte, len(bookMagic))
		if _, err := f.ReadAt(magic, 0); err != nil || string(magic) != bookMagic {
			return fmt.Errorf("book %s: this is no pseudonym book", b.path)
		}
		b.read = int64(len(bookMagic))
	}
	end, err := b.each(f, b.read, func(token, name string) {
		if len(b.seen) < bookMaxSeen {
			var h maphash.Hash
			h.SetSeed(b.seed)
			h.WriteString(token)
			h.WriteByte(0)
			h.WriteString(name)
			b.seen[h.Sum64()] = struct{}{}
		}
	})
	if err != nil {
		return err
	}
	b.read = end
	if end < st.Size() {
		if err := f.Truncate(end); err != nil {
			return fmt.Errorf("book %s: cut off a torn record: %w", b.path, err)
		}
	}
	return nil
}

// each calls fn for the entries from off on and returns the end of the last
// whole record.
func (b *Book) each(f io.ReaderAt, off int64, fn func(token, name string)) (int64, error) {
	var head [4]byte
	for {
		if n, _ := f.ReadAt(head[:], off); n < len(head) {
			return off, nil
		}
		size := int(binary.BigEndian.Uint32(head[:]))
		if size < b.aead.NonceSize()+b.aead.Overhead() || size > bookRecord {
			return off, fmt.Errorf("book %s: damaged at byte %d", b.path, off)
		}
		sealed := make([]byte, size)
		if n, _ := f.ReadAt(sealed, off+4); n < size {
			return off, nil
		}
		nonce, sealed := sealed[:b.aead.NonceSize()], sealed[b.aead.NonceSize():]
		plain, err := b.aead.Open(sealed[:0], nonce, sealed, []byte(bookMagic))
		if err != nil {
			return off, fmt.Errorf("book %s: another key wrote it, or it is damaged at byte %d", b.path, off)
		}
		if !eachEntry(plain, fn) {
			return off, fmt.Errorf("book %s: damaged entry at byte %d", b.path, off)
		}
		off += 4 + int64(size)
	}
}

// flush appends what is pending as one record.
func (b *Book) flush() error {
	if len(b.pending) == 0 {
		return nil
	}
	f, err := b.open()
	if err != nil {
		return err
	}
	defer unlock(f)
	if err := b.refresh(f); err != nil {
		return err
	}
	nonce := make([]byte, b.aead.NonceSize())
	for plain := b.pending; len(plain) > 0; {
		n := entriesWithin(plain, bookRecord/2)
		rand.Read(nonce)
		rec := make([]byte, 4, 4+len(nonce)+n+b.aead.Overhead())
		rec = b.aead.Seal(append(rec, nonce...), nonce, plain[:n], []byte(bookMagic))
		binary.BigEndian.PutUint32(rec, uint32(len(rec)-4))
		if _, err := f.WriteAt(rec, b.read); err != nil {
			return fmt.Errorf("book %s: %w", b.path, err)
		}
		b.read += int64(len(rec))
		plain = plain[n:]
		b.pending = plain
	}
	b.pending = nil
	if err := f.Sync(); err != nil {
		return fmt.Errorf("book %s: %w", b.path, err)
	}
	return nil
}

func appendEntry(dst []byte, token, name string) []byte {
	dst = append(append(dst, byte(len(token))), token...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(name)))
	return append(dst, name...)
}

// entrySize returns the length of the first entry, or 0 if it is torn.
func entrySize(b []byte) int {
	if len(b) < 1 || len(b) < 1+int(b[0])+2 {
		return 0
	}
	t := 1 + int(b[0])
	n := t + 2 + int(binary.BigEndian.Uint16(b[t:]))
	if n > len(b) {
		return 0
	}
	return n
}

func eachEntry(b []byte, fn func(token, name string)) bool {
	for len(b) > 0 {
		n := entrySize(b)
		if n == 0 {
			return false
		}
		t := 1 + int(b[0])
		fn(string(b[1:t]), string(b[t+2:n]))
		b = b[n:]
	}
	return true
}

// entriesWithin returns the length of the entries at the front that fit into
// limit, at least one.
func entriesWithin(b []byte, limit int) int {
	n := entrySize(b)
	for n < len(b) {
		next := entrySize(b[n:])
		if n+next > limit {
			break
		}
		n += next
	}
	return n
}
