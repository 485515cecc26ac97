package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// Shipper sends sealed segments to the relay. The recordings are its queue:
// beside each stands how many of its segments have arrived, so that a restart
// goes on where it was and nothing is dropped. It never holds a recording up.
type Shipper struct {
	dir    string
	upload UploadFunc
	log    *slog.Logger
	wake   chan struct{}

	// Rest, unless nil, is called when there is nothing to send for the moment, or
	// nothing can be.
	Rest func()

	done map[string]bool // recordings that are there whole

	first, longest time.Duration // back-off
}

// UploadFunc sends the segment in s.Path. It must count a segment that is there
// already, with the same content, as sent: the answer to an earlier attempt may
// have been lost. An error is tried again, later and later.
type UploadFunc func(ctx context.Context, s Segment) error

// NewShipper makes a shipper of the recordings in dir. Run runs it.
func NewShipper(dir string, upload UploadFunc, log *slog.Logger) *Shipper {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Shipper{dir: dir, upload: upload, log: log, wake: make(chan struct{}, 1), done: map[string]bool{}, first: time.Second, longest: 5 * time.Minute}
}

// Wake says that there may be something to send, or that the link is up
// again: [Options.Ship] and the tunnel call it.
func (s *Shipper) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends what is there and what comes, until ctx ends. It returns the
// error of ctx.
func (s *Shipper) Run(ctx context.Context) error {
	wait := s.first
	for {
		err := s.Pass(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			wait = s.first
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-s.wake:
			}
			continue
		}
		s.log.Info("recordings wait to be sent", "err", err, "again", wait)
		t := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		wait = min(2*wait, s.longest)
	}
}

// Pass sends once what there is, each recording in order. One recording that
// cannot be sent does not keep the others from it. Passes do not run at the
// same time.
func (s *Shipper) Pass(ctx context.Context) error {
	if s.Rest != nil {
		defer s.Rest()
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("send recordings: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || !ValidID(e.Name()) || s.done[e.Name()] {
			continue
		}
		whole, err := s.recording(ctx, filepath.Join(s.dir, e.Name()))
		if err != nil {
			errs = append(errs, err)
		}
		if whole {
			s.done[e.Name()] = true
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

// recording sends what is new of one; it reports whether that was the end.
func (s *Shipper) recording(ctx context.Context, dir string) (whole bool, err error) {
	n := shipped(dir)
	said, sent := n, n
	say := func() error {
		if said == sent {
			return nil
		}
		said = sent
		return setShipped(dir, sent)
	}
	defer func() { err = errors.Join(err, say()) }()
	if n > 0 {
		n-- // look at the last one again: was it the closing one?
	}
	for ; ; n++ {
		path := filepath.Join(dir, segmentName(n, sealedExt))
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return whole, nil
		}
		seg, err := readSegment(dir, n)
		if err != nil {
			return false, fmt.Errorf("send recording %s: %w", filepath.Base(dir), err)
		}
		whole = seg.End != nil
		if n < sent {
			continue
		}
		if err := s.upload(ctx, Segment{Head: seg.head(), Path: path, Size: seg.size(), Final: whole}); err != nil {
			return false, fmt.Errorf("send recording %s, segment %d: %w", filepath.Base(dir), n, err)
		}
		if sent = n + 1; sent-said >= shippedEvery {
			if err := say(); err != nil {
				return false, err
			}
		}
	}
}

// shippedEvery is after how many segments that is written down while there are
// more.
const shippedEvery = 16

func shippedPath(dir string) string { return filepath.Join(dir, "shipped") }

// shipped is how many segments have arrived. A file that says nothing sensible
// counts as none: sending twice does no harm.
func shipped(dir string) int {
	b, err := os.ReadFile(shippedPath(dir))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func setShipped(dir string, n int) error {
	return durable.WriteFile(shippedPath(dir), []byte(strconv.Itoa(n)+"\n"))
}
