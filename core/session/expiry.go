package session

import "time"

// Warnings are given when no more than this is left, the longest first.
var Warnings = []time.Duration{10 * time.Minute, time.Minute}

// heartbeat is how often the used-up time is written down.
const heartbeat = 30 * time.Second

// Notice is what the clocks say about the session.
type Notice struct {
	Bounded bool          // it ends by itself
	Left    time.Duration // until then
	Warn    bool          // this is the time to say so; once for each of Warnings
	Expired bool
}

// Left is how long the session may go on, by the clock that is first; ok is false
// when it does not end by itself.
func (m *Machine) Left() (left time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.look()
	if err != nil {
		return 0, true
	}
	return n.Left, n.Bounded
}

// Check looks at the clocks. Call it every second, and before anything that an
// expired session must not do. When it cannot read a clock the session counts
// as expired. It does not end it: use End(Expire, …).
func (m *Machine) Check() (Notice, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rec.State == Off || m.rec.State == Closing {
		return Notice{}, nil
	}
	n, err := m.look()
	if err != nil {
		return Notice{Bounded: true, Expired: true}, err
	}
	r := m.rec
	if n.Bounded && !n.Expired {
		for _, w := range Warnings {
			if n.Left <= w && (r.Warned == 0 || w < r.Warned) {
				r.Warned, n.Warn = w, true
			}
		}
	}
	since, _, err := m.clock.Boot()
	if err != nil {
		return Notice{Bounded: true, Expired: true}, err
	}
	if n.Warn || since-m.written >= heartbeat {
		// A disk that is full must not keep a session from ending in time: the
		// notice holds, and the warning is not given twice.
		err = m.write(r)
		m.rec.Warned = r.Warned
	}
	return n, err
}

func (m *Machine) look() (Notice, error) {
	r := &m.rec
	if r.Length == 0 {
		return Notice{}, nil
	}
	since, boot, err := m.clock.Boot()
	if err != nil {
		return Notice{}, err
	}
	spent := since - r.Began
	if boot != r.Boot || spent < 0 {
		spent = r.Spent // another start of the machine; see GoOn
	}
	left := min(r.Length-spent, r.Expires.Sub(m.clock.Now()))
	return Notice{Bounded: true, Left: max(0, left), Expired: left <= 0}, nil
}
