// Package agent puts the parts together on the customer's machine.
//
// [Open] opens the state below a root: the system key, the audit log, the
// policy, the plugin host. The result answers the local API (it is a
// control.API) whether or not anybody serves it: `remote-support status`
// works without the daemon, by opening the same state itself. [Agent.Run] is
// the daemon: it serves the API until it is told to stop.
//
// # Remote access
//
// [Agent.On] decides everything before anything happens: who asks, by which way,
// for how long, with which secret. Then the session is written down and in the
// audit log, and only then is the relay dialled. Each connection of an engineer
// goes the same way: the handshake proves who he is, policy is asked, people are
// asked where policy wants that, the recording is begun, the audit log has it,
// and only then does he get the SSH server of package access. The host key of
// that server and the secret are made for the session and exist in memory only.
//
// What runs is held against policy again whenever a policy file, the global
// switch or the seal changes; they are looked at four times a second. That is so
// for the plugin that carries the session, too, and for the certificates of the
// engineers who are in, which the vendor may revoke. Bundles that wait in the queue
// are sent while a session is open. Every
// end goes through one place, which returns when no process of the session is
// left: off, its time, policy, the seal, a refusal of the relay, the end of the
// agent.
//
// A killed agent takes the tunnel and the secret with it. The next start ends the
// processes that it left, seals its recordings, and adds to the audit log what is
// missing there.
//
// # Disabled for good
//
// A policy file that says permanently_disabled seals the system when it is
// loaded, and a seal that another process wrote is noticed like a changed file.
// Then the session is cut, what remote access rests on is destroyed, and the
// relay is told (packages disable and goodbye). [Open] destroys again what came
// back with a backup. On a sealed system nobody logs in or opens a session, and
// [Agent.Status] says what is left to do.
//
// # Order
//
// What the agent does it records first: [Agent.Append] writes to the audit log
// and then tells the watchers. An event that cannot be recorded is not acted
// on.
package agent
