// Command support is what the vendor's engineers use on their own machines: it
// logs in to the relay with an SSH key, finds systems, and opens bundles.
//
//	support login --rss rss.example.com --pin SHA256:...
//	support systems
//	support bundle list --system array-7
//	support bundle open bdl-0123456789abcdefghjk
//
// The key that opens bundles is here and not on the relay. What a bundle says
// is only believed when its signature is of the system that it is said to be
// from.
package main
