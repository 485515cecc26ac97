package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/sanitize"
)

// errSpool marks an error that ends the run: the spool cannot be written.
var errSpool = errors.New("spool")

// patience is how long a reader that ignores its closing is waited for.
const patience = 2 * time.Second

// item spools one item. A nil file with a nil error means that the item is
// recorded as missing. An error stops the collector.
func (d *Draft) item(ctx context.Context, collector string, it *Item, used int64) (*spooled, error) {
	if it.Content == nil {
		d.miss(collector, it, it.State, it.Reason)
		return nil, nil
	}
	defer it.Content.Close()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if d.o.Leave != nil && d.o.Leave(collector, it.Name) {
		d.miss(collector, it, Skipped, "left out by the user")
		return nil, nil
	}
	room, bounded := d.room(used)
	switch {
	case bounded && room <= 0:
		d.miss(collector, it, Limited, errFull.Error())
		return nil, errFull
	case d.o.Limits.Files > 0 && len(d.files) >= d.o.Limits.Files:
		d.miss(collector, it, Limited, errFiles.Error())
		return nil, errFiles
	}
	if n, err := free(d.spool.dir); err == nil && n < d.o.Limits.Reserve {
		return nil, &SpaceError{Dir: d.spool.dir, Free: n, Need: d.o.Limits.Reserve}
	}
	p, err := memberPath(collector, d.o.Engine.Name(it.Name))
	if err == nil {
		p, err = d.taken.addUnused(p)
	}
	if err != nil {
		d.miss(collector, it, Failed, err.Error())
		return nil, nil
	}
	if l := d.o.Limits.Item; l > 0 {
		room, bounded = min(room, l), true
	}
	if !bounded {
		room = -1
	}
	d.o.progress(Progress{Stage: Collecting, Collector: collector, Item: it.Name, Files: len(d.files), Bytes: d.bytes, Planned: d.planned})
	start := d.o.Now()
	src := &source{r: it.Content, room: room}
	f, res, err := d.copy(ctx, d.o.Engine, src, sanitize.File{Name: p, Learn: it.Config})
	var out Outcome
	if it.Finish != nil && err == nil {
		// Closed first: a command whose output was cut ends by SIGPIPE.
		it.Content.Close()
		var ferr error
		if out, ferr = it.Finish(ctx); ferr != nil && !src.cut {
			out.Reason, out.Truncated = ferr.Error(), true
		}
	}
	switch {
	case err != nil && (errors.Is(err, errSpool) || isSpace(err)):
		return nil, err
	case ctx.Err() != nil && err != nil:
		d.miss(collector, it, Limited, context.Cause(ctx).Error())
		return nil, context.Cause(ctx)
	case err != nil:
		d.miss(collector, it, Failed, err.Error())
		return nil, nil
	case res.Omitted != "":
		f.remove()
		d.miss(collector, it, Omitted, res.Omitted)
		return nil, nil
	case out.Failed && f.Size == 0:
		f.remove()
		d.miss(collector, it, Failed, out.Reason)
		return nil, nil
	}
	f.Path, f.Collector, f.Source, f.Config, f.item = p, collector, it.Source, it.Config, it.Name
	f.ExitCode, f.Truncated, f.Reason = out.ExitCode, out.Truncated, brief(out.Reason, it.Source)
	if src.cut {
		f.Truncated, f.Reason = true, fmt.Sprintf("cut after %d bytes", room)
	}
	if !it.ModTime.IsZero() {
		t := it.ModTime.UTC().Truncate(time.Second)
		f.ModTime = &t
	}
	f.DurationMS = d.o.Now().Sub(start).Milliseconds()
	d.files = append(d.files, f)
	d.bytes += f.Size
	return f, nil
}

func (d *Draft) miss(collector string, it *Item, state State, reason string) {
	if state == "" {
		state = Absent
	}
	d.missing = append(d.missing, Missing{Collector: collector, Name: it.Name, Source: it.Source, State: state, Reason: brief(reason, it.Source)})
}

// brief shortens a reason: the path stands beside it already, and a file that
// is called like a secret would take the words behind it with it.
func brief(reason, source string) string {
	const most = 300
	if strings.HasPrefix(source, "/") {
		reason = strings.Replace(reason, source, "it", 1)
	}
	if len(reason) > most {
		reason = strings.ToValidUTF8(reason[:most], "") + "..."
	}
	return reason
}

// copy sanitizes src into a new spool file. On an error no file is left.
func (d *Draft) copy(ctx context.Context, engine sanitize.Engine, src *source, sf sanitize.File) (*spooled, sanitize.Result, error) {
	file, err := d.spool.create()
	if err != nil {
		return nil, sanitize.Result{}, errors.Join(errSpool, err)
	}
	var raw *rawCopy
	if d.raw != nil && !sf.Again {
		raw = d.keepRaw()
		src.raw = raw
	}
	type done struct {
		res sanitize.Result
		err error
	}
	dst := &sink{f: file, h: sha256.New()}
	ch := make(chan done, 1)
	go func() {
		res, err := engine.Copy(ctx, dst, src, sf)
		ch <- done{res, err}
	}()
	var end done
	select {
	case end = <-ch:
	case <-ctx.Done():
		src.r.Close()
		select {
		case end = <-ch:
		case <-time.After(patience):
			// The read hangs in the kernel. Its goroutine keeps the file,
			// which has no name any more, and nobody waits for it.
			os.Remove(file.Name())
			return nil, sanitize.Result{}, context.Cause(ctx)
		}
	}
	kept := raw.close()
	cerr := file.Close()
	switch {
	case dst.err != nil:
		err = errors.Join(errSpool, asSpaceError(d.spool.dir, dst.err, d.o.Limits.Reserve))
	case src.err != nil:
		err = fmt.Errorf("read: %w", src.err)
	case end.err != nil:
		err = fmt.Errorf("sanitize: %w", end.err)
	case cerr != nil:
		err = errors.Join(errSpool, asSpaceError(d.spool.dir, cerr, d.o.Limits.Reserve))
	}
	f := &spooled{disk: file.Name(), raw: kept}
	if err != nil {
		f.remove()
		return nil, end.res, err
	}
	f.Size, f.SHA256 = dst.n, hex.EncodeToString(dst.h.Sum(nil))
	return f, end.res, nil
}

func isSpace(err error) bool {
	var s *SpaceError
	return errors.As(err, &s)
}

// source reads an item up to its limit and remembers what went wrong, so that
// a reader's error is told from a sanitizer's.
type source struct {
	r    io.ReadCloser
	room int64 // bytes that may still be read, -1 for all
	cut  bool
	err  error
	raw  *rawCopy // nil: what is read is not kept
}

func (s *source) Read(p []byte) (int, error) {
	if s.room == 0 {
		var one [1]byte
		if n, _ := io.ReadFull(s.r, one[:]); n > 0 {
			s.cut = true
		}
		return 0, io.EOF
	}
	if s.room > 0 && int64(len(p)) > s.room {
		p = p[:s.room]
	}
	n, err := s.r.Read(p)
	s.raw.write(p[:max(n, 0)])
	if s.room > 0 {
		s.room -= int64(n)
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// sink writes to the spool, hashes and counts.
type sink struct {
	f   *os.File
	h   hash.Hash
	n   int64
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	s.h.Write(p[:n])
	s.n += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}
