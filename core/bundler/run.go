package bundler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/age"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/relay/api"
)

// Run is a collected bundle that is not sealed yet: the moment to look at what
// would leave. It must be closed.
type Run struct {
	b      *Bundler
	req    Request
	vendor identity.Vendor
	draft  *bundle.Draft
	engine *Engine
	to     []age.Recipient
	packed []string // files that were rewritten when it was sealed last
}

// Made is a sealed bundle.
type Made struct {
	bundle.Sealed
	Name     string          `json:"name"`
	Queued   string          `json:"id,omitempty"` // its id in the queue, when it is to be sent
	Manifest bundle.Manifest `json:"manifest"`
	Hidden   int             `json:"hidden"` // secrets and identifiers, by the report
}

// Collect asks policy and the collectors, and spools what they hand over.
func (b *Bundler) Collect(ctx context.Context, req Request) (_ *Run, err error) {
	r, err := b.prepare(&req)
	if err != nil {
		return nil, err
	}
	c, err := b.choose(ctx, &r.req)
	if err != nil {
		return nil, err
	}
	o, err := r.options(c)
	if err != nil {
		return nil, err
	}
	far := r.startMachines(ctx)
	defer far.stop()
	collectors, done := b.collectors(ctx, c.names, r.req.Asked)
	defer done()
	r.estimate(&o, c.names)
	if r.draft, err = bundle.Collect(ctx, collectors, o); err != nil {
		return nil, b.failed(err)
	}
	if err := r.gather(ctx, far); err != nil {
		return nil, errors.Join(b.failed(err), r.draft.Close())
	}
	if err := b.remember(r.draft); err != nil {
		b.p.Log.Warn("how long it took is not remembered", "error", err)
	}
	r.withhold(r.req.Withhold)
	return r, nil
}

// prepare checks the request and asks policy for what can be known before
// anything is collected.
func (b *Bundler) prepare(req *Request) (*Run, error) {
	if err := req.complete(); err != nil {
		return nil, err
	}
	if _, err := b.ask(policy.BundleCreate, nil); err != nil {
		return nil, err
	}
	r := &Run{b: b, req: *req}
	if !req.NoEncrypt {
		v, err := b.p.System.Vendor()
		if errors.Is(err, identity.ErrNotEnrolled) {
			return nil, &NotEnrolledError{}
		}
		if err != nil {
			return nil, err
		}
		r.vendor = v
		for _, s := range v.Recipients {
			to, err := age.ParseRecipients(strings.NewReader(s))
			if err != nil {
				return nil, fmt.Errorf("the vendor's recipient cannot be used: %w", err)
			}
			r.to = append(r.to, to...)
		}
	}
	return r, r.mayLeave(0)
}

// mayLeave asks policy whether a bundle of that size may go where it shall.
func (r *Run) mayLeave(size int64) error {
	facts := policy.Facts{policy.Bytes: strconv.FormatInt(size, 10)}
	action := policy.BundleSend
	if r.req.Output != "" {
		action, facts[policy.Path] = policy.BundleWrite, r.req.Output
	} else {
		facts[policy.RSS] = r.destination()
	}
	_, err := r.b.ask(action, facts)
	return err
}

// destination is the relay that the bundle goes to.
func (r *Run) destination() string { return api.WithPort(cmp.Or(r.req.RSS, r.vendor.RSS)) }

// options are those of the pipeline.
func (r *Run) options(c *choice) (bundle.Options, error) {
	b, req := r.b, &r.req
	engine, err := NewEngine(b.p.Root, EngineOptions{
		NoPseudonyms: req.NoPseudonyms, RandomIPs: req.RandomIPs || b.p.Policy.RandomIPs(), Redactions: b.p.Policy.Redactions(), Words: req.Words,
		Key: req.key, Names: req.names, Record: req.record,
	})
	if err != nil {
		return bundle.Options{}, err
	}
	r.engine = engine
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	limits := bundle.DefaultLimits
	if req.MaxBytes > 0 {
		limits.Total, limits.Collector = req.MaxBytes, min(limits.Collector, req.MaxBytes)
	}
	if req.Deadline > 0 {
		limits.Deadline = req.Deadline
	}
	rec := bundle.RequestRecord{Only: req.Only, Skip: req.Skip, Include: req.Include, MaxBytes: req.MaxBytes, DeadlineS: int64(req.Deadline.Seconds())}
	if !req.Since.IsZero() {
		t := req.Since.UTC()
		rec.Since = &t
	}
	return bundle.Options{
		Spool: b.p.Root.Var("spool"), Engine: engine, Signer: b.p.System,
		System: bundle.System{ID: b.p.System.ID(), Host: engine.Host(host)},
		Tool:   bundle.Tool{Name: "send-bundle", Version: b.p.Version},
		Policy: b.p.Policy.Hash(), Pseudonyms: !req.NoPseudonyms, Format: req.Format, Limits: limits,
		Request: bundle.Request{Since: req.Since, Include: req.Include}, Record: rec, Missing: c.missing,
		KeepRaw: req.KeepRaw, Leave: req.Leave, Asked: req.Asked.record(),
		Now: req.Now, Progress: req.Progress,
	}, nil
}

