// Package discover finds the names of a machine before anything is collected:
// what it is called, which domains it belongs to, which machines it knows and
// who has an account on it. They are the dictionary that the sanitizer looks
// for in every file, since a bare "jdoe" or "db1" in a log has no shape that
// would give it away.
//
// [Find] reads a few small files below a root: /etc/hostname, /etc/hosts,
// /etc/resolv.conf, /etc/passwd, /etc/group, /etc/ssh/ssh_known_hosts,
// certificates in the usual places, kubeconfigs. What cannot be read is
// skipped and named in the result; finding nothing is no error, because the
// scanner works without names too.
//
// Names that say nothing about a customer are left out: localhost and its
// family, system accounts, and words that would destroy logs if each
// occurrence became a pseudonym (a machine called "test", a user "admin").
package discover
