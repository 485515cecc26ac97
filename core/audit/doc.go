// Package audit keeps the hash-chained event log.
package audit
