package login

import (
	"fmt"
	"time"
)

// How long is waited after wrong answers.
const (
	firstWait  = time.Second
	longestOne = 5 * time.Minute  // of one caller
	longestAll = time.Minute      // of everybody who uses a method
	patience   = 10               // wrong answers of all callers together before everybody waits
	lockedFrom = 30 * time.Second // a wait as long as this is called a lock-out
	memory     = 24 * time.Hour   // after which wrong answers are forgotten
	maxSources = 1000             // callers that are counted one by one
)

// tally counts wrong answers.
type tally struct {
	Wrong  int    `json:"wrong"`
	Last   moment `json:"last"`
	Before moment `json:"before,omitzero"` // the one before Last, for when that is taken back
}

// forgotten reports whether the last wrong answer was long ago. After a restart
// nobody knows, and the time starts anew.
func (t *tally) forgotten(now moment) bool {
	d, ok := t.Last.elapsed(now)
	if !ok {
		t.Last = now
		return false
	}
	return d >= memory || t.Wrong <= 0
}

// backoff is the wait after n wrong answers.
func backoff(n int, longest time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	return min(firstWait<<min(n-1, 20), longest)
}

// wait is for how much longer a caller waits.
func (st *state) wait(who, method string, now moment) time.Duration {
	one := st.rest(who, 0, longestOne, now)
	return max(one, st.rest("method:"+method, patience, longestAll, now))
}

func (st *state) rest(who string, free int, longest time.Duration, now moment) time.Duration {
	t := st.Attempts[who]
	if t == nil {
		return 0
	}
	d, ok := t.Last.elapsed(now)
	if !ok {
		d = 0
	}
	return max(0, backoff(t.Wrong-free, longest)-d)
}

// charge counts an answer as wrong, unless the caller has to wait.
func (st *state) charge(who, method string, now moment) error {
	if w := st.wait(who, method, now); w > 0 {
		return &WaitError{Wait: w}
	}
	for _, key := range []string{who, "method:" + method} {
		t := st.Attempts[key]
		if t == nil {
			if len(st.Attempts) >= maxSources && key == who {
				continue // the method's own count goes on
			}
			t = new(tally)
			st.Attempts[key] = t
		}
		t.Wrong++
		t.Before, t.Last = t.Last, now
	}
	return nil
}

// refund takes a charge back: the answer was no guess.
func (st *state) refund(who, method string) {
	for _, key := range []string{who, "method:" + method} {
		if t := st.Attempts[key]; t != nil {
			if t.Wrong--; t.Wrong <= 0 {
				delete(st.Attempts, key)
			}
			t.Last = t.Before
		}
	}
}

// WaitError says that there were too many wrong answers.
type WaitError struct{ Wait time.Duration }

func (e *WaitError) Error() string {
	return fmt.Sprintf("too many wrong answers; wait %s", max(e.Wait.Round(time.Second), time.Second).String())
}

// Locked reports whether the wait is long enough to be called a lock-out.
func (e *WaitError) Locked() bool { return e.Wait >= lockedFrom }

// Hint says what to do meanwhile.
func (e *WaitError) Hint() string {
	return "root on this machine can do without a login, where policy allows it"
}
