package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
)

// Options are what a sender is made of.
type Options struct {
	Queue  *Queue
	System *identity.System
	Vendor identity.Vendor // where to, and whom to believe
	Dial   client.DialFunc // the transport plugin's; nil: plain TCP
	// Trust alters the client, for customers who inspect TLS; may be nil.
	Trust func(*client.Client) (*client.Client, error)
	Audit audit.Recorder
	Actor string // on whose behalf, for the audit log
	Log   *slog.Logger

	Rate     int64                   // bytes a second; 0: no limit
	Progress func(sent, total int64) // may be nil; called often, from another goroutine
	// Patience is for how long nothing need move before Send gives up and
	// leaves the bundle in the queue. 0 means two minutes.
	Patience time.Duration

	backoff func(failures int) time.Duration // for tests
}

// Sender delivers bundles to one relay.
type Sender struct {
	o      Options
	client *client.Client
	warned bool
}

// QueuedError says that a bundle is not delivered yet and remains queued.
type QueuedError struct {
	ID  string
	Err error // why
}

func (e *QueuedError) Error() string {
	return fmt.Sprintf("bundle %s is not delivered yet and remains queued: %v", e.ID, e.Err)
}

// Hint says how it is sent later.
func (e *QueuedError) Hint() string {
	hint := "send it later with: send-bundle queue retry " + e.ID
	var h interface{ Hint() string }
	if errors.As(e.Err, &h) && h.Hint() != "" {
		return h.Hint() + "; " + hint
	}
	return hint
}

func (e *QueuedError) Unwrap() error { return e.Err }

// ExitCode is 5, not delivered yet, unless the reason has a code of its own.
func (e *QueuedError) ExitCode() int {
	var c interface{ ExitCode() int }
	if errors.As(e.Err, &c) {
		return c.ExitCode()
	}
	return 5
}

const (
	defaultPatience = 2 * time.Minute
	stallTime       = 45 * time.Second
	// The relay reads a finished upload back before it answers; this is how
	// slow a disk we wait for, in bytes a second.
	relayRate = 10 << 20
)

