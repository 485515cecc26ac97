// Package audit keeps the hash-chained event log.
//
// # The log
//
// A log is a directory. Its records stand in segments, one JSON object a line,
// oldest first; each record carries the hash of the one before, and each hash
// covers the bytes of its line (docs/FORMATS.md has the format, and the shell
// line that recomputes a hash). Files are only ever appended to, so a
// segment may have the append-only attribute. Nothing here deletes a record.
//
// [Open] gives a [Log]. [Log.Append] takes a lock that holds across processes,
// writes the line in one write, syncs it, and then replaces the head file,
// which names the last record. Only then does it return: an event whose Append
// returned an error is not to be acted on.
//
// # After a crash
//
// A line that was cut short by a crash stays where it is. The next Append ends
// it with a newline and first records [LogRecovered] with the length and the
// SHA-256 of the torn line, so that a reader can tell a crash (the head never
// named that record) from a change (it did).
//
// # What can be detected
//
// [Verify] names file, line and what is wrong.
//
//   - Changed, inserted, removed or reordered records anywhere but at the end:
//     always, the chain breaks there.
//   - Records removed from the end: as long as the head file was not set back
//     with them. When the log is opened [WithSigner], a head cannot be forged
//     without the key; it can still be replaced by an older one that was kept.
//   - The same, done with a kept head, or the whole log written anew by
//     somebody who holds the key: only against an anchor, a [Head] that was
//     kept elsewhere (the relay gets one with each bundle and session).
//
// A log that no longer matches its own head goes on behind the head, after a
// [LogDamaged] record: the hole stays visible for ever.
package audit
