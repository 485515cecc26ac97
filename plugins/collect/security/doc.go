// Package security collects who may do what on this machine: accounts, sudo,
// the SSH server, SELinux or AppArmor, auditing, the last logins, and
// certificates with their expiry.
//
// Password hashes and private keys are not read: accounts.json says only
// whether there is a hash where none should be, certificates.json is made of
// the certificates alone, and folders and files that are for keys are not
// opened. Failed logins are counted, but their list is not taken: people type
// passwords where the name belongs.
package security
