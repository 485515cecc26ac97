// Package words reads the command lines that scp and rsync send, without a
// shell.
//
// Such a line is meant for the remote user's shell, which could do anything with
// it. [Split] understands quotes, backslashes, a leading ~ and patterns, and
// nothing else: a line in which a shell would see more is not a plain command and
// is not split. [Transfer] tells whether a transfer program is anywhere in a line
// in the role of a server.
package words
