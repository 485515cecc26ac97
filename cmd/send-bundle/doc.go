// Command send-bundle makes a support bundle of this machine and sends it to
// the vendor: configuration with its secrets stripped, logs, and facts about
// the system. It works while remote support is off, and without remote-support
// installed.
//
// It also sanitizes anything else, and looks into bundles.
package main
