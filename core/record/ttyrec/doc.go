// Package ttyrec writes and reads terminal recordings in the format of the
// ttyrec program: records of seconds, microseconds and length, 32 bits each,
// little endian, and the bytes that went to the terminal. There is no magic, no
// size of the terminal and no version.
//
// Players differ in what they forgive, so the [Writer] gives them nothing to
// forgive: the first record sets the size with ESC [ 8 ; rows ; columns t (the
// only place where some look for it), no record is empty (ttyplay stops there),
// no character is split over two records (asciinema-player decodes each by
// itself), time never goes back, there are always two records or more (ttytime
// prints garbage otherwise), and each record is one write.
//
// The [Reader] reads anybody's files, and says where one is cut short.
package ttyrec
