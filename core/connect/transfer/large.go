package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// large is a file that travels in pieces.
type large struct {
	it      item
	part    string
	j       *journal
	resumed bool
	left    atomic.Int64

	mu   sync.Mutex
	open map[handle]file
}

// handle is one opened end on one channel; the local end is opened once.
type handle struct {
	s     remote
	local bool
}

// begin finds out what is there already.
func (r *run) begin(it item) (*large, error) {
	j, resumed, err := openJournal(r.t.o.Journals, r.t.o.Scope, it, pieceSize)
	if err != nil {
		return nil, err
	}
	l := &large{it: it, part: it.to + partSuffix, j: j, open: map[handle]file{}}
	if resumed {
		if _, err := r.p.to.Stat(l.part); err != nil {
			clear(j.Done)
		}
	}
	n, have := pieces(it.size, pieceSize), int64(0)
	for i := range n {
		if j.has(i) {
			have += min(pieceSize, it.size-i*pieceSize)
		} else {
			l.left.Add(1)
		}
	}
	if l.resumed = have > 0; l.resumed {
		r.t.done.Add(have)
		r.mu.Lock()
		r.result.Resumed += have
		r.mu.Unlock()
		return l, nil
	}
	// What lies there under this name is of another file.
	f, err := r.p.to.Open(l.part, true, true, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", l.part, plain(err))
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("write %s: %w", l.part, plain(err))
	}
	return l, nil
}

// end returns the source or the destination on a channel.
func (l *large) end(r *run, s remote, write bool) (file, error) {
	h := handle{s: s}
	if r.p.upload != write {
		h = handle{local: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.open[h]; f != nil {
		return f, nil
	}
	from, to := r.ends(s)
	var f file
	var err error
	if write {
		f, err = to.Open(l.part, true, false, 0o600)
	} else {
		f, err = from.Open(l.it.from, false, false, 0)
	}
	if err == nil {
		l.open[h] = f
	}
	return f, err
}

// piece moves piece n and reports whether it was the last. A negative n is no
// piece: all of them were there.
func (l *large) piece(r *run, s remote, n int64, buf []byte) (last bool, err error) {
	if n < 0 {
		return true, nil
	}
	src, err := l.end(r, s, false)
	if err != nil {
		return false, err
	}
	dst, err := l.end(r, s, true)
	if err != nil {
		return false, fmt.Errorf("write %s: %w", l.part, plain(err))
	}
	at := n * pieceSize
	size := min(pieceSize, l.it.size-at)
	if err := move(src, dst, buf[:size], at); err != nil {
		return false, err
	}
	r.t.done.Add(size)
	if err := l.j.mark(n, time.Now()); err != nil {
		return false, err
	}
	return l.left.Add(-1) == 0, nil
}

func (l *large) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for h, f := range l.open {
		errs = append(errs, f.Close())
		delete(l.open, h)
	}
	return errors.Join(errs...)
}

// ChangedError says that both sides do not have the same bytes.
type ChangedError struct{ Path string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s is not the same on both sides (SHA-256): it changed while it was copied; nothing was kept of it, copy it again", e.Path)
}

// ExitCode is that of a check that did not hold.
func (e *ChangedError) ExitCode() int { return 4 }

// finish compares, and gives the file its name.
func (l *large) finish(ctx context.Context, r *run) error {
	if err := l.close(); err != nil {
		return err
	}
	if err := l.j.keep(); err != nil {
		return err
	}
	s := r.t.first()
	_, to := r.ends(s)
	if fi, err := to.Stat(l.part); err != nil {
		return fmt.Errorf("look at %s: %w", l.part, plain(err))
	} else if fi.Size() != l.it.size {
		return errors.Join(&ChangedError{l.it.from}, l.drop(to))
	}
	compared, err := r.compare(ctx, l)
	var changed *ChangedError
	if errors.As(err, &changed) {
		return errors.Join(err, l.drop(to))
	}
	if err != nil {
		return err
	}
	if err := r.times(to, l.part, l.it); err != nil {
		return err
	}
	if err := to.Rename(l.part, l.it.to); err != nil {
		return fmt.Errorf("rename %s: %w", l.part, plain(err))
	}
	l.j.remove()
	r.t.files.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if compared {
		r.result.Compared++
	} else {
		r.result.Uncompared = append(r.result.Uncompared, l.it.to)
	}
	return nil
}

func (l *large) drop(to side) error {
	l.j.remove()
	if err := to.Remove(l.part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", l.part, plain(err))
	}
	return nil
}
