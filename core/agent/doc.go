// Package agent puts the parts together on the customer's machine.
//
// [Open] opens the state below a root: the system key, the audit log, the
// policy, the plugin host. The result answers the local API (it is a
// control.API) whether or not anybody serves it: `remote-support status`
// works without the daemon, by opening the same state itself. [Agent.Run] is
// the daemon: it serves the API until it is told to stop.
//
// What the agent does it records first: [Agent.Append] writes to the audit log
// and then tells the watchers. An event that cannot be recorded is not acted
// on.
package agent
