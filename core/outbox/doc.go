// Package outbox brings the events of the audit log to where the customer wants
// to see them: through event sinks, which are plugins (REQ E3 to E7, F1, F2).
//
// # The log is the queue
//
// Nothing is queued twice: an event is on disk in the audit log before anything
// else happens. For each sink there is a cursor, a small file that says up to
// which record its events are at their place. [Outbox.Wake] only says that there
// is something new, so that no session ever waits for a sink.
//
// # What is guaranteed
//
//   - Order: a sink gets its events one at a time, in the order of the log.
//   - At least once: the cursor moves when the sink has said that the event is at
//     its place. What was on its way when the agent was killed comes again, with
//     the same ID.
//   - No silent loss: more than Keep waiting events are not kept for a sink; what
//     falls out is recorded ([audit.EventDropped]) before the cursor moves. So is
//     what a sink refuses for good ([audit.EventRefused]).
//   - A sink that fails is tried again, later and later, at random times below a
//     limit that doubles from a second to five minutes. Sinks do not wait for each
//     other.
//   - A disk that is full: delivery goes on, the cursor is kept in memory, and what
//     was delivered since comes again after a restart.
//   - A sink that is new begins with what happens from then on.
//
// # Settings
//
// A sink is a file NAME.json in etc/events.d; docs/EVENTS.md has them. They are
// looked at again when they change. A process runs only while there is something
// to deliver, and shortly after.
package outbox
