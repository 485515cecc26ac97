package bundler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/core/disable/goodbye"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/inspectors"
	"github.com/latchstring/latchstring/core/route/sealed"
)

// Delivery says how a queued bundle is sent.
type Delivery struct {
	RSS      string                  // another relay than the enrolled one, host[:port]
	Route    route.Route             // the way there; the zero value is the direct one
	Patience time.Duration           // how long nothing need move; 0 for the default of core/deliver
	Rate     int64                   // bytes a second at most; 0 for as fast as it goes
	Progress func(sent, total int64) // may be nil
}

// Delivered is a bundle that the relay has, with the proof.
type Delivered struct {
	ID      string            `json:"id"`     // in our queue
	Bundle  string            `json:"bundle"` // at the relay
	RSS     string            `json:"rss"`
	Receipt api.Receipt       `json:"receipt"`
	Signed  api.SignedReceipt `json:"signed_receipt"`
}

// Queue opens the bundles that wait for delivery.
func (b *Bundler) Queue() (*deliver.Queue, error) { return deliver.OpenQueue(b.p.Root.Queue()) }

// LastDelivered is when the last bundle was begun that the relay has; the zero
// time when there is none.
func (b *Bundler) LastDelivered() (time.Time, error) {
	q, err := b.Queue()
	if err != nil {
		return time.Time{}, err
	}
	all, err := q.Receipts()
	var last time.Time
	for _, s := range all {
		if s.Item.Began.After(last) {
			last = s.Item.Began
		}
	}
	return last, err
}

// enqueue hands a sealed bundle over to the queue and records both.
func (b *Bundler) enqueue(path string, m *Made, asked *Granted, created audit.Record) (string, error) {
	q, err := b.Queue()
	if err != nil {
		return "", err
	}
	it, err := q.Add(path, deliver.Info{Filename: m.Name, Case: asked.caseOf(), Anchor: fmt.Sprintf("%d %s", created.Seq, created.Hash), Began: m.Manifest.Created})
	if err != nil {
		return "", err
	}
	if it.SHA256 != m.SHA256 {
		return "", errors.Join(fmt.Errorf("the bundle in the queue has another hash than the one that was sealed: %s, not %s", it.SHA256, m.SHA256), q.Drop(it.ID))
	}
	m.Path = q.Path(it)
	_, err = b.record(audit.BundleQueued, it.ID, map[string]string{"bundle": m.Name, "sha256": it.SHA256, "bytes": strconv.FormatInt(it.Size, 10)})
	return it.ID, err
}

// Deliver sends a bundle of the queue through the transport plugin. While it is
// not delivered the error is a *deliver.QueuedError, and nothing is lost.
func (b *Bundler) Deliver(ctx context.Context, id string, d Delivery) (_ *Delivered, err error) {
	q, err := b.Queue()
	if err != nil {
		return nil, err
	}
	it, err := q.Get(id)
	if err != nil {
		return nil, err
	}
	vendor, err := b.p.System.Vendor()
	if errors.Is(err, identity.ErrNotEnrolled) {
		return nil, &NotEnrolledError{}
	}
	if err != nil {
		return nil, err
	}
	begun := it.RSS
	if it.Upload == "" {
		begun = "" // that relay was never reached
	}
	// An upload that was begun goes on where it is.
	vendor.RSS = api.WithPort(cmp.Or(d.RSS, begun, vendor.RSS))
	if err := route.CheckRelay(vendor.RSS); err != nil {
		return nil, err
	}
	if _, err := b.ask(policy.BundleSend, policy.Facts{policy.RSS: vendor.RSS, policy.Bytes: strconv.FormatInt(it.Size, 10)}); err != nil {
		return nil, err
	}
	if d.Route.Transport == "" {
		if d.Route, err = route.Parse(route.Options{}); err != nil {
			return nil, err
		}
	}
	if d.Route, err = d.Route.To(vendor.RSS, sealed.Open(b.p.Root)); err != nil {
		return nil, err
	}
	transport, err := b.p.Host.Transport(d.Route.Transport, d.Route.Use("bundle"))
	if err != nil {
		return nil, err
	}
	defer transport.Close()
	b.sayGoodbye(ctx, vendor, transport.DialContext)
	sender, err := deliver.NewSender(deliver.Options{
		Queue: q, System: b.p.System, Vendor: vendor, Dial: transport.DialContext,
		Trust: func(c *client.Client) (*client.Client, error) { return inspectors.Client(b.p.Root, c) },
		Audit: b.p.Audit, Actor: b.p.Actor, Log: b.p.Log, Patience: d.Patience, Rate: d.Rate, Progress: d.Progress,
	})
	if err != nil {
		return nil, &deliver.QueuedError{ID: id, Err: err}
	}
	defer sender.Close()
	sent, err := sender.Send(ctx, id)
	if err != nil {
		return nil, err
	}
	key, err := vendor.ReceiptPublicKey()
	if err != nil {
		return nil, err
	}
	receipt, err := sent.Receipt.Verify(key)
	if err != nil {
		return nil, err
	}
	return &Delivered{ID: id, Bundle: sent.Bundle, RSS: vendor.RSS, Receipt: receipt, Signed: sent.Receipt}, nil
}

// sayGoodbye tells the relay, on the way, that remote access was disabled for
// good here, if that is so and it was not reached so far. It does not hold up
// the bundle.
func (b *Bundler) sayGoodbye(ctx context.Context, vendor identity.Vendor, dial client.DialFunc) {
	ctx, cancel := context.WithTimeout(ctx, goodbyeWithin)
	defer cancel()
	told, err := goodbye.Tell(ctx, b.p.Root, b.p.System, vendor, dial)
	if told {
		_, rerr := b.record(audit.SealTold, b.p.System.ID(), map[string]string{"rss": vendor.RSS})
		err = errors.Join(err, rerr)
	}
	if err != nil {
		b.p.Log.Warn("the next bundle tries again", "error", err)
	}
}

const goodbyeWithin = 30 * time.Second

// Drop removes a bundle that was not delivered.
func (b *Bundler) Drop(id string) error {
	q, err := b.Queue()
	if err != nil {
		return err
	}
	it, err := q.Get(id)
	if err != nil {
		return err
	}
	// First the record: what is gone cannot be recorded any more.
	if _, err := b.record(audit.BundleDropped, id, map[string]string{"bundle": it.Filename, "sha256": it.SHA256}); err != nil {
		return err
	}
	return q.Drop(id)
}
