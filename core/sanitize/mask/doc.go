// Package mask turns text into bits: one 64-bit word per class of characters
// for each 64 bytes.
//
// Looking at text byte by byte costs a dependent load each, and a regular
// expression much more. With masks, questions such as "where are three dots
// between digits, two to four apart" or "where do sixteen characters of a
// token stand in a row" are a few shifts and ANDs for 64 bytes at a time.
//
// The word Trig marks positions where one of the needles of a [Needles] may
// begin, judged by its first three bytes without regard to letter case. It is
// a superset: the caller verifies.
//
// The word Word does the same for a few texts that are known at run time only:
// the names of the machine; see [Words].
//
// [Masks.Find] and [Masks.Identify] do the shifts and ANDs for the candidates of
// this project.
//
// There are three implementations: assembly for AVX2 and for AVX-512 with its
// permutations of bytes (VBMI and VBMI2), chosen at run time on processors that have them, and
// portable Go. Their results are equal but for
// Trig and Word, where each marks other places in vain.
//
// How the needles share the sixteen buckets of the AVX2 kernel decides how often
// Trig marks a place in vain. [NewDealt] takes a dealing that was searched for
// at leisure.
package mask
