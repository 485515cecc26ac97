// Package sealed keeps the credentials of proxies, so that sessions and bundles
// can go out through a proxy that wants a login when nobody is there to type
// it:
//
//	s := sealed.Open(root)
//	err := s.Put("https://proxy.example:3128", "ada", password)
//	way, err = way.To(relay, s) // package route
//
// They lie in var/proxy/logins.sealed, mode 0600, encrypted with
// XChaCha20-Poly1305 under a key of this system, var/identity/proxy.key, which
// is made on first use and is 0600 too. That keeps them out of backups of the
// one directory, support bundles, and from whoever finds a copy of the file; it
// does not keep them from root on this machine, who can read both.
package sealed
