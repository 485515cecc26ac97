// Package account finds the local user as whom an engineer acts.
//
// It reads /etc/passwd and /etc/group itself, for the login shell is in no
// standard package, and asks `getent` and `id` for users of a directory service.
//
//	a, err := account.Lookup("support")
//	err = a.Reachable() // whether this process may become that user
package account
