package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

const (
	// DefaultChannels is how many SSH channels are used at once.
	DefaultChannels = 8
	// perChannel is how many pieces are under way on a channel, so that the
	// next begins while the last bytes of one are still on the line.
	perChannel = 2
	pieceSize  = 2 << 20
	// largeFile and what is above travels in pieces and can be gone on with.
	largeFile  = 4 * pieceSize
	partSuffix = ".latchstring-part"
)

// Options say how to copy.
type Options struct {
	Channels  int    // 0: DefaultChannels
	Journals  string // directory on the workstation; empty: interrupted transfers begin anew
	Scope     string // what tells one system from another there: its id
	Recursive bool
	Preserve  bool // modification times
}

// Transfer copies over one SSH connection. After a Run that failed it is of no
// more use.
type Transfer struct {
	o      Options
	client *ssh.Client

	mu     sync.Mutex
	sides  []remote // the first one is there from the beginning
	closed bool

	done  atomic.Int64 // bytes
	files atomic.Int64
}

// Result is what was done.
type Result struct {
	Files    int   `json:"files"`
	Bytes    int64 `json:"bytes"`
	Resumed  int64 `json:"resumed,omitempty"`  // bytes of earlier attempts
	Compared int   `json:"compared,omitempty"` // large files whose SHA-256 is the same on both sides
	// Uncompared are large files that could not be compared, because the
	// system's policy allows no command to do it.
	Uncompared []string `json:"uncompared,omitempty"`
	Skipped    []string `json:"skipped,omitempty"`
}

// New opens the first channel.
func New(client *ssh.Client, o Options) (*Transfer, error) {
	if o.Channels <= 0 {
		o.Channels = DefaultChannels
	}
	t := &Transfer{o: o, client: client}
	return t, t.open()
}

func (t *Transfer) open() error {
	s, err := t.channel()
	if err == nil {
		t.add(s)
	}
	return err
}

// first is the channel for everything but the bytes of files.
func (t *Transfer) first() remote {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sides[0]
}

// add keeps a channel to be closed with the others.
func (t *Transfer) add(s remote) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		s.c.Close()
		return false
	}
	t.sides = append(t.sides, s)
	return true
}

func (t *Transfer) channel() (remote, error) {
	c, err := sftp.NewClient(t.client, sftp.UseConcurrentReads(true), sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(64))
	if err == nil {
		return remote{c}, nil
	}
	var open *ssh.OpenChannelError
	if errors.As(err, &open) {
		return remote{}, &RefusedError{open.Message}
	}
	if errors.Is(err, io.EOF) {
		return remote{}, errors.New("the connection to the system ended")
	}
	return remote{}, &RefusedError{}
}

// RefusedError is the system's no to file transfers.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string {
	if e.Why == "" {
		return "the system's policy does not allow file transfers"
	}
	return "the system does not allow file transfers: " + e.Why
}

// ExitCode is that of a refusal by policy.
func (e *RefusedError) ExitCode() int { return 3 }

// Close closes the channels.
func (t *Transfer) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, s := range t.sides {
		s.c.Close()
	}
}

// Upload finds what is to be copied to the system.
func (t *Transfer) Upload(ctx context.Context, sources []string, target string) (*Plan, error) {
	p, err := plan(ctx, local{}, t.first(), sources, target, t.o.Recursive)
	if p != nil {
		p.upload = true
	}
	return p, err
}

// Download finds what is to be copied from the system. Sources may be patterns
// as of a shell.
func (t *Transfer) Download(ctx context.Context, sources []string, target string) (*Plan, error) {
	var all []string
	for _, s := range sources {
		found, err := t.expand(s)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return plan(ctx, t.first(), local{}, all, target, t.o.Recursive)
}

func (t *Transfer) expand(name string) ([]string, error) {
	if _, err := t.first().Stat(name); err == nil || !hasPattern(name) {
		if path.Base(name) == "." || path.Base(name) == ".." {
			if real, err := t.first().c.RealPath(name); err == nil {
				name = real
			}
		}
		return []string{name}, nil
	}
	found, err := t.first().c.Glob(name)
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", name, plain(err))
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("look for %s: nothing is there", name)
	}
	return found, nil
}

func hasPattern(name string) bool {
	for _, r := range name {
		if r == '*' || r == '?' || r == '[' {
			return true
		}
	}
	return false
}

// Progress is how many bytes and files are done.
func (t *Transfer) Progress() (bytes int64, files int) { return t.done.Load(), int(t.files.Load()) }

