// Package journal reads journal files of systemd without systemd: where
// journalctl is not there, or the files are of another machine.
//
//	j, err := journal.Open(file, size)
//	for e, err := range j.Last(200_000, since) { fmt.Fprintln(w, e.Line()) }
//
// The format is that of systemd's "Journal File Format" (JOURNAL_FILE_FORMAT),
// with keyed hashes, the compact form, and data that is compressed by zstd, lz4
// or xz. Hashes and seals are not checked: what is damaged is left out, and
// told. A file that is being written to is read as it is.
//
// Files are foreign bytes. Every offset is checked before it is used, chains go
// forward only, and no field may ask for more than a fixed amount of memory.
package journal
