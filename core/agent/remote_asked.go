package agent

import (
	"errors"
	"sync"

	"github.com/latchstring/latchstring/core/access"
	"github.com/latchstring/latchstring/core/policy"
)

var _ access.Mover = (*asked)(nil)

// asked is what one connection may do: it asks policy, and remembers what was
// allowed and may still be going on, so that a change of policy can be held
// against it.
type asked struct {
	policy policy.Decider

	mu      sync.Mutex
	allowed map[string]question
	last    map[policy.Action]policy.Duties
	moving  map[*question]bool // files on their way
	full    bool               // more was allowed than is remembered
}

type question struct {
	action policy.Action
	facts  policy.Facts
}

// lasting are the actions that go on after they were allowed. A file that was
// moved is moved; one that is on its way is known by [asked.Moving].
var lasting = map[policy.Action]bool{policy.AccessShell: true, policy.AccessCommand: true, policy.AccessForward: true, policy.ConnectAccept: true}

// maxAsked bounds what is remembered. A connection with more different commands
// is cut by the next change of policy: it cannot be known what it still does.
const maxAsked = 1000

var errForgotten = errors.New("policy has changed, and the connection has done too much for all of it to be held against policy again")

// Decide implements [policy.Decider].
func (q *asked) Decide(action policy.Action, facts policy.Facts) policy.Decision {
	d := q.policy.Decide(action, facts)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil {
		q.last, q.allowed = map[policy.Action]policy.Duties{}, map[string]question{}
	}
	q.last[action] = d.Duties
	if d.Allowed && lasting[action] {
		key := string(action)
		if action != policy.ConnectAccept { // of that only the last counts
			key += "\x00" + facts[policy.RunAs] + "\x00" + facts[policy.Command] + "\x00" + facts[policy.Address]
		}
		if _, known := q.allowed[key]; known || len(q.allowed) < maxAsked {
			q.allowed[key] = question{action, facts}
		} else {
			q.full = true
		}
	}
	return d
}

// Moving implements [access.Mover].
func (q *asked) Moving(action policy.Action, facts policy.Facts) (done func()) {
	file := &question{action, facts}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.moving == nil {
		q.moving = map[*question]bool{}
	}
	q.moving[file] = true
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.moving, file)
	}
}

// duties are those of the last answer about an action.
func (q *asked) duties(action policy.Action) policy.Duties {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last[action]
}

// again asks everything once more and returns the first refusal.
func (q *asked) again() error {
	q.mu.Lock()
	all := make([]question, 0, len(q.allowed))
	for _, a := range q.allowed {
		all = append(all, a)
	}
	for a := range q.moving {
		all = append(all, *a)
	}
	full := q.full
	q.mu.Unlock()
	for _, a := range all {
		d := q.policy.Decide(a.action, a.facts)
		if err := d.Err(); err != nil {
			return err
		}
		q.mu.Lock()
		q.last[a.action] = d.Duties
		q.mu.Unlock()
	}
	if full {
		return errForgotten
	}
	return nil
}

// stillAllowed reports whether policy would let the connection in now, and all
// that it was let do. One that still waits is decided when people have spoken.
func (c *conn) stillAllowed() error {
	if err := c.asked.again(); err != nil {
		return err
	}
	c.l.mu.Lock()
	rec := c.rec
	c.l.mu.Unlock()
	if rec == nil || !c.asked.duties(policy.ConnectAccept).Record {
		return nil
	}
	return rec.insist()
}
