// Package logs collects log files and the journal.
//
// Files are found by patterns, the newest first, rotated and compressed ones
// included: these are read through, so that what is in them is redacted like
// everything else. Of a file that is too long its end is kept. The journal
// comes through journalctl; where there is none, and for files of another root,
// it is read from the files themselves (package journal).
package logs
