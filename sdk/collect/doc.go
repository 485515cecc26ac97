// Package collect is for authors of collectors: what finds and reads one part
// of a machine's configuration, logs and facts for a support bundle.
//
// # The one method
//
// A collector implements [Collector]: Collect, which gives what it finds to a
// [Sink], item after item. What is given is a descriptor: an open file, or a
// pipe that the collector or a command writes. The host reads it, redacts it
// and packs it. So a collector neither redacts nor packs, nor cuts.
//
//	func (c *nginx) Collect(ctx context.Context, req collect.Request, sink collect.Sink) error {
//		if err := sink.Path(collect.Item{Name: "nginx.conf", Config: true}, "/etc/nginx/nginx.conf"); err != nil {
//			return err
//		}
//		return sink.Command(collect.Item{Name: "effective.txt", Config: true}, "nginx", "-T")
//	}
//
// # Errors
//
// What is not on this machine is absent, not an error; what cannot be read is
// a failed item. Path and Command tell the two apart and report both: they
// return an error only when collecting cannot go on, because the host is gone
// or no longer wants it. Return that error. Whatever else a collector returns
// means that it could not do its work at all.
//
// # Privileges
//
// A collector runs without any. [Sink.Open] and [Sink.Command] ask the host,
// which opens and runs what the collector has declared by [Needer] and policy
// allows. Declare narrowly: somebody reads it before he trusts the plugin.
//
// # Order
//
// The host may read items one after the other, in the order in which they
// began. So close a stream before you write to the next one from the same
// goroutine. Sinks may be used by several goroutines.
package collect
