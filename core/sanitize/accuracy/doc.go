// Package accuracy measures what the sanitizer hides and what it keeps.
//
// A [Case] is one input with the strings that must vanish from it and those
// that must stay. [Load] reads cases from *.jsonl files, one JSON object a
// line; [Runner.Run] sends each through an engine twice, with pseudonyms and
// without, and [Judge] says what went wrong. [Summary] is a row a source.
//
// The rules of judgement:
//
//   - must_hide: the string must not be in either output, nor any contiguous
//     piece of it that is 60 % of its length and at least 8 characters.
//   - must_keep: the string must be in the output without pseudonyms; losses
//     that only pseudonyms cause are counted apart. With soft_keep the losses
//     are a rate to look at and not failures.
//   - must_pseudo and policy_hide: identifiers, gone with pseudonyms on, there
//     with pseudonyms off.
//
// testdata holds the project's own cases, text files with marks, which run as a
// test with thresholds. Any other directory is measured with
//
//	go run ./bench/accuracy DIR
package accuracy
