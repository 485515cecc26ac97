// Command rss is the vendor's relay: systems enrol at it send bundles and
// open sessions, engineers fetch the ones and connect to the others.
//
//	rss init --name "Example Support" --address rss.example.com
//	rss serve
//	rss token new --system array-7 > token
//	rss engineers add ada --key-file ada.pub --role bundles
//	rss bundles
//	rss systems --open
//	rss recordings export --out DIR con-7k3v9x2m
//
// The commands for the operator speak to the running relay by a local socket;
// when none is running they open its store themselves.
package main
