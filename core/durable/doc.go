// Package durable writes files that must be whole or absent.
//
// [WriteFile] creates the new content beside the old under a random name,
// exclusively and 0600, syncs it, renames it into place and syncs the
// directory: after a power cut the reader finds the old content or the new
// one, never a mixture, and never a file that another user could have read.
package durable
