// Package msg is what a system and the relay say to each other outside of the
// end-to-end encryption: JSON objects, one a line, each with its type first.
//
//	{"type":"ping","n":7}
//
// # On the control stream (PathLink)
//
// The system says [Hello], the relay answers [Welcome] or [Refuse]. Then the
// system sends [Ping] at least every [Interval] and wants the [Pong] within
// [Answer]; a relay that hears nothing for [Patience] holds the system for
// gone. The relay says [Dial] for each engineer's connection, [Drain] before
// it goes away, and [Replaced] when another control stream of the same system
// took over. The system says [Bye] when the session ends. A second Hello of
// the same session changes what is announced, such as when it expires; it is
// not answered.
//
// # On a dial-back connection (PathCarry) and an engineer's (PathConnect)
//
// The relay says [Start], once, and the bytes directly behind that line belong
// to the two ends. Before it, on a spare connection, the relay may send Ping
// and the system answers Pong, in lockstep: there is never a Start while a
// Pong is outstanding.
//
// # Reading
//
// [Reader] reads byte by byte, and never behind the line, so that it can hand
// the connection over at any point and holds no memory while it waits. What
// lies below must buffer, as TLS does. Lines are refused that are longer than
// [MaxLine], hold unknown members, values of another type, or
// text that could not be shown to a person.
package msg
