// Package files collects what the user names with --include: files, and all
// that is below folders.
//
// It declares no need at all: the host itself opens what the user has named,
// for this one run, and nothing else. Without --include it does nothing.
package files
