// Package authorized puts one line into an authorized_keys file for a short
// time, and takes it out again (REQ G10).
//
//	e, err := authorized.Add(tree, path, key, until, "ses-... con-...")
//	... log in ...
//	err = e.Remove()
//	n, err := authorized.Clean(tree, path, "ses-...") // after a crash
//
// The line goes to the front, so that the bytes of others are never touched, not
// even a last line without an end. It is restricted to loopback and to a time.
// The file is written beside and renamed into place, with its mode and owner kept;
// a file or directory that had to be made is taken away again.
package authorized
