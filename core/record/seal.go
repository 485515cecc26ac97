package record

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

const (
	sealedExt = ".seg"
	openExt   = ".open"
	saltSize  = 32
)

func segmentName(n int, ext string) string { return fmt.Sprintf("%08d%s", n, ext) }

// pending is a segment that is closed but not yet sealed.
type pending struct {
	n         int
	plain     []byte
	tally     tally
	begin     *Begin
	end       *End
	recovered *Recovered

	salted string // what sealing it gave
	sealed []byte
}

// chain seals segments one after the other.
type chain struct {
	id         string
	dir        string
	signer     ssh.Signer
	recipients []age.Recipient
	prev       string
	next       int
}

// encrypt does the part of sealing that does not depend on the segment before.
func (c *chain) encrypt(p *pending) error {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	h := sha256.New()
	h.Write(salt)
	h.Write(p.plain)
	p.salted = hex.EncodeToString(h.Sum(nil))
	out := bytes.NewBuffer(make([]byte, 0, len(p.plain)+4096))
	w, err := age.Encrypt(out, c.recipients...)
	if err != nil {
		return fmt.Errorf("encrypt segment %d: %w", p.n, err)
	}
	for _, part := range [][]byte{salt, p.plain} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("encrypt segment %d: %w", p.n, err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("encrypt segment %d: %w", p.n, err)
	}
	p.sealed = out.Bytes()
	return nil
}

func (c *chain) encryptAll(batch []*pending) error {
	errs := make([]error, len(batch))
	var wg sync.WaitGroup
	for i, p := range batch {
		if p.sealed == nil {
			wg.Go(func() { errs[i] = c.encrypt(p) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// seal writes a batch of segments durably and then removes their plain files.
// The head of the chain moves only when all of it is on disk. On an error the
// plain files are still there.
func (c *chain) seal(batch []*pending, witness *Counter) ([]Segment, error) {
	if err := c.encryptAll(batch); err != nil {
		return nil, err
	}
	prev, next := c.prev, c.next
	segs, done := make([]sealedSegment, len(batch)), make([]Segment, len(batch))
	for i, p := range batch {
		if p.n != next {
			return nil, fmt.Errorf("seal segment %d where %d is due", p.n, next)
		}
		s, err := c.header(p, prev, witness)
		if err != nil {
			return nil, fmt.Errorf("seal segment %d: %w", p.n, err)
		}
		witness = nil // once is enough
		head := s.head()
		prev, next = head.Hash, next+1
		segs[i] = s
		done[i] = Segment{Head: head, Path: filepath.Join(c.dir, segmentName(p.n, sealedExt)), Size: s.size(), Final: p.end != nil}
	}
	if err := c.writeAll(segs); err != nil {
		return nil, err
	}
	for i, s := range segs {
		if err := os.Rename(c.temp(s), done[i].Path); err != nil {
			return nil, fmt.Errorf("seal segment: %w", err)
		}
	}
	if err := durable.SyncDir(c.dir); err != nil {
		return nil, err
	}
	c.prev, c.next = prev, next
	for _, p := range batch {
		if err := os.Remove(filepath.Join(c.dir, segmentName(p.n, openExt))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return done, fmt.Errorf("remove plain segment: %w", err)
		}
	}
	return done, nil
}

// header makes the signed header of a segment that is encrypted already.
func (c *chain) header(p *pending, prev string, witness *Counter) (s sealedSegment, err error) {
	sum := sha256.Sum256(p.sealed)
	s = sealedSegment{sealed: p.sealed, Header: Header{
		Format: SegmentFormat, Recording: c.id, Segment: p.n, Prev: prev,
		First: time.UnixMicro(p.tally.first).UTC(), Last: time.UnixMicro(p.tally.last).UTC(),
		Records: p.tally.records, Bytes: len(p.plain), Output: p.tally.output, Notes: p.tally.notes, Plain: p.salted, Sealed: hex.EncodeToString(sum[:]),
		Begin: p.begin, Recovered: p.recovered, End: p.end, Witness: witness,
	}}
	if s.line, err = json.Marshal(s.Header); err != nil {
		return s, err
	}
	s.signature, err = sign(c.signer, Namespace, s.line)
	return s, err
}

func (c *chain) temp(s sealedSegment) string {
	return filepath.Join(c.dir, segmentName(s.Segment, ".new"))
}

// writeAll writes the segments beside their places and syncs them, at the same
// time: a disk syncs many small files as fast as one. On an error nothing is
// left.
func (c *chain) writeAll(segs []sealedSegment) error {
	errs := make([]error, len(segs))
	var wg sync.WaitGroup
	for i, s := range segs {
		wg.Go(func() { errs[i] = writeSegment(c.temp(s), s) })
	}
	wg.Wait()
	err := errors.Join(errs...)
	if err != nil {
		for _, s := range segs {
			os.Remove(c.temp(s))
		}
	}
	return err
}

func writeSegment(path string, s sealedSegment) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("seal segment: %w", err)
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("close %s: %w", path, e)
		}
	}()
	if err := s.writeTo(f); err != nil {
		return fmt.Errorf("seal segment: %w", err)
	}
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// decrypt opens a sealed segment and checks the plain bytes against its header.
func (s sealedSegment) decrypt(ids []age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(s.sealed), ids...)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(r, maxSealedFile))
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	sum := sha256.Sum256(b)
	if hex.EncodeToString(sum[:]) != s.Plain || len(b) != saltSize+s.Bytes {
		return nil, errors.New("what is sealed in it is not what its header says")
	}
	return b[saltSize:], nil
}
