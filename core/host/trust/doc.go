// Package trust says whose signature is on a plugin's manifest.
//
// A publisher signs with stock OpenSSH, and anybody can check with it:
//
//	ssh-keygen -Y sign -n latchstring-plugin -f KEY plugin.json
//	ssh-keygen -Y verify -n latchstring-plugin -f plugin_publishers -I acme -s plugin.json.sig < plugin.json
//
// Who is trusted stands in a file in the format ALLOWED SIGNERS of
// ssh-keygen(1): the name of the publisher, options, the public key. Of the
// options namespaces, valid-after and valid-before are honoured; a line with
// another one, cert-authority for instance, is an error rather than a
// misunderstanding. Names are taken literally, without patterns.
package trust
