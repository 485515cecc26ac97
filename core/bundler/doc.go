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
//	run.Sanitized(path); run.Hide(…)   // the user looks at it and changes it
//	made, err := run.Seal(ctx)         // packed, checked, signed, sealed: the hash
//	err = run.Release(made)            // recorded and queued: those bytes and no others
//	receipt, err := b.Deliver(ctx, made.ID)
//
// Policy is asked before anything is done, and again for what leaves: may a
// bundle be made, with which collectors, how large, where to. A refusal names
// the line that decided.
//
// A run may answer a signed request of the vendor ([Granted]) and take other
// machines in ([Request.On]), on which the same program runs over ssh.
//
// A bundle that is to be sent lies in the queue from the moment it is sealed,
// so that nothing is lost when the network, the relay or this process dies;
// see package core/deliver.
package bundler
