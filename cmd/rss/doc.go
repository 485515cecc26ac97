// Command rss is the vendor's relay: systems enrol at it and send bundles,
// engineers fetch them.
//
//	rss init --name "Example Support" --address rss.example.com
//	rss serve
//	rss token new --system array-7 > token
//	rss engineers add ada --key-file ada.pub --role bundles
//	rss bundles
//
// The commands for the operator speak to the running relay by a local socket;
// when none is running they open its store themselves.
package main
