// Package findings reads an opened bundle and says what needs no search: units
// that failed, full disks, memory that ran out, certificates that expired,
// clocks that are wrong, broken arrays and disks, the errors that fill the
// logs.
//
//	r := findings.Look(os.DirFS(folder), manifest)
//	r.Text(w)
//	r.HTML(w)   // one file, without scripts or anything from a network
//
// Each check reads the files that the collectors of this product write and
// nothing else; a file that is absent or has another form gives no finding, and
// is never an error: the bundle comes from a machine in trouble. Everything in
// a bundle is foreign text. It is bounded when it is read, cleaned when it is
// shown on a terminal and escaped on the page.
//
// A finding points to its file and line, so that an engineer can look further.
// No finding means that these checks found nothing, not that all is well; the
// report says which of them had something to read.
package findings
