// Package files collects what the user names with --include: files, and all
// that is below folders.
//
// It is a collector of its own so that its permission to read any path is
// apart from the others, which read what they declare and no more. Without
// --include it does nothing.
package files
