// Package publish is the way of a plugin from its author to a machine: it
// writes and signs the manifest of a plugin's directory, keeps the list of the
// publishers that a machine trusts, and copies a plugin into its catalog.
//
//	m, err := publish.Make(ctx, dir, publish.Options{Publisher: "acme"})  // writes dir/plugin.json
//	err = publish.Sign(dir, key)                                          // writes dir/plugin.json.sig
//
// and where it shall run:
//
//	err = publish.Trust(root, "acme", publicKey)
//	p, err := publish.Install(root, dir)
//
// Signing can be left to stock OpenSSH, with a key in an agent or on a token:
//
//	ssh-keygen -Y sign -n latchstring-plugin -f KEY dir/plugin.json
//
// The set of files is closed: what stands in the directory when the manifest
// is written is what belongs to the plugin, and one file more or less, or
// another byte in one, and hosts do not run it. A manifest and its signature
// may be public; neither says anything about the machine that made them.
package publish
