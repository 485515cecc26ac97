// Package infinibox collects what an InfiniBox array says about itself over its
// REST API: the system and its health, its components, the events, and the
// settings of single sign-on, LDAP and notifications.
//
// The array is named in the settings, with a user who may read:
//
//	{
//	  "addresses": ["ibox.example.com", "192.0.2.11"],
//	  "username": "support-reader",
//	  "password": "...",
//	  "fingerprint": "SHA-256 of the certificate, in hex"
//	}
//
// Arrays have certificates that they have signed themselves. Without a
// fingerprint the certificate must be one that this machine trusts; there is
// no way not to check. The first address that answers is used, and the login
// is ended with the collection. Nothing is changed. Without settings the array
// is absent. The host lets the collector reach port 443 and no other.
package infinibox
