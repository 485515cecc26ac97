package side

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/latchstring/latchstring/core/record"
)

// EndWait is how long the engineer's program has to sign the end.
const EndWait = 2 * time.Second

// tellEvery is how often heads are told.
const tellEvery = time.Second

// Stream is package resume's, as far as it is needed here.
type Stream interface {
	Send(kind byte, p []byte) error
	Lost() <-chan struct{}
}

// Heads is the system's part for one recording.
type Heads struct {
	rec   *record.Recording
	log   *slog.Logger
	plain chan Counter // to be checked
	ends  chan Counter
	wait  time.Duration
}

// NewHeads makes it. What the engineer's program signs wrongly goes into the log.
func NewHeads(rec *record.Recording, log *slog.Logger) *Heads {
	return &Heads{rec: rec, log: log, plain: make(chan Counter, 4), ends: make(chan Counter, 1), wait: EndWait}
}

// Side takes what the engineer's program says beside the stream. It does not
// wait: what comes faster than it can be checked is left out.
func (h *Heads) Side(kind byte, p []byte) {
	if kind != KindWitness {
		return
	}
	c, err := ParseCounter(p)
	if err != nil {
		return
	}
	to := h.plain
	if c.End {
		to = h.ends
	}
	select {
	case to <- c:
	default:
	}
}

// Tell tells the heads of the recording, and checks what comes back, until ctx
// ends.
func (h *Heads) Tell(ctx context.Context, s Stream) {
	t := time.NewTicker(tellEvery)
	defer t.Stop()
	var told record.Head
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-h.plain:
			h.take(c)
		case <-t.C:
			if head := h.rec.Head(); head.Hash != "" && head != told && s.Send(KindHead, EncodeHead(head)) == nil {
				told = head
			}
		}
	}
}

func (h *Heads) take(c Counter) {
	if err := h.rec.Witness(c.Head, c.Signature); err != nil && !errors.Is(err, record.ErrClosed) {
		h.log.Info("a counter-signature of the engineer's client does not hold", "error", err)
	}
}

// Close ends the recording, with the engineer's signature of its end if that can
// be had. Nobody may record any more.
func (h *Heads) Close(s Stream, reason string) (record.Summary, error) {
	if head, err := h.rec.Finish(reason); err == nil {
		if err := h.end(s, head); err != nil {
			h.rec.Unwitnessed(err.Error())
		}
	}
	return h.rec.Close(reason)
}

// Why an end is not signed. The words stand in recordings and passports.
var (
	errGone   = errors.New("the engineer's client was gone")
	errForged = errors.New("what the engineer's client signed does not hold")
)

func (h *Heads) end(s Stream, head record.Head) error {
	for {
		select {
		case c := <-h.plain: // the last one of these, should the end stay away
			h.take(c)
			continue
		default:
		}
		break
	}
	lost := s.Lost()
	if err := s.Send(KindEnd, EncodeHead(head)); err != nil {
		return errGone
	}
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case c := <-h.ends:
		if err := h.rec.WitnessEnd(c.Head, c.Signature); err != nil {
			h.log.Warn("the counter-signature of the end does not hold", "error", err)
			return errForged
		}
		return nil
	case <-lost:
		return errGone
	case <-timer.C:
		return fmt.Errorf("the engineer's client did not answer within %s", h.wait)
	}
}
