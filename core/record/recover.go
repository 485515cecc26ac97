package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
)

// Recovery says how to finish recordings that a crash cut short.
type Recovery struct {
	Signer     ssh.Signer
	Recipients []age.Recipient
	Ship       func(Segment) // see Options
	Now        func() time.Time
}

// Crashed is the reason of a recording that was ended by [Recover].
const Crashed = "the agent was killed or the system went down"

// Recover seals what is left of all recordings in dir that nobody is making,
// and closes them. It returns the ids of those that needed it. One that cannot
// be recovered does not keep the others from it.
func Recover(dir string, o Recovery) (ids []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recover recordings: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || !ValidID(e.Name()) || isLive(filepath.Join(dir, e.Name())) {
			continue
		}
		done, err := o.recover(filepath.Join(dir, e.Name()))
		if err != nil {
			errs = append(errs, fmt.Errorf("recover recording %s: %w", e.Name(), err))
		}
		if done {
			ids = append(ids, e.Name())
		}
	}
	return ids, errors.Join(errs...)
}

// recover finishes one recording; false when it was whole.
func (o Recovery) recover(dir string) (bool, error) {
	left, err := segmentNumbers(dir, openExt)
	if err != nil {
		return false, err
	}
	sealed, err := segmentNumbers(dir, sealedExt)
	if err != nil {
		return false, err
	}
	if len(left) == 0 && len(sealed) == 0 {
		return false, nil // it never came to its first record
	}
	c := &chain{id: filepath.Base(dir), dir: dir, signer: o.Signer, recipients: o.Recipients, prev: zeroHash}
	var last sealedSegment
	for c.next < len(sealed) && sealed[c.next] == c.next {
		if last, err = readSegment(dir, c.next); err != nil {
			return false, err
		}
		c.prev, c.next = last.head().Hash, c.next+1
	}
	if last.End != nil && len(left) == 0 {
		return false, nil
	}
	lock, err := lockDir(dir)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	defer freeReserve(dir)
	if err := tidy(dir, c.next, left, sealed); err != nil {
		return false, err
	}
	if last.End != nil {
		return true, durable.SyncDir(dir)
	}
	return true, o.finish(c)
}

// tidy removes what a crash in the middle of sealing left: plain files of
// segments that are sealed, and sealed files behind a gap, whose plain files
// are then still there.
func tidy(dir string, next int, left, sealed []int) error {
	plain := map[int]bool{}
	for _, n := range left {
		plain[n] = true
		if n < next {
			if err := os.Remove(filepath.Join(dir, segmentName(n, openExt))); err != nil {
				return err
			}
		}
	}
	for _, n := range sealed {
		if n < next {
			continue
		}
		if !plain[n] || !plain[next] {
			return fmt.Errorf("segment %d is missing, and %d is there: that was no crash", next, n)
		}
		if err := os.Remove(filepath.Join(dir, segmentName(n, sealedExt))); err != nil {
			return err
		}
	}
	temps, _ := filepath.Glob(filepath.Join(dir, "*.new"))
	for _, t := range temps {
		os.Remove(t)
	}
	return nil
}

// finish seals the plain segments and adds the closing one.
func (o Recovery) finish(c *chain) error {
	total, err := o.before(c)
	if err != nil {
		return err
	}
	for {
		b, err := readBounded(filepath.Join(c.dir, segmentName(c.next, openExt)))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		t, ok := sound(b)
		p := &pending{n: c.next, plain: b[:ok], tally: t, recovered: &Recovered{Cut: len(b) - ok}}
		if t.records == 0 {
			p.tally.first, p.tally.last = total.last, total.last
		}
		if p.n == 0 {
			if t.records == 0 {
				// Start had not returned: nobody was let in on it.
				return os.Remove(filepath.Join(c.dir, segmentName(0, openExt)))
			}
			if p.begin, err = beginOf(p.plain); err != nil {
				return err
			}
		}
		if err := o.sealOne(c, p); err != nil {
			return err
		}
		total.last, total.output, total.notes = p.tally.last, total.output+t.output, total.notes+t.notes
	}
	// The clock may be wrong after a power cut: a recording never goes back.
	now := max(o.Now().UnixMicro(), total.last)
	at := time.UnixMicro(total.last).UTC()
	b, err := json.Marshal(Note{Time: at, Kind: Closed, Text: Crashed})
	if err != nil {
		return err
	}
	p := &pending{n: c.next, recovered: &Recovered{}}
	f := frame{kind: frameNote, micros: now, payload: b}
	p.plain = appendFrame(nil, f)
	p.tally.add(f)
	p.end = &End{Reason: Crashed, Ended: at, Output: total.output, Notes: total.notes + 1, Unwitnessed: Crashed}
	return o.sealOne(c, p)
}

func (o Recovery) sealOne(c *chain, p *pending) error {
	done, err := c.seal([]*pending{p}, nil)
	if err != nil {
		return err
	}
	if o.Ship != nil {
		o.Ship(done[0])
	}
	return nil
}

// before adds up what is sealed already.
func (o Recovery) before(c *chain) (t tally, err error) {
	for n := range c.next {
		s, err := readSegment(c.dir, n)
		if err != nil {
			return t, err
		}
		t.last = s.Last.UnixMicro()
		t.output += s.Output
		t.notes += s.Notes
	}
	return t, nil
}

// beginOf reads whose recording it is from the first record.
func beginOf(plain []byte) (*Begin, error) {
	f, _, err := nextFrame(plain)
	if err != nil {
		return nil, err
	}
	var b Begin
	if f.kind != frameBegin {
		return nil, errors.New("its first record does not say whose it is")
	}
	if err := json.Unmarshal(f.payload, &b); err != nil {
		return nil, fmt.Errorf("read whose it is: %w", err)
	}
	return &b, nil
}
