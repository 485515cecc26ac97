// Package filetree is what the collectors of files have in common: finding
// files by patterns, telling text from binaries, keeping the end of a file
// that is too long, and reading compressed files.
//
// A collector runs as nobody in particular. What it may not open itself it
// asks of its host through an [Opener]; the host asks policy.
//
// Symbolic links are listed and never followed: the file behind one is found
// under its own name where it belongs to what is collected, and nowhere else.
package filetree
