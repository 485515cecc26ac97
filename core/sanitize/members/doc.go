// Package members opens compressed files and archives, has what is inside
// sanitized, and packs it again in the same format.
//
// [Detect] recognises gzip, xz, zstd, bzip2, tar and zip by their magic
// numbers. A [Rewriter] streams: a compressed file is decoded, handed to the
// sanitizer and encoded in one pass; a member of an archive is spooled in its
// sanitized form, because its size stands before its content. Containers may be
// nested three deep (a compressed tar is one container). What comes out is a
// valid archive, the same for the same input.
//
// # What is left out
//
// Nothing passes unread. A member that is encrypted, damaged, of an unknown
// method, nested too deeply or a device is left out, and
// [Rewriter.Omitted] is told why. A container that is broken itself, or that
// expands beyond the [Limits], gives an [OmitError]: the caller throws away
// what was written and leaves the whole file out. Metadata that could carry
// secrets (comments, extra fields, extended attributes, PAX records, skippable
// frames, bytes behind the end) is dropped. Names are renamed and made safe to
// extract: relative, without "..", links only to places inside.
//
// # Spools
//
// Content beyond [Limits.Memory] waits in a temporary file that is encrypted
// with a key which exists only in this process and that has no name: an
// unsanitized zip file must be read from its end, and no secret may be left on
// disk by a crash.
package members
