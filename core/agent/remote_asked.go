package agent

import (
	"sync"

	"github.com/latchstring/latchstring/core/policy"
)

// asked is what one connection may do: it asks policy, and remembers what was
// allowed and may still be going on, so that a change of policy can be held
// against it.
type asked struct {
	policy policy.Decider

	mu      sync.Mutex
	allowed map[string]question
	last    map[policy.Action]policy.Duties
}

type question struct {
	action policy.Action
	facts  policy.Facts
}

// lasting are the actions that go on after they were allowed. A file that was
// moved is moved; one that is being moved belongs to a command, or ends with its
// connection.
var lasting = map[policy.Action]bool{policy.AccessShell: true, policy.AccessCommand: true, policy.AccessForward: true, policy.ConnectAccept: true}

// maxAsked bounds what is remembered. A connection with more different commands
// is asked about the rest no more; the next command is.
const maxAsked = 1000

// Decide implements [policy.Decider].
func (q *asked) Decide(action policy.Action, facts policy.Facts) policy.Decision {
	d := q.policy.Decide(action, facts)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil {
		q.last, q.allowed = map[policy.Action]policy.Duties{}, map[string]question{}
	}
	q.last[action] = d.Duties
	if d.Allowed && lasting[action] && len(q.allowed) < maxAsked {
		key := string(action)
		if action != policy.ConnectAccept { // of that only the last counts
			key += "\x00" + facts[policy.RunAs] + "\x00" + facts[policy.Command] + "\x00" + facts[policy.Address]
		}
		q.allowed[key] = question{action, facts}
	}
	return d
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
	q.mu.Unlock()
	for _, a := range all {
		if err := q.policy.Decide(a.action, a.facts).Err(); err != nil {
			return err
		}
	}
	return nil
}

// stillAllowed reports whether policy would let the connection in now, and all
// that it was let do. One that still waits is decided when people have spoken.
func (c *conn) stillAllowed() error {
	return c.asked.again()
}
