// Command support is what the vendor's engineers use on their own machines: it
// logs in to the relay with an SSH key, finds systems, goes into those whose
// customer has let support in, and opens bundles.
//
//	support login --rss rss.example.com --pin SHA256:...
//	support systems
//	support ssh array-7 --case C-4711
//	support bundle list --system array-7
//	support bundle open bdl-0123456789abcdefghjk
//
// Going in takes two things: the secret that the customer says, and a
// certificate of the vendor's CA for the engineer's key (support certify). The
// work is in core/connect.
//
// The key that opens bundles is here and not on the relay. What a bundle says
// is only believed when its signature is of the system that it is said to be
// from.
package main
