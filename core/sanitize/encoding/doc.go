// Package encoding tells text from bytes and gives the scanner one encoding to
// look at.
//
// [Detect] classifies the beginning of a file. [NewReader] and [NewWriter]
// turn UTF-16 and UTF-32 text into UTF-8 and back so that what the scanner
// leaves alone comes out byte by byte as it went in, broken text included:
// an unpaired surrogate, a stray last byte or an impossible code point travels
// through the UTF-8 side as a sequence that the writer turns back (WTF-8 for
// surrogates, and a private escape for other bytes).
//
// [View] shows a line without terminal escapes and invisible characters, with
// the way back to the original offsets, for secrets that are interrupted by
// them. [Unescape] and its kin resolve escapes where key names are matched.
package encoding
