// Package bundler puts a bundle run together: the collectors of the plugin
// host, policy, the sanitizer, the pipeline of core/bundle and delivery.
//
// It is the one place that knows all of them, used by send-bundle and by the
// agent, so that both make the same bundles under the same rules:
//
//	b, err := bundler.New(bundler.Options{Root: root, Version: version})
//	defer b.Close()
//	run, err := b.Collect(ctx, req)    // policy is asked, files are spooled
//	defer run.Close()
//	made, err := run.Finish(ctx)       // packed, checked, signed, sealed
//	receipt, err := b.Deliver(ctx, made.ID)
//
// Policy is asked before anything is done, and again for what leaves: may a
// bundle be made, with which collectors, how large, where to. A refusal names
// the line that decided.
//
// A bundle that is to be sent lies in the queue from the moment it is sealed,
// so that nothing is lost when the network, the relay or this process dies;
// see package core/deliver.
package bundler
