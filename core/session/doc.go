// Package session is the state machine of remote access: off, opening, open,
// connected, closing, and off again.
//
//	m, err := session.Load(path, clock.System)
//	if left, ok := m.Leftover(); ok { ... }           // the agent died in a session
//	err = m.Begin(session.Record{ID: session.NewID(), Length: 8 * time.Hour, ...})
//	err = m.Do(session.LinkUp)                        // opening → open
//	n, err := m.Check()                               // every second: warnings, expiry
//	err = m.End(session.TurnOff, "off by root")       // → closing
//	err = m.Do(session.Closed)                        // → off
//
// # One table
//
// What may happen in which state stands in one table, see [Next]; what is not in
// it does not exist. docs/SESSIONS.md is made from it, and the tests go through
// every event in every state. The table knows nothing of policy, networks or
// people: who uses it asks policy first, and acts on what comes out.
//
// # On disk before it counts
//
// A transition is on disk, synced, before Do returns. A session that is open on
// disk and not in memory is what a crash leaves; it is told apart from one that
// ended in order, so that its missing events can be made up for (REQ E5, K6).
//
// # When it ends
//
// A session ends by two clocks, whichever is first: the time of day, and the
// time since the machine was started, suspend included (CLOCK_BOOTTIME), which
// nobody can set. To set the clock back gains nothing; to set it forward ends
// the session sooner. What was used up of the length is written down every half
// minute, so that neither a restart of the agent nor of the machine stretches it.
package session
