// Package clock tells the time in two ways, because security rests on each
// where the other fails: the time of day, which people read and somebody may
// set, and the time since the machine was started, which goes on in suspend and
// which nobody sets.
//
// What must end on time ends by whichever of the two says so first; what must
// not come back after a restart of the machine keeps the id of its start.
package clock
