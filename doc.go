// Package latchstring holds the laws of the repository as tests: who may
// import whom and why, that every package is documented, how long a file may
// be, and which licences a dependency may have. It has no code of its own; see
// docs/ARCHITECTURE.md for the product.
package latchstring
