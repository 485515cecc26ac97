// Package deliver brings bundles to the vendor's relay, sooner or later.
//
// # The queue
//
// A bundle that is ready goes into the [Queue] first, whatever the network
// does. Each is a directory with the bytes and a small record; both appear at
// once or not at all, whenever the process is killed. It leaves the queue when
// its receipt is on disk, or when somebody drops it.
//
// # Sending
//
// [Sender.Send] uploads one by the tus protocol and checks the receipt. How
// far an upload got is known to the relay alone; the sender asks, and goes on
// from there: after a lost network, a killed process, a relay that restarted.
// Between attempts it waits longer and longer, with full jitter, and gives up
// when nothing has moved for as long as its patience lasts. The error is then a
// *[QueuedError] (exit code 5): nothing is lost.
//
// It connects through the function it is given, which is a transport plugin's,
// and runs TLS on top of that, checked against the pinned authority.
package deliver
