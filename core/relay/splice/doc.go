// Package splice joins two connections: what comes in on one goes out on the
// other, both ways, until both sides have ended or one breaks.
//
//	r := splice.Join(ctx, system, engineer, splice.Options{Idle: 2 * time.Minute, Stall: time.Minute})
//
// The end of one direction is passed on as such (half-close), and the other
// goes on. A connection that carries nothing holds no buffer: bytes are awaited
// with a few hundred bytes at hand, and only a stream of them takes a large
// buffer from a pool, which it gives back as soon as it pauses. The bytes are
// not looked at.
package splice
