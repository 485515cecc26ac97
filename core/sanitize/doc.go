// Package sanitize hides secrets and identifiers in anything that leaves the
// machine.
//
// # Use
//
//	key, err := sanitize.LoadKey(path)            // made on first use
//	s, err := sanitize.New(sanitize.Options{Key: key, Names: names})
//	result, err := s.Copy(ctx, dst, src, sanitize.File{Name: "etc/app.conf", Learn: true})
//	hits, err := s.Check(ctx, finished, sanitize.File{Name: "etc/app.conf"})
//
// # What it guarantees
//
//   - A secret becomes REDACTED_kind_n, of letters, digits and underscores, so
//     that JSON, YAML, XML, INI, shell and URLs stay valid. Equal secrets get
//     equal tokens; nothing else can be told from one.
//   - Everything else is copied byte for byte, and line counts stay.
//   - The output depends on the text and the options only: not on the sizes of
//     the reads, and not on where buffers happened to end.
//   - A stream holds one buffer of 256 KB whatever the length of a line.
//   - Sanitizing the output again hides nothing more.
//
// # How it is built
//
// The package itself moves text through a buffer and splices. What is to be
// hidden is found by
//
//   - scan: keys with their values, sentences, commands, PEM, URLs, with a
//     small state from line to line; keyname says what a key's name means;
//   - tokens: shapes of access tokens;
//   - sweep: values that were hidden in configuration, wherever they come again;
//   - pseudonym: stand-ins for addresses and names;
//   - gate: the second opinion on the finished file.
package sanitize