// NewSender makes a sender; it connects when it sends.
func NewSender(o Options) (*Sender, error) {
	c, err := client.ForSystem(o.System, o.Vendor, o.Dial)
	if err != nil {
		return nil, err
	}
	if o.Trust != nil {
		if c, err = o.Trust(c); err != nil {
			return nil, err
		}
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.backoff == nil {
		o.backoff = backoff
	}
	return &Sender{o: o, client: c}, nil
}

// Close ends idle connections.
func (s *Sender) Close() { s.client.Close() }

// backoff is exponential with full jitter, from a second to thirty.
func backoff(failures int) time.Duration {
	ceiling := min(time.Second<<min(failures, 10), 30*time.Second)
	return time.Duration(rand.Int64N(int64(ceiling))) + 50*time.Millisecond
}

// Send delivers one bundle of the queue. While it runs, others cannot.
func (s *Sender) Send(ctx context.Context, id string) (Sent, error) {
	unlock, err := s.o.Queue.hold(id)
	if err != nil {
		return Sent{}, err
	}
	defer unlock()
	it, err := s.o.Queue.Get(id)
	if err != nil {
		return Sent{}, err
	}
	it.Attempts++
	it.Tried = time.Now().UTC().Truncate(time.Second)
	if it.RSS != s.o.Vendor.RSS {
		it.RSS, it.Upload = s.o.Vendor.RSS, ""
	}
	sent, err := s.deliver(ctx, &it)
	if err != nil {
		it.Error = err.Error()
		return Sent{}, &QueuedError{ID: id, Err: errors.Join(err, s.o.Queue.update(it))}
	}
	return sent, s.o.Queue.remove(id)
}

// deliver uploads, and records the delivery before the bundle may go.
func (s *Sender) deliver(ctx context.Context, it *Item) (Sent, error) {
	f, err := s.o.Queue.open(*it)
	if err != nil {
		return Sent{}, err
	}
	defer f.Close()
	receipt, err := s.persist(ctx, it, f)
	if err != nil {
		return Sent{}, err
	}
	sent := Sent{Item: *it, Bundle: it.Upload, Receipt: receipt}
	sent.Item.Error = ""
	if err := s.o.Queue.settle(sent); err != nil {
		return Sent{}, err
	}
	_, err = s.o.Audit.Append(audit.Event{Type: audit.BundleSent, Actor: s.o.Actor, Subject: it.ID, Detail: map[string]string{
		"rss": s.o.Vendor.RSS, "bundle": it.Upload, "sha256": it.SHA256, "bytes": strconv.FormatInt(it.Size, 10)}})
	return sent, err
}

// persist tries until the receipt is there, the failure is final, or nothing
// has moved for as long as patience lasts.
func (s *Sender) persist(ctx context.Context, it *Item, f io.ReaderAt) (api.SignedReceipt, error) {
	moved, failures, best, anew := time.Now(), 0, int64(-1), false
	for {
		receipt, at, err := s.attempt(ctx, it, f)
		s.warnOfSkew()
		if err == nil {
			return receipt, nil
		}
		// A relay that lost power may have kept blocks that were never
		// written, and finds out at the end. Here the bytes are good.
		if arrivedWrong(err) && !anew {
			s.o.Log.Warn("the bundle arrived damaged, sending it anew", "bundle", it.ID, "error", err)
			anew, best, it.Upload = true, -1, ""
			continue
		}
		if ctx.Err() != nil {
			return api.SignedReceipt{}, errors.Join(context.Cause(ctx), ignoreCancel(err))
		}
		if !client.Temporary(err) {
			return api.SignedReceipt{}, err
		}
		if at > best {
			moved, failures, best = time.Now(), 0, at
		}
		wait := s.o.backoff(failures)
		failures++
		if time.Since(moved)+wait > s.o.Patience {
			return api.SignedReceipt{}, err
		}
		s.o.Log.Info("delivery interrupted, going on", "bundle", it.ID, "at", at, "of", it.Size, "wait", wait.Round(time.Millisecond), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// ignoreCancel drops the echo of the context's own end.
func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// attempt goes through the protocol once. It also returns how many bytes the
// relay is known to have, to tell progress from running in place.
func (s *Sender) attempt(ctx context.Context, it *Item, f io.ReaderAt) (api.SignedReceipt, int64, error) {
	at, err := s.resume(ctx, it)
	if err != nil {
		return api.SignedReceipt{}, at, err
	}
	if at < it.Size {
		if at, err = s.upload(ctx, it, f, at); err != nil {
			return api.SignedReceipt{}, at, err
		}
		if at < it.Size {
			return api.SignedReceipt{}, at, api.Errorf(http.StatusConflict, api.CodeOffsetMismatch, "relay %s has %d of %d bytes", s.o.Vendor.RSS, at, it.Size)
		}
	}
	receipt, err := s.receipt(ctx, *it)
	return receipt, at, err
}

// resume finds out where the upload stands, and begins one where there is none
// (any more).
func (s *Sender) resume(ctx context.Context, it *Item) (int64, error) {
	if it.Upload != "" {
		at, err := offset(ctx, s.client, it.Upload, it.Size)
		var e *api.Error
		if !errors.As(err, &e) || e.Code != api.CodeNotFound {
			return at, err
		}
	}
	meta := map[string]string{api.MetaSHA256: it.SHA256, api.MetaFilename: it.Filename, api.MetaAnchor: it.Anchor, api.MetaCase: it.Case}
	id, err := createUpload(ctx, s.client, it.Size, meta)
	if err != nil {
		return -1, err
	}
	it.Upload = id
	if err := s.o.Queue.update(*it); err != nil {
		return -1, err
	}
	return offset(ctx, s.client, id, it.Size)
}

func (s *Sender) upload(ctx context.Context, it *Item, f io.ReaderAt, at int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := &client.ConnectError{Address: s.o.Vendor.RSS, What: "it has taken no data for a while"}
	stall := time.AfterFunc(stallTime, func() { cancel(stalled) })
	defer stall.Stop()
	body := &watched{ctx: ctx, r: io.NewSectionReader(f, at, it.Size-at), at: at, rate: s.o.Rate, stall: stall, patience: stallTime,
		last: stallTime + time.Duration(it.Size/relayRate)*time.Second, start: time.Now()}
	if s.o.Progress != nil {
		body.progress = func(at int64) { s.o.Progress(at, it.Size) }
	}
	done, err := appendFrom(ctx, s.client, it.Upload, at, it.Size, body)
	if err != nil {
		if arrivedWrong(err) {
			err = s.o.Queue.blame(*it, err)
		}
		if errors.Is(context.Cause(ctx), stalled) {
			err = stalled
		}
		return at, err
	}
	if s.o.Progress != nil {
		s.o.Progress(done, it.Size)
	}
	return done, nil
}

// blame finds out whether bytes that did not arrive as announced were wrong
// here already.
func (q *Queue) blame(it Item, err error) error {
	sum, _, hashErr := hashFile(q.Path(it))
	if hashErr == nil && sum != it.SHA256 {
		return fmt.Errorf("the bundle was changed on this disk after it was queued; drop it and make a new one (%v)", err)
	}
	return err
}

// arrivedWrong recognizes a relay that got other bytes than were announced.
func arrivedWrong(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == api.CodeHashMismatch
}

// warnOfSkew says once that one of the two clocks is wrong. Nothing relies on
// this machine's, but its logs do.
func (s *Sender) warnOfSkew() {
	if skew := s.client.Skew(); skew.Abs() > client.MaxSkew && !s.warned {
		s.warned = true
		s.o.Log.Warn("this machine's clock and the relay's differ", "relay", s.o.Vendor.RSS, "by", skew.Round(time.Second))
	}
}

// receipt fetches the receipt and checks every word of it.
func (s *Sender) receipt(ctx context.Context, it Item) (api.SignedReceipt, error) {
	var signed api.SignedReceipt
	if err := s.client.JSON(ctx, http.MethodGet, api.ReceiptPath(it.Upload), nil, true, nil, &signed); err != nil {
		return api.SignedReceipt{}, err
	}
	key, err := s.o.Vendor.ReceiptPublicKey()
	if err != nil {
		return api.SignedReceipt{}, err
	}
	r, err := signed.Verify(key)
	if err == nil {
		err = r.Covers(s.o.System.ID(), it.SHA256, it.Size)
	}
	if err != nil {
		return api.SignedReceipt{}, &ReceiptError{Err: err}
	}
	return signed, nil
}

// ReceiptError says that what the relay calls a receipt is none for this
// bundle.
type ReceiptError struct{ Err error }

func (e *ReceiptError) Error() string { return "the relay's receipt does not hold: " + e.Err.Error() }
func (e *ReceiptError) Unwrap() error { return e.Err }

// ExitCode is 4: a check did not hold.
func (e *ReceiptError) ExitCode() int { return 4 }
