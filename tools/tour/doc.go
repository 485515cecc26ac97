// Command tour brings the whole system up on one machine and walks through
// its main job, step by step, with the commands that a user would type. It is
// what `make run` starts.
//
// Everything lives in one scratch directory and on loopback ports; when the
// tour ends, by itself with -once or by Ctrl-C, nothing is left running and
// the directory is removed.
package main
