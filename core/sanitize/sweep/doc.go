// Package sweep finds known secrets wherever they turn up again.
//
// The scanner hides a password in a configuration file because of the key it
// stands behind. The same password in a log stands behind nothing. So every
// value that was hidden is put into a [Set], and everything that follows is
// swept for it, in the forms that programs write values in: as it is,
// percent-encoded, escaped for JSON, XML or a shell, in base64 at each of the
// three alignments, in hex.
//
// # Use
//
//	var set sweep.Set
//	set.Add(secret)                  // while configuration is sanitized
//	m := set.Matcher()               // a frozen snapshot, free to share
//	spans = m.Append(spans[:0], text)
//
// Add and Matcher are safe for concurrent use. A [Matcher] never changes; one
// made later knows more. Text that comes in pieces must overlap by
// [Matcher.MaxLen]-1 bytes; [Matcher.Stream] does that for a reader.
//
// # How it is fast
//
// A form of at least eight bytes that occurs anywhere covers one of any five
// neighbouring positions with a whole 4-gram. So only every fifth position is
// looked at: one unaligned load, one multiplication, one bit in a map that
// holds the five 4-grams of the rarest eight bytes of each form. No load
// depends on the one before. What passes is compared. Forms of six and seven
// bytes are few and are looked for at every third position, only between word
// boundaries.
//
// # What is not swept
//
// A value that occurs in ordinary text would destroy every log: true, admin,
// password, 5432, a date, a word. [Add] refuses such values (see [Worth]); the
// place they were found in is hidden all the same, only its twins stay.
// Secrets are held in memory only, and nothing here prints them.
package sweep
