// Package playback shows a recording on the terminal of whoever watches it. It
// serves the customer's `remote-support recordings play` and the vendor's
// `support play`.
package playback
