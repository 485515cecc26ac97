// Package transfer copies files between the engineer's workstation and a
// system, over an SSH connection that is there already.
//
//	plan, err := transfer.Plan(ctx, t, sources, target)
//	result, err := t.Run(ctx, plan)
//
// An SSH channel moves at most 2 MiB a round trip: 36 MB/s over 50 ms, however
// fast the line. Large files are therefore cut into pieces which travel over
// several channels at once, and several small ones travel side by side.
//
// A large file is written under another name (NAME.latchstring-part) until it
// is whole. Which pieces are there is kept on the workstation, so that a
// transfer that was interrupted goes on where it was, whatever the reason. At
// the end both sides' SHA-256 are compared; only then does the file get its
// name.
package transfer
