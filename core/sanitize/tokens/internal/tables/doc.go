// Package tables compiles formats.txt and vendors.txt, which say what tokens
// look like, into the tables that package tokens looks them up in. The language
// of the two files is described there.
package tables
