// Package policy decides what is allowed.
package policy
