// Package until waits in tests for what happens elsewhere: in another goroutine,
// in another process, on the far side of a connection.
//
//	until.True(t, "the agent serves", func() bool { return agent.Serving() })
//	until.OK(t, "squid answers", func() error { return dial(address) })
//
// It looks again and again, often at first and then less so, and fails the test
// after half a minute. That is far more than anything here takes, so that a busy
// machine does not make a test fail, and nobody has to choose a bound. What must
// be done within a certain time is measured by the test itself.
//
// Where a channel can be waited for, that is better still: polling is for what
// tells nobody. A fixed sleep is for slowing somebody down, or for seeing that
// nothing happens, and never for waiting.
package until
