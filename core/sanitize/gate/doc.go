// Package gate is the last look at what is about to leave the machine.
//
// The sanitizer can have a bug. So a finished member is read once more, by
// code that shares nothing with the engine: no masks, no lexers, no state over
// chunks, but regular expressions and a table of 4-grams. [Gate.Check] reports
// what must not be there:
//
//   - a known secret, as it is or percent-encoded, escaped for JSON, in base64
//     at any of the three alignments, or in hex;
//   - the body of a private key;
//   - a token of a shape that cannot be anything else;
//   - a password, secret, key or token that is assigned a value drawn by
//     chance.
//
// A hit means that the run must rewrite the member or fail. So the gate only
// knows what is beyond doubt: it is narrower than the engine on purpose, and
// on sanitized text it stays silent.
//
// Memory is bounded: 256 KB of text, an overlap of 8 KB or of the longest
// known secret, and the table.
package gate
