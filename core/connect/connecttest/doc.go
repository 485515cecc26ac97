// Package connecttest runs a system that lets engineers in, with a relay
// before it, inside a test: core/tunnel, core/handshake, core/resume and
// core/access put together as plainly as can be. What decides about sessions on
// a real system is core/agent.
//
//	s := connecttest.New(t)
//	conn, err := connect.Dial(ctx, s.Options(s.Secret))
//
// Between the engineer and the relay, and between the system and the relay, is a
// [Line] each that tests can cut. The policy allows everything but what
// [Policy.Deny] names.
package connecttest
