// Package needs is the list of what a plugin asks its host for: files to read,
// commands to run, ports to dial.
//
// A plugin declares it, `describe` prints it, its manifest repeats it, and
// policy cuts it down. What is not declared is not granted: the host refuses,
// whatever the plugin says at run time. So a list should be as narrow as it
// can be, since somebody reads it before he trusts the plugin.
package needs