// Run does what was planned. What is interrupted can be run again: large files
// go on where they were.
func (t *Transfer) Run(ctx context.Context, p *Plan) (Result, error) {
	r := &run{t: t, p: p, result: Result{Files: p.Files, Bytes: p.Bytes, Skipped: p.Skipped}}
	sweep(t.o.Journals, time.Now())
	var files []item
	for _, it := range p.items {
		if !it.dir {
			files = append(files, it)
		} else if err := p.to.MakeDir(it.to, it.mode); err != nil {
			return r.result, fmt.Errorf("make directory %s: %w", it.to, plain(err))
		}
	}
	want := 0
	for _, it := range files {
		want += int(min(pieces(it.size, pieceSize), int64(t.o.Channels*perChannel)))
	}
	err := r.all(ctx, files, min(t.o.Channels, (want+perChannel-1)/perChannel))
	return r.result, err
}

// run is one Run.
type run struct {
	t *Transfer
	p *Plan

	mu     sync.Mutex
	result Result
}

// work is a small file, or a piece of a large one.
type work struct {
	it    item
	large *large // nil: the whole file
	n     int64
}

func (r *run) all(ctx context.Context, files []item, channels int) error {
	outer := ctx
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan work)
	g.Go(func() error {
		defer close(queue)
		for _, it := range files {
			if err := r.feed(ctx, it, queue); err != nil {
				return err
			}
		}
		return nil
	})
	work := func(s remote) {
		for range perChannel {
			g.Go(func() error {
				buf := make([]byte, pieceSize)
				for w := range queue {
					if err := r.do(ctx, s, w, buf); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	work(r.t.first())
	for range channels - 1 {
		// Each joins when it is open. Fewer do as well: policy may limit how
		// many a connection has.
		g.Go(func() error {
			if s, err := r.t.channel(); err == nil && r.t.add(s) {
				work(s)
			}
			return nil
		})
	}
	// A blocked read or write on a channel only ends with the channel.
	stopOuter := context.AfterFunc(outer, r.t.Close)
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			r.t.Close()
		}
	})
	err := g.Wait()
	stop()
	stopOuter()
	if outer.Err() != nil {
		return outer.Err()
	}
	return err
}

func (r *run) feed(ctx context.Context, it item, queue chan<- work) error {
	if it.size < largeFile {
		return put(ctx, queue, work{it: it})
	}
	l, err := r.begin(it)
	if err != nil {
		return err
	}
	for n := range pieces(it.size, pieceSize) {
		if l.j.has(n) {
			continue
		}
		if err := put(ctx, queue, work{it, l, n}); err != nil {
			return err
		}
	}
	if l.left.Load() == 0 { // all of it was there
		return put(ctx, queue, work{it, l, -1})
	}
	return nil
}

func put(ctx context.Context, queue chan<- work, w work) error {
	select {
	case queue <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ends of a copy over one channel.
func (r *run) ends(s remote) (from, to side) {
	if r.p.upload {
		return local{}, s
	}
	return s, local{}
}

func (r *run) do(ctx context.Context, s remote, w work, buf []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.large == nil {
		if err := r.small(s, w.it, buf); err != nil {
			return fmt.Errorf("copy %s: %w", w.it.from, plain(err))
		}
		return nil
	}
	last, err := w.large.piece(r, s, w.n, buf)
	if err == nil && last {
		err = w.large.finish(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", w.it.from, plain(err))
	}
	return nil
}

// small copies a whole file on one channel.
func (r *run) small(s remote, it item, buf []byte) (err error) {
	a, b := r.ends(s)
	src, err := a.Open(it.from, false, false, 0)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := b.Open(it.to, true, true, it.mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", it.to, plain(err))
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	for at := int64(0); at < it.size; {
		n := min(int64(len(buf)), it.size-at)
		if err := move(src, dst, buf[:n], at); err != nil {
			return err
		}
		at += n
		r.t.done.Add(n)
	}
	r.t.files.Add(1)
	return r.times(b, it.to, it)
}

func (r *run) times(to side, name string, it item) error {
	modified := it.modified
	if !r.t.o.Preserve {
		modified = time.Now()
	}
	if err := to.Times(name, it.mode, modified); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("set mode and time of %s: %w", name, plain(err))
	}
	return nil
}

var errShorter = errors.New("it became shorter while it was copied")

func move(src io.ReaderAt, dst io.WriterAt, b []byte, at int64) error {
	n, err := src.ReadAt(b, at)
	if n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			return errShorter
		}
		return err
	}
	_, err = dst.WriteAt(b, at)
	return err
}
