// Package blob keeps the bytes of bundles. [Dir] keeps them as files of one
// directory on one node.
package blob
