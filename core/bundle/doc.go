// Package bundle makes and reads support bundles.
//
// # Making one
//
// A bundle goes through fixed stages, and each leaves its proof for the next:
//
//	Collect  collectors hand over readers; every byte goes through the
//	         sanitizer into a private spool, with its exact size and hash.
//	         Configuration comes first, so that the secrets found there are
//	         swept from the logs that follow.
//	Pack     manifest and redaction report are written, the manifest is signed
//	         with the system key, everything is packed. The archive is then
//	         read back and compared with the manifest in both directions, and
//	         each member goes through the final gate of the sanitizer. A member
//	         with a late hit is rewritten once; a second hit ends the run.
//	Seal     the archive is encrypted to the vendor and moved into place.
//
// Raw bytes never touch the disk in clear. For a review ([Options.KeepRaw]) what
// was read is kept in the spool, encrypted with a key that exists in this
// process only: it is shown as it was collected, commands included, nothing is
// read or run a second time, and a crash leaves nothing that can be read. It
// goes with the draft.
//
// A collector that dies, hangs or lies costs
// its own items only; what is missing, absent or cut is in the manifest with
// its reason.
//
//	draft, err := bundle.Collect(ctx, collectors, opts)
//	defer draft.Close()
//	draft.Sanitized(path), draft.Raw(path)  // look at it
//	draft.Withhold(…), draft.Hide(…)        // change it
//	packed, err := draft.Pack(ctx)
//	sealed, err := packed.Seal(ctx, path, recipients...)
//
// # Reading one
//
// [Open] reads a bundle of unknown origin, encrypted or not, within limits on
// size, count and ratio, and checks its signature. [Bundle.Verify] checks every
// hash and the absence of anything that is not in the manifest, [Bundle.Unpack]
// writes the files below a directory that nothing can escape from.
//
// # Format
//
// docs/FORMATS.md specifies the format; [FormatV1] is the version written here.
// The same input and the same clock give the same bytes before encryption.
package bundle
