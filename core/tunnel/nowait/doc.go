// Package nowait reads and writes sockets on which little goes to and fro, such
// as an engineer's keys and what they bring, with less ado.
//
//	conn = nowait.New(conn)
//
// Before a system call that may take its time the runtime of Go wakes a thread
// that looks after those that do. That is right for a disk. A socket that does
// not block returns at once, and on a machine where nothing else goes on waking
// that thread costs each process on the way more than the call itself. A Conn
// makes the call without it, as long as what comes and goes is small: a stream
// of many bytes, which does take its time, goes the ordinary way, and so does now
// and then one that never has to wait, because that thread is what makes it
// share a processor with others.
package nowait
