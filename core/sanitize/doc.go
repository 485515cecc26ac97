// Package sanitize hides secrets and identifiers in anything that leaves the machine.
package sanitize
