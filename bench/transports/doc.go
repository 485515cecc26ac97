// Package transports compares our way through a proxy with curl's: through the
// same proxy, in the same run, taking turns.
package transports
