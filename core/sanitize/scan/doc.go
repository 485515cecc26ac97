// Package scan finds secrets in text.
//
// A [Scanner] is given one line after the other and reports spans that have to
// be hidden. What it knows of earlier lines is a small [State] of fixed size
// (inside a PEM key, inside a YAML block of a sensitive key, ...); besides that
// a rule may look at most [Reach] bytes to either side of its line. So the
// result depends on the text only, never on how it was cut into buffers, and a
// file of any size needs no more memory than a small one.
//
// The State also knows what a line has announced: the form of the file that a
// heading names (==> /etc/ppp/chap-secrets <==), the columns of a table, the
// program of a command that a backslash continues, the secret that a command at
// a prompt is about to print.
//
// Lines of configuration whose words have their places (enable password x) are a
// table of grammars; those of network gear count where the lines around are of
// that kind, so that a plain word is a secret there and prose stays prose.
//
// Rules start from hits: places where a stem (pass, token, key, BEGIN, ://)
// occurs. From there the scanner works out what the stem belongs to: the name
// of a key with its value in one of the many ways to write that down, a flag of
// a command, a sentence. Package keyname then decides what the name means, and
// the look of the value decides the rest: references (${DB_PASSWORD}), masked
// values, switches and paths stay.
//
// What people write to each other has no such forms. There, after the sentences
// that are known, told.go, introduced.go and abroad.go look for a word that no
// language has behind one that hands something over, before the name, or behind a
// name in another script; chat.go reads answers, wiki.go the tables of wikis.
//
// Identifiers are found beside that: by their shape (ident.go, hosts.go), by what
// stands before them (users.go, people.go, prompts.go), and by the secret they
// belong to (owner.go, whom.go).
package scan
