// Package catalog finds the plugins of a machine and says how far each is
// trusted.
//
// There is one built-in plugin program, latchstring-plugins, beside the host's
// own executable or in /usr/lib/latchstring. Its SHA-256 is linked into the
// hosts; a host that was built without it says "development build".
//
// Plugins of other publishers live below the catalog directory, each in a
// directory of its own:
//
//	plugins.d/acme/plugin.json       the manifest, see [Manifest]
//	plugins.d/acme/plugin.json.sig   signed with ssh-keygen -Y sign -n latchstring-plugin
//	plugins.d/acme/acme-plugin       and every other file that the manifest lists
//
// The manifest lists every file with its SHA-256. A file that is not listed, is
// missing or is another one, and the plugin is [Modified]: it does not run. The
// directories and files must belong to root or to the user of the host, nobody
// else may be able to write to them, and none may be a symbolic link.
//
// A plugin's [State] is a plain word, and [Plugin.Fix] says what to do about
// it. Loading a catalog executes nothing.
package catalog