// Files are what the bundle would hold.
func (r *Run) Files() []bundle.File { return r.draft.Files() }

// Missing is what it would not.
func (r *Run) Missing() []bundle.Missing { return r.draft.Missing() }

// Withhold takes files out again.
func (r *Run) Withhold(drop func(bundle.File) bool) { r.draft.Withhold(drop) }

// Close removes the spool.
func (r *Run) Close() error { return r.draft.Close() }

// Machines are the further machines that were asked.
func (r *Run) Machines() []bundle.MachineRecord { return r.draft.Machines() }

// Sanitized opens a file as it would leave.
func (r *Run) Sanitized(path string) (bundle.Content, error) { return r.draft.Sanitized(path) }

// Raw opens what was read for a file, with Request.KeepRaw.
func (r *Run) Raw(path string) (bundle.Content, error) { return r.draft.Raw(path) }

// Hide hides words wherever they stand, also in names and reasons: a rule of
// the user's, at the last minute.
func (r *Run) Hide(ctx context.Context, words []string) (bundle.Hidden, error) {
	more, next, err := r.engine.hide(words)
	if err != nil {
		return bundle.Hidden{}, err
	}
	h, err := r.draft.Hide(ctx, more, next)
	r.engine = next
	return h, err
}

// Finish is [Run.Seal] and [Run.Release].
func (r *Run) Finish(ctx context.Context) (*Made, error) {
	m, err := r.Seal(ctx)
	if err != nil {
		return nil, err
	}
	return m, r.Release(m)
}

// Discard removes a sealed bundle that shall not leave after all.
func (r *Run) Discard(m *Made) error { return os.Remove(m.Path) }

// Rewritten are the files that the final gate had cleaned once more when the
// bundle was sealed: not what the user saw before.
func (r *Run) Rewritten() []string { return r.packed }

// Seal packs, checks, signs and seals. The hash that it tells is that of the
// bytes that [Run.Release] lets go; until then nothing does.
func (r *Run) Seal(ctx context.Context) (*Made, error) {
	packed, err := r.draft.Pack(ctx)
	if err != nil {
		return nil, r.b.failed(err)
	}
	r.packed = packed.Rewritten
	if err := r.engine.Flush(); err != nil {
		return nil, err
	}
	m := &Made{Name: packed.FileName(!r.req.NoEncrypt), Manifest: packed.Manifest}
	for _, n := range packed.Redactions.Rules {
		m.Hidden += n
	}
	path := r.req.Output
	if path == "" {
		path = filepath.Join(packed.Dir(), m.Name)
	}
	sealed, err := packed.Seal(ctx, path, r.to...)
	if err != nil {
		return nil, r.b.failed(err)
	}
	m.Sealed = *sealed
	if err := r.mayLeave(sealed.Size); err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return m, nil
}

// Release records a sealed bundle and lets it go: it then lies where the user
// wanted it, or in the queue. Bytes that are not those that were sealed do not
// leave.
func (r *Run) Release(m *Made) error {
	path, sealed := m.Path, &m.Sealed
	if err := sealed.Check(); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if a := r.req.Asked; a != nil {
		if err := r.b.answer(a, m); err != nil {
			return errors.Join(err, os.Remove(path))
		}
	}
	detail := map[string]string{
		"sha256": sealed.SHA256, "bytes": strconv.FormatInt(sealed.Size, 10), "files": strconv.Itoa(len(m.Manifest.Files)),
		"encrypted": strconv.FormatBool(sealed.Encrypted), "policy": m.Manifest.Policy,
	}
	if r.req.Output != "" {
		detail["path"] = path
	}
	created, err := r.b.record(audit.BundleCreated, m.Name, detail)
	if err != nil {
		// What cannot be recorded must not leave.
		return errors.Join(err, os.Remove(path))
	}
	if r.req.Output == "" {
		m.Queued, err = r.b.enqueue(path, m, r.req.Asked, created)
	}
	return err
}

// failed records why there is no bundle.
func (b *Bundler) failed(err error) error {
	_, rerr := b.record(audit.BundleFailed, "", map[string]string{"error": firstLine(err.Error())})
	return errors.Join(err, rerr)
}

// NotEnrolledError says that there is no vendor to encrypt to.
type NotEnrolledError struct{}

func (e *NotEnrolledError) Error() string {
	return "this system is not enrolled with a vendor, so there is nobody to send a bundle to"
}

// Unwrap is [identity.ErrNotEnrolled].
func (e *NotEnrolledError) Unwrap() error { return identity.ErrNotEnrolled }

// Hint says what to do.
func (e *NotEnrolledError) Hint() string {
	return "run: remote-support enroll --rss HOST --token-file FILE; or write a bundle to carry by hand: send-bundle --output FILE --no-encrypt"
}

// ExitCode is 1.
func (e *NotEnrolledError) ExitCode() int { return 1 }
