package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/revoke"
)

// revocations are the vendor's list of revoked certificates as a session uses
// it.
type revocations struct {
	l    *live
	book *revoke.Book
	from func(ctx context.Context) ([]byte, error) // the relay

	mu       sync.Mutex
	list     *revoke.List // nil: none is known
	err      error        // it is there and cannot be read: nobody gets in
	print    string       // what the file looked like
	fetching bool
	refused  map[string]bool // said already
}

// fetchTime bounds how long the relay may take to hand the list out.
const fetchTime = 20 * time.Second

func newRevocations(l *live) *revocations {
	r := &revocations{l: l, book: revoke.Open(l.a.root.Revocations()), refused: map[string]bool{}}
	r.from = r.relay
	r.reload()
	return r
}

// reload reads the list if its file has changed, and reports whether it has:
// `remote-support revocations import` may have brought a newer one.
func (r *revocations) reload() bool {
	print := "none"
	if info, err := os.Stat(r.book.Path()); err == nil {
		print = fmt.Sprintf("%d %d %d", info.Size(), info.ModTime().UnixNano(), inode(info))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if print == r.print {
		return false
	}
	r.list, r.err = r.book.Current(r.l.ca)
	r.print = print
	return true
}

// check says why a certificate counts no more.
func (r *revocations) check(cert *ssh.Certificate) error {
	r.reload()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return fmt.Errorf("the list of revoked certificates cannot be read: %w", r.err)
	}
	e, found := r.list.Find(cert)
	if !found {
		return nil
	}
	text := fmt.Sprintf("the certificate of %s was revoked by the vendor (%s, list %d)", cert.KeyId, e.What, r.list.Number)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return errors.New(text)
}

// age is how long ago the list was signed; not ok without one.
func (r *revocations) age() (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil || r.err != nil {
		return 0, false
	}
	return max(r.l.clock.Now().Sub(r.list.Issued), 0), true
}

func (r *revocations) number() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		return 0
	}
	return r.list.Number
}

// told is what the relay says about the number of its list. A newer one is
// fetched; that it has an older one is told, and changes nothing.
func (r *revocations) told(number uint64) {
	known := r.number()
	switch {
	case number > known:
		r.mu.Lock()
		begin := !r.fetching
		r.fetching = true
		r.mu.Unlock()
		if begin {
			r.l.work.Go(func() {
				r.fetch(number)
				r.mu.Lock()
				defer r.mu.Unlock()
				r.fetching = false
			})
		}
	case number < known && number > 0:
		r.refuse(fmt.Errorf("the relay has list %d of revoked certificates, and %d is known here, which goes on to count", number, known))
	case number == 0 && known > 0:
		r.refuse(fmt.Errorf("the relay has no list of revoked certificates, and %d is known here, which goes on to count", known))
	}
}

// fetch gets the list from the relay, which says that it has the one of a
// number, and believes what the vendor's CA signed.
func (r *revocations) fetch(number uint64) {
	ctx, cancel := context.WithTimeout(r.l.ctx, fetchTime)
	defer cancel()
	raw, err := r.from(ctx)
	if err == nil && raw == nil {
		err = errors.New("the relay keeps the list of revoked certificates back that it says it has")
	}
	if err == nil {
		err = r.take(raw)
	}
	if known := r.number(); err == nil && known < number {
		err = fmt.Errorf("the relay says that it has list %d of revoked certificates, and keeps it back: what it gives is %d", number, known)
	}
	if err != nil && r.l.ctx.Err() == nil {
		r.refuse(err)
	}
}

func (r *revocations) relay(ctx context.Context) ([]byte, error) {
	c, t, err := r.l.client()
	if err != nil {
		return nil, err
	}
	defer t.Close()
	defer c.Close()
	raw, err := c.Revocations(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch the list of revoked certificates: %w", err)
	}
	return raw, nil
}

func (r *revocations) take(raw []byte) error {
	list, changed, err := r.book.Take(raw, r.l.ca)
	if err != nil {
		return err
	}
	r.reload()
	if changed {
		r.l.event(audit.RevocationsTaken, "agent", strconv.FormatUint(list.Number, 10), "entries", strconv.Itoa(len(list.Revoked)), "issued", list.Issued.Format(time.RFC3339))
		r.l.checkRevoked()
	}
	return nil
}

// refuse says once what is wrong.
func (r *revocations) refuse(err error) {
	text := firstLine(err.Error())
	r.mu.Lock()
	said := r.refused[text] || len(r.refused) > 100
	if !said {
		r.refused[text] = true
	}
	r.mu.Unlock()
	if !said {
		r.l.event(audit.RevocationsRefused, "agent", r.l.id, "reason", text)
	}
}

// checkRevoked cuts connections whose certificate counts no more, and those that
// policy lets go on with a fresh list only. It does not wait for that.
func (l *live) checkRevoked() {
	l.mu.Lock()
	all := make([]*conn, 0, len(l.conns))
	for _, c := range l.conns {
		if c.reason == "" {
			all = append(all, c)
		}
	}
	l.mu.Unlock()
	for _, c := range all {
		err := l.revoked.check(c.peer.Certificate)
		if err != nil {
			l.gate.ForgetEngineer(c.peer.Engineer)
		} else {
			err = c.stillFresh()
		}
		if err != nil {
			go c.end("agent", firstLine(err.Error()))
		}
	}
}

// present asks policy with what is so now: the age of the list of revoked
// certificates grows while a connection lasts.
type present struct{ l *live }

// Decide implements [policy.Decider].
func (p present) Decide(action policy.Action, facts policy.Facts) policy.Decision {
	if action == policy.ConnectAccept {
		facts = maps.Clone(facts)
		delete(facts, policy.RevocationsAge)
		if age, ok := p.l.revoked.age(); ok {
			facts[policy.RevocationsAge] = age.Round(time.Second).String()
		}
	}
	return p.l.a.Decide(action, facts)
}

// stillFresh asks policy once more whether the connection may be, as it was
// asked when it was let in.
func (c *conn) stillFresh() error {
	c.asked.mu.Lock()
	q, asked := c.asked.allowed[string(policy.ConnectAccept)]
	c.asked.mu.Unlock()
	if !asked {
		return nil // not let in yet
	}
	return c.asked.policy.Decide(q.action, q.facts).Err()
}

// certificateFact is how policy can name the certificate of an engineer.
func certificateFact(cert *ssh.Certificate) string { return strings.Join(revoke.Names(cert), " ") }
